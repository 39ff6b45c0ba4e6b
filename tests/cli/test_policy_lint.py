# SPDX-License-Identifier: Apache-2.0
"""``policy lint``, on the policy that ``org init`` would write and on worse ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from quorumseal.cli.policy.template import Draft, policy_text
from tests.cli.published import flat, said
from tests.organisation import key_of

PEOPLE = ("alice", "bob", "carol", "dan", "erin", "rita", "sam")


def write(tmp_path: Path, **fields: object) -> Path:
    now = datetime.now(UTC)
    usual = {
        "organisation": "acme",
        "people": {name: key_of(name).public for name in PEOPLE},
        "roles": {
            "engineering": ["alice", "bob", "erin"],
            "security": ["carol", "dan"],
            "managers": ["rita", "sam"],
        },
        "quorum": {"engineering": 2, "security": 1},
        "requesters": ["managers"],
        "products": ["widget"],
        "origin": "acme/log",
        "log_key": key_of("log").public,
        "authorities": [],
        "valid_from": now,
        "valid_until": now + timedelta(days=365),
    }
    path = tmp_path / "policy.toml"
    path.write_text(policy_text(Draft(**{**usual, **fields})))  # type: ignore[arg-type] # a draft's own
    return path


def test_a_policy_with_room_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path)
    assert main(["policy", "lint", str(source), "--strict"]) == 0
    text = flat(capsys.readouterr().out)
    assert "has 0 problems, 0 warnings and 1 note" in text
    assert "any 1" in text
    assert "6 sets of 3 are enough, such as alice, bob, carol" in text
    assert "alice, bob, carol, dan, erin can each reject it alone" in text
    assert text.rstrip().endswith(f"quorumseal policy check {source}")


def test_whoever_is_indispensable_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roles = {"engineering": ["alice", "bob"], "security": ["carol"], "managers": ["rita"]}
    source = write(tmp_path, roles=roles)
    assert main(["policy", "lint", str(source)]) == 0
    assert "one set of 3 is enough: alice, bob, carol" in flat(capsys.readouterr().out)
    assert main(["policy", "lint", str(source), "--strict", "--json"]) == 12
    answer = said(capsys.readouterr().out)
    assert answer["quorums"][0]["indispensable"] == ["alice", "bob", "carol"]
    assert {finding["level"] for finding in answer["findings"]} == {"warning", "note"}


def test_somebody_who_can_never_get_an_answer_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roles = {"engineering": ["alice", "bob"], "security": ["carol", "dan"], "managers": ["alice", "rita"]}
    source = write(tmp_path, roles=roles)
    assert main(["policy", "lint", str(source)]) == 12
    text = flat(capsys.readouterr().out)
    assert text.startswith("✗ ")
    assert "when alice asks, engineering (2) needs 2 people, but only bob can count there" in text
    assert "cannot be met" in text


def test_what_becomes_of_each_quorum_while_somebody_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path)
    words = ["policy", "lint", str(source), "--without", "carol"]
    assert main(words) == 0
    text = flat(capsys.readouterr().out)
    assert text.startswith("✓ Without carol every quorum can still be met")
    assert "✓ standard: nobody else may be away" in text
    assert main([*words, "--without", "dan"]) == 12
    text = flat(capsys.readouterr().out)
    assert text.startswith("✗ Without carol and dan this is stopped: standard, governance")
    assert "✗ standard: cannot be met: security (1) needs 1 person, but nobody can count there" in text
    assert main([*words, "--json"]) == 0
    answer = said(capsys.readouterr().out)
    assert answer["without"] == ["carol"]
    assert answer["quorums"][0] == {
        "quorum": "standard",
        "met_by": "everybody",
        "says": "nobody else may be away",
    }
    assert main(["policy", "lint", str(source), "--without", "zoe"]) == 4


def test_only_some_who_ask_may_be_left_without_an_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roles = {
        "engineering": ["alice", "bob", "erin"],
        "security": ["carol", "dan"],
        "managers": ["rita", "carol"],
    }
    source = write(tmp_path, roles=roles)
    assert main(["policy", "lint", str(source), "--without", "dan"]) == 12
    assert "! standard: cannot be met when carol asks" in flat(capsys.readouterr().out)


def test_the_sets_that_are_enough_are_listed_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "lint", str(write(tmp_path)), "--json"]) == 0
    standing = said(capsys.readouterr().out)["quorums"][0]
    assert standing["bus_factor"] == 2
    assert len(standing["enough"]["sets"]) == 6
    assert standing["enough"]["complete"]
