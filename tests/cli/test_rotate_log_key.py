# SPDX-License-Identifier: Apache-2.0
"""The log's key rotates by the commands of the manual; a rehearsal does all of it and touches nothing."""

import time
from pathlib import Path

import pytest

from coordinator.settings import read_settings
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
GOVERNORS = ("alice", "bob", "carol", "dan")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = copied_office(tmp_path / "own")
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    return office


def settings_of(office: Office) -> Path:
    return office.folder / "coordinator" / "coordinator.toml"


def rotate(office: Office, *words: str) -> int:
    return main(["coordinator", "rotate-log-key", *words, "--settings", str(settings_of(office))])


def every_byte(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): digest_of(f.read_bytes()) for f in folder.rglob("*") if f.is_file()}


def released(office: Office, version: str) -> None:
    assert main(["start", "widget", version, str(office.artifact), *office.home("rita")]) == 0
    office.approve("alice", "bob", "carol", "dan", release=f"widget@{version}")
    for _ in range(100):
        if bundle(office, version).exists():
            return
        time.sleep(0.05)


def bundle(office: Office, version: str) -> Path:
    return office.folder / "published" / f"widget@{version}.quorumseal.json"


def test_a_rehearsal_comes_to_the_end_and_changes_no_byte(office: Office, capsys: Capture) -> None:
    with coordinator_of(office):
        released(office, "1.0")
    capsys.readouterr()
    before = every_byte(office.folder)
    assert rotate(office, "--rehearse", "--out", "policy-2.toml") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1].endswith("coordinator.toml --out policy-2.toml")
    text = flat(shown)
    assert "rehearsed to its end" in text
    assert "a release after it is verified by the first trust file, version 2" in text
    assert every_byte(office.folder) == before


def test_the_log_key_rotates_and_the_first_trust_file_goes_on_verifying(
    office: Office, capsys: Capture, tmp_path: Path
) -> None:
    with coordinator_of(office):
        released(office, "1.0")
    source = tmp_path / "policy-2.toml"
    assert rotate(office, "--out", str(source)) == 0
    assert "[[log.keys]]" in capsys.readouterr().out
    settings = read_settings(settings_of(office))
    assert settings.next_log_key is not None
    assert settings.next_log_key.file.stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    with coordinator_of(office):
        propose = ["policy", "propose", str(source), "--yes", "--json", *office.home("alice")]
        assert main(propose) == 0
        asked = said(capsys.readouterr().out)
        for side in ("change", "acceptance"):
            for person in GOVERNORS:
                assert main(["approve", asked[side], "--yes", *office.home(person)]) == 0
        released(office, "2.0")
    assert rotate(office) == 0
    assert "the settings name it alone" in flat(capsys.readouterr().out)
    assert read_settings(settings_of(office)).log_key.file.name == "log.2.key.pem"
    with coordinator_of(office):
        released(office, "3.0")
        for version in ("1.0", "2.0", "3.0"):
            words = ["--bundle", str(bundle(office, version)), "--trust", str(office.folder / "trust.json")]
            assert main(["verify", str(office.artifact), *words]) == 0


def test_a_coordinator_that_does_not_hold_the_next_key_takes_no_policy_that_names_it(
    office: Office, capsys: Capture, tmp_path: Path
) -> None:
    source = tmp_path / "policy-2.toml"
    with coordinator_of(office):
        assert rotate(office, "--out", str(source)) == 0  # and nobody restarts it
        assert main(["policy", "propose", str(source), "--yes", *office.home("alice")]) != 0
        assert "[coordinator.log_key]" in capsys.readouterr().err
