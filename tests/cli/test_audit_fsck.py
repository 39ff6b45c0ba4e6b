# SPDX-License-Identifier: Apache-2.0
"""An auditor examines a log: from files, from a database, and from a coordinator that is running."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.audit.folder import write_copy
from quorumseal.cli.main import main
from quorumseal.verifier.trust import write_trust
from tests.audit.histories import TRUST, database_in, fill, written
from tests.cli.office import Office, coordinator_of, found_office
from tests.coordinator.workshop import Workshop
from tests.losing import LOSING


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    copy = written(folder, entries=30)
    for name, given in (("copy", copy), ("cut", replace(copy, entries=copy.entries[:-1]))):
        (folder / name).mkdir()
        for file, data in write_copy(given).items():
            (folder / name / file).write_bytes(data)
    (folder / "held.note").write_bytes(copy.checkpoint)
    (folder / "trust.json").write_bytes(write_trust(TRUST))
    return folder


def audit(place: Path, verb: str, *words: str, copy: str = "copy") -> int:
    return main(["audit", verb, "--copy", str(place / copy), "--trust", str(place / "trust.json"), *words])


def test_a_whole_log_has_nothing_wrong_with_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(place, "fsck", "--held", str(place / "held.note")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✓ nothing is wrong with this log: ")
    assert lines[-1].startswith("quorumseal audit open --copy ")
    assert audit(place, "fsck", "--json") == 0
    assert json.loads(capsys.readouterr().out)["defects"] == []


def test_what_is_wrong_is_named_with_its_place(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(place, "fsck", copy="cut") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "wrong with this log" in lines[0]
    assert lines[-1].endswith("--json")
    assert audit(place, "fsck", "--json", copy="cut") == 1
    found = json.loads(capsys.readouterr().out)["defects"]
    assert "audit.tree" in {each["code"] for each in found}


def test_files_are_audited_by_a_trust_file_from_elsewhere(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "fsck", "--copy", str(place / "copy")]) == 2
    assert "expected a trust file beside the folder" in capsys.readouterr().err
    assert main(["audit", "fsck", "--copy", str(place), "--trust", str(place / "trust.json")]) != 0
    assert "expected a copy of a log at" in capsys.readouterr().err


def test_a_database_is_examined_by_its_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workshop = Workshop(database_in(tmp_path), LOSING, tmp_path / "published")
    fill(workshop, workshop.desk(), 20)
    workshop.close()
    (tmp_path / "trust.json").write_bytes(write_trust(TRUST))
    for name in ("log.key", "a", "b", "c"):
        (tmp_path / name).touch(mode=0o600)
    settings = tmp_path / "coordinator.toml"
    settings.write_text(
        'format = 0\norganisation = "acme.example"\nlisten = "127.0.0.1:0"\n'
        'database = "sqlite:///log.sqlite"\n[log_key]\nfile = "log.key"\n'
        '[tls]\ncertificate = "a"\nkey = "b"\nclient_authorities = "c"\n'
    )
    words = ["audit", "fsck", "--settings", str(settings), "--trust", str(tmp_path / "trust.json")]
    assert main(words) == 0
    assert "nothing is wrong with this log" in capsys.readouterr().out
    assert main(words[:-2]) == 2


def test_how_well_the_rule_works_is_said_drawn_and_written(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(place, "effectiveness", "--from", "2026-11-01", "--to", "2026-12-01") == 0
    screen = capsys.readouterr().out
    assert screen.startswith("✓ 9 measures of ")
    assert "Time to quorum" in screen
    assert screen.splitlines()[-1].endswith("--pictures pictures")
    assert audit(place, "effectiveness", "--pictures", str(tmp_path / "pictures"), "--json") == 0
    told = json.loads(capsys.readouterr().out)["measures"]
    for measure in told:
        assert Path(measure["picture"]).read_text().startswith("<svg ")
    assert audit(place, "effectiveness", "--from", "yesterday") == 2
    assert audit(place, "effectiveness", "--from", "2026-12-01", "--to", "2026-11-01") == 2


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = found_office(tmp_path / "acme")
    with coordinator_of(made):
        yield made


def test_a_live_coordinator_is_fetched_and_compared(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert office.start() == 0
    office.approve("alice", "bob", "carol", "dan")
    capsys.readouterr()
    assert main(["audit", "fsck", *office.home("rita")]) == 0
    assert "nothing is wrong with this log" in capsys.readouterr().out


def test_an_auditors_home_remembers_how_far_the_log_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log that lost its end is whole in itself: only who has seen more can tell."""
    office = found_office(tmp_path / "acme")
    database = office.folder / "coordinator" / "coordinator.db"
    before = database.read_bytes()
    with coordinator_of(office):
        assert office.start() == 0
        assert main(["audit", "fsck", *office.home("rita")]) == 0
    for leftover in database.parent.glob("coordinator.db-*"):
        leftover.unlink()
    database.write_bytes(before)
    capsys.readouterr()
    with coordinator_of(office):
        assert main(["audit", "fsck", *office.home("rita")]) != 0
    assert "nothing is wrong" not in capsys.readouterr().out
