# SPDX-License-Identifier: Apache-2.0
"""What ``start`` and ``why`` foresee: who is away, on whom it rests, and the reminders to come."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
SMALL = "! security rests on carol; release on dan: nobody else is left who could"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = copied_office(tmp_path / "acme")
    with coordinator_of(made):
        yield made


def away(office: Office, *people: str) -> None:
    for person in people:
        assert main(["away", "--until", "20w", "--yes", *office.home(person)]) == 0


def why(office: Office, capsys: Capture) -> str:
    capsys.readouterr()
    assert main(["why", "widget@1.0", *office.home("rita")]) == 0
    return flat(capsys.readouterr().out)


def test_whoever_asks_hears_at_once_on_whom_it_rests(office: Office, capsys: Capture) -> None:
    assert office.start() == 0
    started = flat(capsys.readouterr().out)
    assert SMALL in started
    assert "engineering rests" not in started
    away(office, "alice")
    assert "! engineering rests on bob and erin; security on carol; release on dan: nobody" in why(
        office, capsys
    )


def test_a_quorum_that_cannot_be_met_in_time_is_said_to_be_so(office: Office, capsys: Capture) -> None:
    away(office, "alice", "bob")
    assert office.start() == 0
    shown = why(office, capsys)
    assert "✗ engineering (2) needs 2 people, but only erin can count there; alice is away until" in shown
    assert "rests on" not in shown, "one thing is enough"


def test_the_reminders_to_come_are_told_with_whom_they_are_for(office: Office, capsys: Capture) -> None:
    away(office, "bob")
    assert office.start() == 0
    assert "The next reminder is due" in (shown := why(office, capsys))
    assert ": alice, carol, dan, erin." in shown
    assert main(["why", "widget@1.0", *office.home("rita"), "--json"]) == 0
    answer = said(capsys.readouterr().out)
    rests = "engineering rests on alice and erin; security on carol; release on dan"
    assert answer["at_risk"] == [f"{rests}: nobody else is left who could"]
    reminders = answer["reminders"]
    assert [each["mark"] for each in reminders if each["person"] == "carol"] == [
        "helpers 25",
        "helpers 50",
        "helpers 75",
        "helpers 90",
    ]
    instants = [datetime.fromisoformat(each["at"]) for each in reminders]
    assert instants == sorted(instants)
    assert max(instants) < datetime.fromisoformat(answer["deadline"])


def test_what_has_ended_has_nothing_ahead(office: Office, capsys: Capture) -> None:
    assert office.start() == 0
    office.approve("alice", "bob", "carol", "dan")
    assert "reminder" not in why(office, capsys)
    assert main(["why", "widget@1.0", *office.home("rita"), "--json"]) == 0
    answer = said(capsys.readouterr().out)
    assert (answer["at_risk"], answer["out_of_reach"], answer["reminders"]) == ([], "", [])
