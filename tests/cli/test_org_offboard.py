# SPDX-License-Identifier: Apache-2.0
"""Somebody leaves: first it is shown what that means, then both sides decide, then they count no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
GOVERNORS = ("alice", "bob", "carol", "dan")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = copied_office(tmp_path / "own")
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    with coordinator_of(office):
        yield office


def offboard(office: Office, person: str, *words: str, by: str = "alice") -> int:
    return main(["org", "offboard", person, *words, *office.home(by)])


def test_it_is_shown_what_a_departure_means_before_anything_is_asked(office: Office, capsys: Capture) -> None:
    assert office.start() == 0
    office.approve("erin")
    capsys.readouterr()
    assert offboard(office, "erin", "--dry-run", "--ticket", "HR-12") == 0
    shown = capsys.readouterr().out
    assert "\n\n\n" not in shown
    assert "org offboard erin --ticket HR-12" in shown.splitlines()[-1]
    text = flat(shown)
    for part in (
        "erin would leave 1 role and 1 open ceremony",
        "engineering: alice, bob are left",
        "erin's approval counts: what is logged by then stays",
        "widget 1.0 (widget@1.0)",
        "until it is in force they count; the policy lists no two guardians to stop that",
        "org revoke-certificate erin",
    ):
        assert part in text
    assert "org suspend" not in text
    assert main(["list", "--json", *office.home("alice")]) == 0
    assert len(said(capsys.readouterr().out)["ceremonies"]) == 1, "nothing was proposed"


def test_two_guardians_who_could_stop_them_at_once_are_advised(tmp_path: Path, capsys: Capture) -> None:
    guarded = copied_office(tmp_path / "guarded", guardians=["engineering"])
    with coordinator_of(guarded):
        assert offboard(guarded, "dan", "--replace", "release=erin", "--dry-run") == 0
        assert "org suspend dan --until 7d --reason leaving" in flat(capsys.readouterr().out)


def test_a_departure_holds_once_both_sides_approved_it(office: Office, capsys: Capture) -> None:
    assert office.start() == 0
    office.approve("alice")
    capsys.readouterr()
    assert offboard(office, "erin", "--yes", "--json") == 0
    asked = said(capsys.readouterr().out)
    for side in ("change", "acceptance"):
        for person in GOVERNORS:
            assert main(["approve", asked[side], "--yes", *office.home(person)]) == 0
    assert office.decide("approve", "erin") != 0, "they count no more, in what was open before either"
    office.approve("bob", "carol", "dan")
    assert main(["wait", "widget@1.0", *office.home("rita")]) == 0


@pytest.mark.parametrize(
    ("person", "words", "code"),
    [
        ("carol", (), "policy.leaves_too_few"),
        ("carol", ("--replace", "release=erin"), "policy.leaves_too_few"),
        ("zoe", (), "signer.unknown"),
        ("erin", ("--replace", "engineering"), "usage"),
    ],
    ids=["nobody is left", "a role that is not theirs", "a stranger", "no name"],
)
def test_a_departure_that_cannot_be_is_refused_and_nothing_is_asked(
    office: Office, capsys: Capture, person: str, words: tuple[str, ...], code: str
) -> None:
    assert offboard(office, person, *words, "--yes") != 0
    assert f"[{code}" in capsys.readouterr().err
    assert main(["list", "--json", *office.home("alice")]) == 0
    assert said(capsys.readouterr().out)["ceremonies"] == []


def test_somebody_in_their_place_makes_it_possible(office: Office, capsys: Capture) -> None:
    assert offboard(office, "carol", "--replace", "security=erin", "--dry-run", "--json") == 0
    leaving = said(capsys.readouterr().out)
    assert leaving["roles"] == {"security": []}
    assert (leaving["person"], len(leaving["keys"])) == ("carol", 1)
