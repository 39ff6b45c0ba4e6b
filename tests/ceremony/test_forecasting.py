# SPDX-License-Identifier: Apache-2.0
"""What is said early about a quorum that may be missed, as tables."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Begin, Expire, Record
from quorumseal.ceremony.forecasting import Forecast, forecast
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import Choice, StandingAct
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    absence,
    delegation,
    emergency_request,
    joins,
    open_emergency,
)
from tests.organisation import NOW, Organisation, changed

STAGED = changed(BURNING, stages=(frozenset({"engineering"}), frozenset({"security", "release"})))
LENIENT = changed(BURNING, veto=frozenset())
NOBODY_AWAY = Standing()
AWAY_UNTIL = "Sun 2026-11-22 14:00 UTC"


def waiting(*signers: str, acme: Organisation = BURNING, requester: str = "mallory") -> Chain:
    request = acme.sign_request(acme.request(requester=requester))
    return acme.run(*signers, request=request)[0]


def away(
    *people: str, acme: Organisation = BURNING, until: timedelta = DAY * 2, since: timedelta = timedelta(0)
) -> Standing:
    result = Standing()
    for person in people:
        signed: Signed[StandingAct] = acme.sign(
            absence(person, acme=acme, since=NOW + since, until=NOW + until)
        )
        result = stand(result, signed, acme.policy.policy, at=NOW)
    return result


def said(chain: Chain, standing: Standing = NOBODY_AWAY, *unseen: str) -> tuple[str, ...]:
    return forecast(chain.ceremony, standing, unseen=unseen, at=NOW + HOUR).sentences


@pytest.mark.parametrize(
    ("chain", "standing", "unseen", "sentences"),
    [
        (waiting(), NOBODY_AWAY, (), ()),
        (waiting(), away("alice"), (), ("engineering rests on bob and erin: nobody else is left who could",)),
        (
            waiting(),
            away("alice", "bob"),
            (),
            (
                (
                    "engineering (2) needs 2 people, but only erin can count there; "
                    f"alice is away until {AWAY_UNTIL}; bob is away until {AWAY_UNTIL}"
                ),
            ),
        ),
        (waiting(), away("alice", "bob", until=HOUR * 23), (), ()),
        (waiting(), away("alice", "bob", since=HOUR * 2), (), ()),
        (waiting("alice", "bob"), away("alice", "bob"), (), ()),
        (waiting(), away("rita"), (), ("release rests on dan: nobody else is left who could",)),
        (
            waiting(requester="rita"),
            NOBODY_AWAY,
            (),
            ("release rests on dan: nobody else is left who could",),
        ),
        (waiting(), NOBODY_AWAY, ("carol",), ()),
        (
            waiting(),
            NOBODY_AWAY,
            ("alice", "erin"),
            (
                (
                    "without alice and erin, whose agents were not seen lately, "
                    "engineering (2) needs 2 people, but only bob can count there"
                ),
            ),
        ),
        (
            waiting("alice", "erin", "carol"),
            away("dan"),
            ("rita",),
            (
                (
                    "without rita, whose agent was not seen lately, "
                    "release (1) needs 1 person, but nobody can count there"
                ),
                "release rests on rita: nobody else is left who could",
            ),
        ),
        (waiting("alice", "erin", "carol"), away("bob"), ("bob",), ()),
    ],
    ids=[
        "enough people",
        "as many people as seats",
        "more away than can be spared",
        "away, and back before the deadline",
        "away later than now",
        "away after they decided",
        "one person left",
        "one person left since another asks",
        "one agent not seen of several",
        "agents not seen",
        "everything at once",
        "away where nobody is needed any more",
    ],
)
def test_what_is_said(
    chain: Chain, standing: Standing, unseen: tuple[str, ...], sentences: tuple[str, ...]
) -> None:
    assert said(chain, standing, *unseen) == sentences


def test_who_said_no_is_nobody_who_could_still_help() -> None:
    chain = waiting(acme=LENIENT)
    for signer, choice in (("alice", Choice.ABSTENTION), ("dan", Choice.REJECTION)):
        decision = LENIENT.decision(signer, chain.ceremony.request, choice)
        chain, _ = extend(chain, Record(LENIENT.sign_decision(decision)), at=NOW)
    (sentence,) = said(chain)
    rests = "engineering rests on bob and erin; security on carol; release on rita"
    assert sentence == f"{rests}: nobody else is left who could"


def test_an_approval_that_no_longer_stands_can_be_given_again() -> None:
    chain = waiting()
    for signer in ("alice", "erin"):
        decision = BURNING.decision(signer, chain.ceremony.request, not_after=NOW + MINUTE)
        chain, _ = extend(chain, Record(BURNING.sign_decision(decision)), at=NOW)
    assert said(chain) == ()


@pytest.mark.parametrize(
    ("since", "sentences"),
    [(timedelta(0), 1), (HOUR * 20, 1), (DAY * 2, 0)],
    ids=["now", "later, but in time", "too late"],
)
def test_a_deputy_takes_the_place_of_who_is_away(since: timedelta, sentences: int) -> None:
    given = delegation("alice", "engineering", "frank", since=NOW + since, until=NOW + DAY * 3)
    chain, _ = extend(waiting(), Begin(BURNING.sign(given)), at=NOW)
    found = forecast(chain.ceremony, away("alice", "bob"), at=NOW + HOUR)
    assert len(found.at_risk) == sentences, "engineering rests on erin and frank, or is out of reach"
    assert bool(found.out_of_reach) is not bool(sentences)
    assert forecast(chain.ceremony, away("alice", "bob", "frank"), at=NOW + HOUR).out_of_reach


def test_a_role_whose_turn_has_not_come_is_foreseen() -> None:
    chain = waiting(acme=STAGED)
    assert "security (1)" in said(chain, away("bob", "carol", "dan", acme=STAGED))[0]


def test_who_approved_before_the_turn_of_a_role_may_approve_again() -> None:
    chain = waiting("bob", acme=STAGED)
    assert chain.ceremony.counting["bob"] == {"engineering"}
    assert "security rests on bob" not in "".join(said(chain, away("carol", "dan", acme=STAGED)))
    assert not forecast(chain.ceremony, away("carol", acme=STAGED), at=NOW + HOUR).out_of_reach


def test_an_emergency_counts_heads_too() -> None:
    acme = changed(
        BURNING, roles={**BURNING.roles, "engineering": ("alice", "erin"), "security": ("carol", "dan")}
    )
    chain = open_emergency(acme, emergency_request(acme, people=3))
    assert said(chain, away("alice", acme=acme)) == (
        "engineering rests on erin: nobody else is left who could",
    )
    assert said(chain, away("alice", "carol", acme=acme)) == (
        (
            "the emergency needs 3 people, but only dan and erin can join; "
            f"alice is away until {AWAY_UNTIL}; carol is away until {AWAY_UNTIL}"
        ),
    )


def over() -> Chain:
    return extend(waiting(), Expire(), at=NOW + DAY)[0]


def vetoable() -> Chain:
    chain = open_emergency()
    for signer in ("alice", "carol"):
        chain, _ = extend(chain, joins(chain, signer), at=NOW)
    return chain


@pytest.mark.parametrize("chain", [over, vetoable])
def test_what_waits_for_nobody_has_no_forecast(chain: Callable[[], Chain]) -> None:
    assert forecast(chain().ceremony, away("alice", "bob", "erin"), at=NOW + MINUTE) == Forecast()
