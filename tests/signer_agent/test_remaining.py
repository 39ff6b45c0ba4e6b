# SPDX-License-Identifier: Apache-2.0
"""For which rules too few people remain while others are away, and from when on."""

from datetime import timedelta

import pytest

from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import StandingAct
from signer_agent.remaining import shortages
from tests.burning import BURNING, DAY, HOUR, absence, delegation
from tests.organisation import NOW

POLICY = BURNING.policy.policy
WEEK = timedelta(days=7)
# Two of engineering (alice, bob, erin), one of security (bob, carol, dan), one of release (rita, dan).


def away(signer: str, *, hours: float = 0, until: timedelta = WEEK) -> StandingAct:
    return absence(signer, since=NOW + HOUR * hours, until=NOW + until)


def for_alice(deputy: str = "frank", *, until: timedelta = WEEK) -> StandingAct:
    return delegation("alice", "engineering", deputy, until=NOW + until)


CASES: dict[str, tuple[list[StandingAct], list[tuple[timedelta, str]]]] = {
    "nobody is away": ([], []),
    "enough remain": ([away("alice")], []),
    "too few remain": (
        [away("alice"), away("bob")],
        [(timedelta(0), "engineering (2) needs 2 people, but only erin can count there")],
    ),
    "too few remain later": (
        [away("alice"), away("bob", hours=24)],
        [(DAY, "engineering (2) needs 2 people, but only erin can count there")],
    ),
    "they are never away together": ([away("alice", until=DAY), away("bob", hours=24)], []),
    "a deputy stands in": ([away("alice"), away("bob"), for_alice()], []),
    "a deputy stands in too briefly": (
        [away("alice"), away("bob"), for_alice(until=2 * DAY)],
        [(2 * DAY, "engineering (2) needs 2 people, but only erin can count there")],
    ),
    "the deputy is away too": (
        [away("alice"), away("bob"), for_alice(), away("frank")],
        [(timedelta(0), "engineering (2) needs 2 people, but only erin can count there")],
    ),
    "one person would have to count twice": (
        [away("carol"), away("rita"), away("bob")],
        [
            (
                timedelta(0),
                "security (1) and release (1) together need 2 people, but only dan can count there",
            )
        ],
    ),
    "nobody at all remains": (
        [away("rita"), away("dan")],
        [(timedelta(0), "release (1) needs 1 person, but nobody can count there")],
    ),
}


@pytest.mark.parametrize(("acts", "expected"), CASES.values(), ids=CASES.keys())
def test_who_remains_is_seated_as_in_a_ceremony(
    acts: list[StandingAct], expected: list[tuple[timedelta, str]]
) -> None:
    standing = Standing()
    for act in acts:
        signed: Signed[StandingAct] = BURNING.sign(act)
        standing = stand(standing, signed, POLICY, at=NOW)
    found = shortages(POLICY, standing, since=NOW, until=NOW + WEEK)
    assert [(each.at - NOW, each.reason) for each in found] == expected
    assert {each.rule for each in found} <= {"standard"}
