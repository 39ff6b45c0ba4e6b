# SPDX-License-Identifier: Apache-2.0
"""``coordinator doctor``: each rule by a table of facts, and the whole against a coordinator that runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coordinator.certificates import Seen
from coordinator.errors import RewoundError, StorageFailedError
from coordinator.examining import gathering
from coordinator.examining.facts import Answer, Database, Facts, Room
from coordinator.examining.rules import answering, backup, clock, judge, log_key, queues, room, settings
from coordinator.grpc_api.server import SIEM
from coordinator.settings import SettingsError
from coordinator.siem.cursor import Cursor
from coordinator.siem.errors import CursorError
from coordinator.storage.counting import Counts
from coordinator.storage.hanging import Due
from quorumseal.cli.main import main
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import Finding, fine, warning, worst, wrong
from quorumseal.tlog import Witness
from tests.grpc_api.knocking import wait_until
from tests.organisation import NOW, Organisation, key_of
from tests.running_coordinator import Site

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
GIB = 1 << 30
FILE = Path("/etc/my coordinator.toml")
POLICY = replace(Organisation().policy.policy, expires=NOW + 400 * DAY)
NOTHING = Counts(
    ceremonies={},
    publications={},
    oldest_unpublished=None,
    undelivered=0,
    dead=0,
    checkpoint_size=1,
    standing=1,
)
IDLE = Due(ceremonies=None, bundles=None, notices=None)
DATABASE = Database(kind="SQLite", policy=POLICY, entries=1, head=NOW - DAY, counts=NOTHING, due=IDLE)
SEEN = Seen(not_before=NOW - DAY, not_after=NOW + 300 * DAY, hosts=frozenset({"localhost"}))
FACTS = Facts(
    at=NOW,
    settings_file=FILE,
    settings=(fine("coordinator.toml:tls", "right"),),
    answer=Answer(address="localhost:1", certificate=SEEN),
    server=SEEN,
    authorities=(SEEN,),
    log_keys=(Organisation().log_key.public,),
    database=DATABASE,
    rooms=(Room(path="/srv", free=100 * GIB, total=200 * GIB),),
)


def marks(findings: tuple[Finding, ...]) -> dict[str, Mark]:
    """Return what should be seen to."""
    return {each.about: each.mark for each in findings if each.mark in (Mark.WARNING, Mark.FAILED)}


SICK: list[tuple[str, dict[str, Any], dict[str, Mark]]] = [
    ("all is well", {}, {}),
    (
        "not running",
        {"answer": Answer(address="localhost:1", certificate=None, reason="refused")},
        {"running": Mark.FAILED},
    ),
    (
        "an older certificate is presented",
        {"answer": Answer(address="localhost:1", certificate=replace(SEEN, not_after=NOW + DAY))},
        {"presented certificate": Mark.WARNING},
    ),
    (
        "the authority ends",
        {"authorities": (replace(SEEN, not_before=NOW - 300 * DAY, not_after=NOW + 50 * DAY),)},
        {"client authority": Mark.WARNING},
    ),
    (
        "no database",
        {"database": StorageFailedError("expected an answer, got none", hint="look")},
        {"database": Mark.FAILED},
    ),
    ("settings to mend", {"settings": (warning("x:tls.key", "open", "close"),)}, {"settings": Mark.WARNING}),
    (
        "the policy ends",
        {"database": replace(DATABASE, policy=replace(POLICY, expires=NOW + 20 * DAY))},
        {"policy": Mark.WARNING},
    ),
    (
        "the policy has ended",
        {"database": replace(DATABASE, policy=replace(POLICY, expires=NOW - DAY))},
        {"policy": Mark.FAILED},
    ),
    ("a SIEM that is behind", {"siem": Cursor(next=DATABASE.entries - 101)}, {"siem": Mark.WARNING}),
    ("a SIEM that is ahead", {"siem": Cursor(next=DATABASE.entries + 1)}, {"siem": Mark.FAILED}),
    ("no cursor", {"siem": CursorError("expected a cursor, got none")}, {"siem": Mark.FAILED}),
    ("backup is gone", {"backup_named": "b.tar"}, {"backup": Mark.FAILED}),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in SICK], ids=[row[0] for row in SICK])
def test_everything_that_is_known_is_judged(changes: dict[str, Any], expected: dict[str, Mark]) -> None:
    assert marks(judge(replace(FACTS, **changes))) == expected


def test_every_command_of_the_coordinator_is_given_with_its_settings() -> None:
    rewound = replace(DATABASE, rewound=RewoundError("expected a log of 8 entries, got one of 3"))
    sick = replace(
        FACTS,
        settings=(wrong("x:tls.key", "open", "close"),),
        answer=Answer(address="localhost:1", certificate=None, reason="refused"),
        database=replace(rewound, due=replace(IDLE, bundles=NOW - DAY)),
    )
    hints = [each.hint for each in judge(sick) if "quorumseal coordinator" in each.hint]
    assert [hint.split("`")[1] for hint in hints] == [
        f"quorumseal coordinator {verb} --settings '/etc/my coordinator.toml'"
        for verb in ("check-config", "run", "recover", "run")
    ]


def test_a_key_that_ends_is_named_with_its_holder() -> None:
    signer = POLICY.signers["alice"]
    key = replace(signer.keys[0], valid_until=NOW + 6 * DAY)
    policy = replace(POLICY, signers={**POLICY.signers, "alice": replace(signer, keys=(key,))})
    found = marks(judge(replace(FACTS, database=replace(DATABASE, policy=policy))))
    assert found == {"key of alice": Mark.WARNING}


OUTSIDE = tuple(Witness(name=f"witness.example/{name}", key=key_of(name).public) for name in ("w1", "w2"))


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        ((), {"witness witness.example/w1", "witness witness.example/w2"}),
        (("witness.example/w1",), {"witness witness.example/w2"}),
        (("witness.example/w1", "witness.example/w2"), set()),
        (
            ("witness.example/w1", "witness.example/W2"),
            {"witness witness.example/W2", "witness witness.example/w2"},
        ),
    ],
)
def test_witnesses_that_only_the_settings_or_only_the_policy_name_are_named(
    reached: tuple[str, ...], expected: set[str]
) -> None:
    policy = replace(POLICY, log=replace(POLICY.log, witnesses=OUTSIDE))
    facts = replace(FACTS, witnesses=reached, database=replace(DATABASE, policy=policy))
    assert marks(judge(facts)) == dict.fromkeys(expected, Mark.WARNING)


def test_the_doctor_reads_the_witnesses_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, more='[witnesses."witness.example/w1"]\nurl = "https://witness.example/w1"\n')
    site.found()
    main(["coordinator", "doctor", "--settings", str(site.settings), "--json"])
    found = {each["about"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    assert found["witness witness.example/w1"]["level"] == "warning"
    assert "take it out there" in found["witness witness.example/w1"]["hint"]


def test_health_tells_how_the_siem_is_or_that_it_was_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, more=f'[siem]\nfile = "{tmp_path / "log.jsonl"}"\n')
    with site.in_process() as running:
        site.port = int(running.address.rpartition(":")[2])
        asked = ["coordinator", "health", "--settings", str(site.settings)]
        own = site.client_files("alice")
        shown = ["--certificate", str(own.certificate), "--key", str(own.key)]
        assert json_of(asked, capsys)["siem"] == "unknown"
        wait_until(lambda: json_of(asked + shown, capsys)["siem"] == "current")
        assert main(asked) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "✓ the coordinator serves"
        assert "was not found out" in lines[1]
        assert "--certificate and --key" in lines[2]
        status = {"": "SERVING", SIEM: "SERVICE_UNKNOWN: no such service"}
        monkeypatch.setattr(gathering, "_asked", lambda *given: status[given[4] if len(given) > 4 else ""])
        assert json_of(asked + shown, capsys)["siem"] == "unknown", "an error is not the SIEM's word"
        status[SIEM] = "NOT_SERVING"
        assert json_of(asked + shown, capsys)["siem"] == "blocked"


def json_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_port_in_use_is_as_it_should_be() -> None:
    assert settings([warning("coordinator.toml:listen", "in use", "free it")], FILE).mark is Mark.DONE
    assert settings([wrong("coordinator.toml:tls", "gone", "restore it")], FILE).mark is Mark.FAILED


@pytest.mark.parametrize(
    ("ahead", "mark"), [(-DAY, Mark.DONE), (MINUTE / 60, Mark.WARNING), (60 * MINUTE, Mark.FAILED)]
)
def test_a_clock_behind_the_newest_entry_is_seen(ahead: timedelta, mark: Mark) -> None:
    assert clock(replace(DATABASE, head=NOW + ahead), at=NOW).mark is mark


@pytest.mark.parametrize(
    ("since", "mark"), [(None, Mark.DONE), (-MINUTE, Mark.DONE), (MINUTE, Mark.DONE), (DAY, Mark.FAILED)]
)
@pytest.mark.parametrize("queue", ["ceremonies", "bundles", "notices"])
def test_due_work_that_nobody_does_hangs(queue: str, since: timedelta | None, mark: Mark) -> None:
    due = replace(IDLE, **{queue: None if since is None else NOW - since})
    assert worst(queues(replace(DATABASE, due=due), FILE, at=NOW)) is mark


def test_what_failed_or_was_given_up_is_counted() -> None:
    counts = replace(NOTHING, publications={"failed": 2}, dead=3)
    texts = [each.text for each in queues(replace(DATABASE, counts=counts), FILE, at=NOW) if each.hint]
    assert len(texts) == 2
    assert "2 failed" in texts[0]
    assert "3 were given up" in texts[1]


@pytest.mark.parametrize(
    ("free", "mark"), [(99 * GIB, Mark.DONE), (GIB, Mark.WARNING), (GIB >> 4, Mark.FAILED)]
)
def test_a_full_disk_is_seen_before_it_is_full(free: int, mark: Mark) -> None:
    assert room(Room(path="/srv", free=free, total=100 * GIB)).mark is mark


@pytest.mark.parametrize(
    ("age", "mark"),
    [(-MINUTE, Mark.DONE), (DAY, Mark.DONE), (2 * DAY + MINUTE, Mark.WARNING), (None, Mark.FAILED)],
)
def test_a_backup_is_judged_by_its_age(age: timedelta | None, mark: Mark) -> None:
    assert backup(replace(FACTS, backup_named="b.tar", backup=age)).mark is mark
    assert backup(replace(FACTS, backup_named="")).mark is Mark.WAITING


def test_the_log_key_opens_and_is_the_one_that_the_policy_names() -> None:
    own, other = Organisation().log_key.public, key_of("other").public
    assert log_key((other, own), POLICY).mark is Mark.DONE
    assert log_key((other,), POLICY).mark is Mark.FAILED
    assert log_key(SettingsError("expected a passphrase, got another", hint="x"), POLICY).mark is Mark.FAILED


def test_an_answer_without_a_certificate_is_none() -> None:
    assert answering(FACTS.answer, FILE).mark is Mark.DONE
    assert answering(Answer(address="x:1", certificate=None, reason="refused"), FILE).mark is Mark.FAILED


def test_a_coordinator_that_runs_is_found_and_one_that_does_not_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, Organisation(founded=datetime.now(UTC)))
    with site.in_process() as running:
        site.port = int(running.address.rpartition(":")[2])
        command = ["coordinator", "doctor", "--settings", str(site.settings)]
        assert main([*command, "--json"]) in (0, 12)
        found = {each["about"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
        assert found["running"]["text"] == f"it answers on {running.address}"
        assert found["database"]["level"] == "fine"
        assert "presented certificate" not in found
        own = site.client_files("alice")
        asked = ["coordinator", "health", "--settings", str(site.settings)]
        assert main(asked) == 0
        assert main([*asked, "--certificate", str(own.certificate), "--key", str(own.key)]) == 0
        assert capsys.readouterr().out == "✓ the coordinator serves\n" * 2
        stranger = ["--certificate", str(tmp_path / "server.crt"), "--key", str(tmp_path / "server.key")]
        assert main([*asked, *stranger, "--json"]) == 1
        assert not json.loads(capsys.readouterr().out)["serving"]
    assert main(asked) == 1
    assert capsys.readouterr().out.startswith("✗ the coordinator does not serve:")
    assert main([*command, "--backup", str(site.settings)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✗ the coordinator is not well: 1 wrong")
    assert lines[-1].startswith("quorumseal coordinator doctor --settings")
