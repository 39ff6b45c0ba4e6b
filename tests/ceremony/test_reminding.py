# SPDX-License-Identifier: Apache-2.0
"""Who is reminded when, as tables over a ceremony of 100 hours: an hour is a percent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Begin, Command, Expire, Record
from quorumseal.ceremony.helping import helpers
from quorumseal.ceremony.reminding import Reminder, coming, due, next_reminder
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import Choice, StandingAct
from tests.burning import (
    BURNING,
    HOUR,
    MINUTE,
    absence,
    delegation,
    emergency_request,
    extends,
    joins,
    open_emergency,
)
from tests.organisation import NOW, Organisation, changed

ACME = changed(BURNING, leads={"security": "dan", "engineering": "erin"})
LENGTH = 100 * HOUR
NOBODY_AWAY = Standing()
EVERYBODY = {"alice", "bob", "carol", "dan", "erin", "rita"}  # mallory asks


def waiting(acme: Organisation = ACME, *, requester: str = "mallory") -> Chain:
    request = replace(acme.request(requester=requester, deadline=LENGTH), hard_stop=NOW + LENGTH + 60 * HOUR)
    return open_chain(acme.policy, acme.sign_request(request), at=NOW)[0]


def after(chain: Chain, *commands: Command, hours: float = 0) -> Chain:
    for command in commands:
        chain, _ = extend(chain, command, at=NOW + HOUR * hours)
    return chain


def decided(chain: Chain, *signers: str, acme: Organisation = ACME, hours: float = 0) -> Chain:
    for signer in signers:
        at = NOW + HOUR * hours
        decision = acme.decision(signer, chain.ceremony.request, at=at)
        chain = after(chain, Record(acme.sign_decision(decision)), hours=hours)
    return chain


def standing(*acts: StandingAct, acme: Organisation = ACME) -> Standing:
    result = Standing()
    for act in acts:
        signed: Signed[StandingAct] = acme.sign(act)
        result = stand(result, signed, acme.policy.policy, at=NOW)
    return result


def told(
    chain: Chain, hours: float, away: Standing = NOBODY_AWAY, *, whom: str = "helpers"
) -> dict[str, str]:
    """Return the newest mark of each person that is due after some hours, for one sort of people."""
    found = due(chain.ceremony, away, at=NOW + HOUR * hours)
    return {each.person: str(each.mark) for each in found if each.mark.whom == whom}


@pytest.mark.parametrize(
    ("hours", "mark"),
    [(24.9, None), (25, 25), (49.9, 25), (50, 50), (75, 75), (89.9, 75), (90, 90), (99.9, 90), (100, None)],
)
def test_those_who_can_help_are_reminded_at_each_quarter_and_before_the_end(
    hours: float, mark: int | None
) -> None:
    expected = {} if mark is None else dict.fromkeys(EVERYBODY, f"helpers {mark}")
    assert told(waiting(), hours) == expected


@pytest.mark.parametrize(
    ("about", "chain", "not_told"),
    [
        ("who decided", lambda: decided(waiting(), "alice"), {"alice"}),
        ("who asks", lambda: waiting(requester="rita"), {"rita"}),
        ("a role that is filled", lambda: decided(waiting(), "rita"), {"rita"}),
        (
            "who would only fill a role that is filled",
            lambda: decided(waiting(), "carol", "alice", "erin"),
            {"carol", "alice", "erin", "bob"},
        ),
    ],
)
def test_nobody_is_reminded_who_cannot_help(
    about: str, chain: Callable[[], Chain], not_told: set[str]
) -> None:
    assert EVERYBODY - told(chain(), 50).keys() == not_told, about


def test_an_abstention_and_a_rejection_that_ends_nothing_are_decisions() -> None:
    acme = changed(ACME, veto=frozenset())
    chain = waiting(acme)
    for signer, choice in (("alice", Choice.ABSTENTION), ("carol", Choice.REJECTION)):
        decision = acme.decision(signer, chain.ceremony.request, choice)
        chain = after(chain, Record(acme.sign_decision(decision)))
    assert EVERYBODY - told(chain, 50).keys() == {"alice", "carol"}


def test_who_is_away_is_not_reminded_and_hears_the_newest_when_they_are_back() -> None:
    away = standing(absence("alice", acme=ACME, until=NOW + HOUR * 60))
    assert "alice" not in told(waiting(), 50, away)
    assert told(waiting(), 60, away)["alice"] == "helpers 50"
    later = list(coming(waiting().ceremony, away, at=NOW + HOUR * 55))
    assert ("alice", HOUR * 60) in {(each.person, each.at - NOW) for each in later}


def test_a_later_stage_is_reminded_from_its_own_turn_on() -> None:
    acme = changed(ACME, stages=(frozenset({"engineering"}), frozenset({"security", "release"})))
    chain = waiting(acme)
    assert told(chain, 50).keys() == {"alice", "bob", "erin"}
    chain = decided(chain, "alice", "erin", acme=acme, hours=60)
    assert told(chain, 60) == dict.fromkeys({"bob", "carol", "dan", "rita"}, "helpers 0 stage 2")
    assert told(chain, 69.9) == told(chain, 60)
    assert told(chain, 70)["carol"] == "helpers 25 stage 2"
    assert told(chain, 80)["carol"] == "helpers 50 stage 2"


def test_the_window_of_a_role_takes_the_place_of_the_deadline() -> None:
    acme = changed(ACME, windows={"security": 20 * HOUR, "release": 300 * HOUR})
    chain = waiting(acme)
    assert told(chain, 4.9) == {}
    assert told(chain, 5) == dict.fromkeys({"bob", "carol", "dan"}, "helpers 25 security")
    assert told(chain, 99)["rita"] == "helpers 90 release", "a window never reaches past the deadline"
    bob = {str(e.mark) for e in due(chain.ceremony, NOBODY_AWAY, at=NOW + HOUR * 30) if e.person == "bob"}
    assert bob == {"helpers 90 security", "helpers 25"}


@pytest.mark.parametrize(
    ("hours", "whom", "expected"),
    [
        (59.9, "deputies", {}),
        (60, "deputies", {"frank": "deputies 60 security", "alice": "deputies 60 security", "carol": None}),
        (84.9, "lead", {}),
        (85, "lead", {"dan": "lead 85 security", "erin": "lead 85 engineering"}),
    ],
)
def test_deputies_and_then_the_lead_of_a_late_role_are_told(
    hours: float, whom: str, expected: dict[str, str | None]
) -> None:
    found = told(waiting(), hours, whom=whom)
    assert found.keys() == expected.keys()
    assert all(expected[person] in (None, mark) for person, mark in found.items())


@pytest.mark.parametrize(
    ("about", "chain", "away", "expected"),
    [
        ("of a role that is filled", lambda: decided(waiting(), "dan"), NOBODY_AWAY, {"engineering"}),
        ("who is away", waiting, standing(absence("dan", acme=ACME, until=NOW + LENGTH)), {"engineering"}),
    ],
)
def test_no_lead_is_told_without_need(
    about: str, chain: Callable[[], Chain], away: Standing, expected: set[str]
) -> None:
    found = due(chain().ceremony, away, at=NOW + HOUR * 90)
    assert {role for each in found if each.mark.whom == "lead" for role in each.roles} == expected, about


def test_a_deputy_who_asks_or_decided_is_not_told_that_the_role_is_late() -> None:
    acme = changed(ACME, deputies={"security": ("mallory", "alice", "frank")})
    chain = decided(waiting(acme), "alice", acme=acme)
    assert told(chain, 60, whom="deputies") == {"frank": "deputies 60 security"}


def test_who_stands_in_for_somebody_is_reminded_while_the_delegation_lives() -> None:
    given = delegation("carol", "security", "frank", acme=ACME, since=NOW + HOUR * 30, until=NOW + HOUR * 60)
    chain = after(waiting(), Begin(ACME.sign(given)))
    assert [told(chain, hours).get("frank") for hours in (29, 30, 50, 60)] == [
        None,
        "helpers 25",
        "helpers 50",
        None,
    ]
    assert next_reminder(chain.ceremony, NOBODY_AWAY, at=NOW + HOUR * 25) == NOW + HOUR * 30
    assert "frank" not in told(decided(chain, "carol"), 50), "carol decided herself"


def test_an_extension_moves_the_marks_that_are_not_past() -> None:
    chain = waiting()
    longer = after(chain, extends(chain, "rita", NOW + HOUR * 120, acme=ACME, at=NOW + HOUR * 55), hours=55)
    assert [told(longer, hours)["bob"] for hours in (25, 50, 75, 89.9, 90, 107.9, 108)] == [
        "helpers 25",
        "helpers 50",
        "helpers 50",
        "helpers 50",
        "helpers 75",
        "helpers 75",
        "helpers 90",
    ]
    again = after(
        longer, extends(longer, "rita", NOW + HOUR * 160, acme=ACME, at=NOW + HOUR * 100), hours=100
    )
    assert [told(again, hours)["bob"] for hours in (90, 143.9, 144)] == [
        "helpers 75",
        "helpers 75",
        "helpers 90",
    ]


def test_a_stage_that_came_after_an_extension_knows_no_other_deadline() -> None:
    acme = changed(ACME, stages=(frozenset({"engineering"}), frozenset({"security", "release"})))
    chain = waiting(acme)
    chain = after(chain, extends(chain, "rita", NOW + HOUR * 150, acme=acme, at=NOW + HOUR * 50), hours=50)
    chain = decided(chain, "alice", "erin", acme=acme, hours=110)
    assert [told(chain, hours)["carol"] for hours in (110, 120, 130)] == [
        "helpers 0 stage 2",
        "helpers 25 stage 2",
        "helpers 50 stage 2",
    ]


def test_an_approval_that_no_longer_stands_is_asked_for_again() -> None:
    chain = waiting()
    decision = ACME.decision("rita", chain.ceremony.request, not_after=NOW + HOUR * 55)
    chain = after(chain, Record(ACME.sign_decision(decision)))
    assert "rita" not in told(chain, 50)
    assert told(chain, 55)["rita"] == "helpers 50"
    assert next(e.person for e in coming(chain.ceremony, NOBODY_AWAY, at=NOW + HOUR * 50)) == "rita"


def test_what_is_to_come_is_told_once_and_in_order() -> None:
    found = list(coming(waiting().ceremony, NOBODY_AWAY, at=NOW))
    assert len({each.key for each in found}) == len(found)
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert [_hours(each) for each in found if each.person == "bob"] == [25, 50, 75, 90]
    assert next_reminder(waiting().ceremony, NOBODY_AWAY, at=NOW) == NOW + HOUR * 25
    assert next_reminder(waiting().ceremony, NOBODY_AWAY, at=NOW + HOUR * 90) is None


@pytest.mark.parametrize(
    "ended",
    [
        lambda: decided(waiting(), "alice", "erin", "carol", "rita"),
        lambda: after(waiting(), Expire(), hours=100),
    ],
    ids=["approved", "expired"],
)
def test_what_has_ended_reminds_nobody(ended: Callable[[], Chain]) -> None:
    assert due(ended().ceremony, NOBODY_AWAY, at=NOW + HOUR * 50) == ()
    assert next_reminder(ended().ceremony, NOBODY_AWAY, at=NOW) is None


def test_an_emergency_waits_for_its_people_until_its_window_opens() -> None:
    request = emergency_request(ACME, people=3)
    chain = open_emergency(ACME, request)
    at = NOW + MINUTE * 30
    assert helpers(chain.ceremony, NOBODY_AWAY, at=at) == {
        "engineering": {"alice", "bob", "erin"},
        "security": {"bob", "carol", "dan"},
    }
    chain = after(chain, joins(chain, "alice", acme=ACME), joins(chain, "carol", acme=ACME))
    assert helpers(chain.ceremony, NOBODY_AWAY, at=at) == {
        "engineering": {"bob", "erin"},
        "security": {"bob", "dan"},
    }, "it said that it needs three"
    chain = after(chain, joins(chain, "dan", acme=ACME))
    assert chain.ceremony.window_ends is not None
    assert helpers(chain.ceremony, NOBODY_AWAY, at=NOW + MINUTE) == {}


def _hours(reminder: Reminder) -> float:
    return (reminder.at - NOW) / timedelta(hours=1)


def test_no_sequence_of_wakings_tells_anything_twice_or_loses_it() -> None:
    chain = waiting()
    expected = {each.key for each in coming(chain.ceremony, NOBODY_AWAY, at=NOW)}
    for steps in ([25, 50, 60, 75, 85, 90], [10, 25, 26, 50, 59, 60, 75, 85, 90, 99]):
        assert _wake(chain, steps) == sorted(expected)
    assert set(_wake(chain, [99])) == {
        key for key in expected if not key[0].startswith(("helpers 25", "helpers 50", "helpers 75"))
    }, "who wakes late tells the newest only"


def _wake(chain: Chain, steps: Sequence[int]) -> list[tuple[str, str]]:
    claimed: set[tuple[str, str]] = set()
    told: list[tuple[str, str]] = []
    for hours in steps:
        fresh = {e.key for e in due(chain.ceremony, NOBODY_AWAY, at=NOW + HOUR * hours)} - claimed
        claimed |= fresh
        told += fresh
    return sorted(told)
