# SPDX-License-Identifier: Apache-2.0
"""The log alone is enough: what is derived from it can be dropped, and a changed log is found out."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from coordinator.errors import LogDamagedError, StorageFailedError
from coordinator.rebuilding import rebuild, rebuild_in
from coordinator.storage import CeremonyRow
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.statements import Choice, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.refusal import Refusal
from tests.coordinator.workshop import Desk, Workshop
from tests.running_coordinator import Site

OTHER_BYTES = (Subject(name="widget.tar.gz", digest=digest_of(b"other bytes")),)


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    """One ceremony of each outcome."""
    desk = workshop.desk()
    starts = [
        workshop.start(workshop.organisation.request(number=n, version=f"1.{n}", deadline=timedelta(hours=n)))
        for n in range(1, 6)
    ]
    for start in starts:
        desk.written(start)
    for signer in ("alice", "erin", "carol", "rita"):
        desk.written(workshop.decide(signer, starts[1]))
    desk.written(workshop.decide("carol", starts[2], Choice.REJECTION))
    again = workshop.organisation.request(
        number=9, version="1.4", subjects=OTHER_BYTES, supersedes=starts[3].request.digest
    )
    desk.written(workshop.start(again))
    workshop.time.pass_by(timedelta(hours=1))
    desk.write(workshop.expire(starts[0]))
    return desk


def test_the_projection_agrees_with_the_log(desk: Desk) -> None:
    rebuilt = rebuild_in(desk.storage)
    assert (rebuilt.entries, rebuilt.ceremonies, rebuilt.differing) == (16, 6, ())
    states = [row.state for row in desk.storage.ceremonies.all()]
    assert states == ["expired", "approved", "rejected", "superseded", "open", "open"]


def test_a_projection_that_is_gone_or_wrong_is_made_anew_and_named(desk: Desk, workshop: Workshop) -> None:
    before = desk.storage.ceremonies.all()
    with desk.storage.engines.writing() as connection:
        connection.execute(text("DELETE FROM ceremonies WHERE state = 'approved'"))
        connection.execute(text("UPDATE ceremonies SET state = 'approved' WHERE state = 'expired'"))
    rebuilt = rebuild(workshop.database)
    assert rebuilt.differing == (before[0].ceremony, before[1].ceremony)
    assert desk.storage.ceremonies.all() == before
    assert rebuild(workshop.database).differing == ()


def test_a_coordinator_goes_on_after_a_rebuild(desk: Desk, workshop: Workshop) -> None:
    rebuild_in(desk.storage)
    start = workshop.start(workshop.organisation.request(number=20, version="2.0"))
    desk.written(start)
    desk.written(workshop.decide("alice", start))
    assert rebuild_in(desk.storage).differing == ()


def test_a_rebuild_beside_a_running_coordinator_is_refused(
    desk: Desk, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, all_rows = desk.storage.ceremonies.all(), desk.storage.ceremonies.all

    def all_rows_after_another_start() -> list[CeremonyRow]:
        desk.written(workshop.start(workshop.organisation.request(number=40, version="4.0")))
        return all_rows()

    monkeypatch.setattr(desk.storage.ceremonies, "all", all_rows_after_another_start)
    with pytest.raises(StorageFailedError, match="has grown meanwhile"):
        rebuild_in(desk.storage)
    assert [row.ceremony for row in all_rows()][:-1] == [row.ceremony for row in before]


def test_the_command_says_what_it_mended(
    desk: Desk, workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Site(tmp_path, workshop.organisation, workshop.database).settings
    rebuild_command = ["coordinator", "rebuild", "--settings", str(settings)]
    expired = desk.storage.ceremonies.all()[0].ceremony
    with desk.storage.engines.writing() as connection:
        connection.execute(text("UPDATE ceremonies SET state = 'approved' WHERE state = 'expired'"))
    assert main([*rebuild_command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"entries": 16, "ceremonies": 6, "mended": [expired]}
    assert main(rebuild_command) == 0
    assert "the log is whole (16 entries, 6 ceremonies)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET type = 'late' WHERE \"index\" = 6",
        'UPDATE entries SET ceremony = NULL WHERE "index" = 6',
        'DELETE FROM entries WHERE "index" = 15',
        'DELETE FROM entries WHERE "index" = 6',
        'UPDATE entries SET payload = (SELECT payload FROM entries e WHERE e."index" = 7) WHERE "index" = 6',
    ],
)
def test_a_changed_log_is_found_out_and_nothing_is_rebuilt(
    workshop: Workshop, desk: Desk, damage: str
) -> None:
    workshop.damaged = True
    with desk.storage.engines.writing() as connection:
        connection.execute(text(damage))
        connection.execute(text("DELETE FROM ceremonies"))
    with pytest.raises(LogDamagedError):
        rebuild_in(desk.storage)
    assert desk.storage.ceremonies.all() == []


def test_a_ceremony_whose_entries_were_changed_takes_no_decision(workshop: Workshop, desk: Desk) -> None:
    """Its neighbours do."""
    workshop.damaged = True
    start = workshop.start(workshop.organisation.request(number=30, version="3.0"))
    other = workshop.start(workshop.organisation.request(number=31, version="3.1"))
    desk.written(start)
    desk.written(other)
    with desk.storage.engines.writing() as connection:
        connection.execute(
            text("UPDATE entries SET seq = 5, payload = :p WHERE ceremony = :c"),
            {"c": start.request.statement.ceremony, "p": b"{}"},
        )
    fresh = workshop.desk(running=False)
    answers = [fresh.writer.submit(workshop.decide("alice", each)) for each in (start, other)]
    fresh.writer.start()
    refusal = answers[0].exception(timeout=30)
    assert isinstance(refusal, Refusal)
    assert not isinstance(refusal, CeremonyError)
    assert answers[1].exception(timeout=30) is None
