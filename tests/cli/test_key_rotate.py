# SPDX-License-Identifier: Apache-2.0
"""Somebody gets another key by the commands of the manual, and signs on all the while."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.policy import Policy
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_any
from signer_agent.settings import Settings, read_settings
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = copied_office(tmp_path / "own")
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    with coordinator_of(office):
        yield office


def settings_of(office: Office, person: str) -> Settings:
    return read_settings(office.folder / "people" / person / "agent.toml")


def rotate(office: Office, person: str, *words: str) -> int:
    return main(["key", "rotate", *words, *office.home(person)])


def asked(office: Office, person: str, capsys: Capture, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert rotate(office, person, "--yes", "--json", *words) == 0
    answer: dict[str, Any] = said(capsys.readouterr().out)
    return answer


def approve(office: Office, ceremony: str, *people: str) -> None:
    for person in people:
        assert main(["approve", ceremony, "--yes", *office.home(person)]) == 0


def in_force(office: Office, answer: dict[str, Any]) -> None:
    for side in ("change", "acceptance"):
        approve(office, answer[side], "alice", "bob", "carol", "dan")


def test_a_key_rotates_by_the_commands_and_open_ceremonies_take_the_old_one(
    office: Office, capsys: Capture
) -> None:
    assert office.start() == 0
    answer = asked(office, "alice", capsys)
    settings = settings_of(office, "alice")
    assert settings.next_key is not None
    assert settings.next_key.file.name == "signing.2.key.pem"
    assert settings.next_key.file.stat().st_mode & 0o777 == 0o600
    again = asked(office, "alice", capsys)
    assert (again["created"], again["digest"]) == ([], answer["digest"])

    assert main(["review", answer["change"], *office.home("carol")]) == 0
    assert "nothing shows" not in capsys.readouterr().out
    assert rotate(office, "alice", "--finish") == 4
    assert "[key.not_rotating]" in capsys.readouterr().err
    in_force(office, answer)

    assert rotate(office, "alice", "--finish") == 4
    assert "[key.still_needed]" in capsys.readouterr().err
    office.approve("alice", "bob", "carol", "dan")  # under version 1, with the old key
    assert office.decide("abstain", "alice") != 0
    assert main(["start", "widget", "2.0", str(office.artifact), *office.home("rita")]) == 0
    office.approve("alice", release="widget@2.0")  # under version 2, with the new one
    capsys.readouterr()
    assert rotate(office, "alice", "--finish") == 0
    text = flat(capsys.readouterr().out)
    assert "alice signs with the new key alone" in text
    assert "the old key is valid until" in text
    settings = settings_of(office, "alice")
    assert (settings.key_file.name, settings.next_key) == ("signing.2.key.pem", None)
    office.approve("bob", "carol", "dan", release="widget@2.0")
    assert rotate(office, "alice", "--finish") == 4


def test_no_key_is_made_beside_a_proposal_that_is_open_unless_it_takes_its_place(
    office: Office, capsys: Capture
) -> None:
    asked(office, "bob", capsys)
    assert rotate(office, "alice", "--yes") != 0
    refusal = flat(capsys.readouterr().err)
    assert "[request.open_exists]" in refusal
    assert "no key was made; give the same command once that has ended, or now with --supersede" in refusal
    assert settings_of(office, "alice").next_key is None
    assert asked(office, "alice", capsys, "--supersede")["created"]
    assert rotate(office, "bob", "--yes") != 0
    assert "your new key stays in" in flat(capsys.readouterr().err)
    assert asked(office, "alice", capsys)["created"] == []


def test_whoever_does_not_govern_hands_the_next_policy_to_somebody_who_does(
    office: Office, capsys: Capture
) -> None:
    file = office.folder / "policy-2.toml"
    assert rotate(office, "rita", "--out", str(file), "--overlap", "30d") == 0
    said_next = flat(capsys.readouterr().out)
    assert "--evidence key-rotation:" in said_next
    policy = read_any(file)
    assert isinstance(policy, Policy)
    assert len(policy.signers["rita"].keys) == 2
    statement = office.folder / "people" / "rita" / "signing.2.rotation.json"
    words = ["policy", "propose", str(file), "--yes", "--json", *office.home("alice")]
    assert main([*words, "--evidence", f"key-rotation:{statement}"]) == 0
    change = said(capsys.readouterr().out)["change"]
    assert main(["review", change, "--json", *office.home("carol")]) == 0
    assert said(capsys.readouterr().out)["policy_change"]["unexplained_keys"] == []


def test_a_new_key_that_nothing_explains_is_shown_as_such(office: Office, capsys: Capture) -> None:
    file = office.folder / "policy-2.toml"
    assert rotate(office, "rita", "--out", str(file)) == 0
    capsys.readouterr()
    assert main(["policy", "propose", str(file), "--yes", "--json", *office.home("alice")]) == 0
    change = said(capsys.readouterr().out)["change"]
    assert main(["review", change, *office.home("carol")]) == 0
    assert "nothing shows that this new key is rita's" in flat(capsys.readouterr().out)
