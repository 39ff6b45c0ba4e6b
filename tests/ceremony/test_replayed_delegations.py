# SPDX-License-Identifier: Apache-2.0
"""A delegation counts once, in its order, under a key that is valid: replayed, it gives nobody a seat."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Begin, Command, End, Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import Choice, Delegation, StandingAct
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, HOUR, MINUTE, delegation, joins, withdrawal
from tests.forging import relinked, verdict
from tests.organisation import NOW, Organisation, changed

GIVEN = BURNING.sign(delegation("alice", "engineering", "frank"))
TAKEN = BURNING.sign(withdrawal("alice", "engineering"))
AGAIN = BURNING.sign(delegation("alice", "engineering", "carol", number=3))


def opened(*delegations: Signed[Delegation], acme: Organisation = BURNING) -> tuple[Chain, Entry]:
    return open_chain(acme.policy, acme.sign_request(), at=NOW, delegations=delegations)


def comes_to(*commands: Command, at: datetime = NOW + MINUTE) -> str:
    """Return the types of the entries that commands make in a ceremony, or the code of a refusal."""
    chain, types = opened()[0], []
    for command in commands:
        try:
            chain, entries = extend(chain, command, at=at)
        except Refusal as refusal:
            return refusal.code
        types += [str(entry.type) for entry in entries]
    return " ".join(types)


COURSES: dict[str, tuple[Sequence[Command], str]] = {
    "given and taken back": ([Begin(GIVEN), End(TAKEN)], "delegated withdrawn"),
    "given anew": ([Begin(GIVEN), End(TAKEN), Begin(AGAIN)], "delegated withdrawn delegated"),
    "to another deputy at once": ([Begin(GIVEN), Begin(AGAIN)], "delegated delegated"),
    "the same again": ([Begin(GIVEN), Begin(GIVEN)], "delegated"),
    "the first again after it was taken back": ([Begin(GIVEN), End(TAKEN), Begin(GIVEN)], "standing.number"),
    "an earlier one after a later": ([Begin(AGAIN), Begin(GIVEN)], "standing.number"),
    "an earlier withdrawal after a later delegation": ([Begin(AGAIN), End(TAKEN)], "standing.number"),
    "taken back twice": ([Begin(GIVEN), End(TAKEN), End(TAKEN)], "delegation.missing"),
    "an absence that is over is no part of it": (
        [Begin(GIVEN), End(BURNING.sign(withdrawal("alice", None, number=3)))],
        "delegation.missing",
    ),
    "taken back and never given": ([End(TAKEN)], "delegation.missing"),
}


@pytest.mark.parametrize(("commands", "outcome"), COURSES.values(), ids=COURSES)
def test_delegations_and_withdrawals_follow_each_other_by_number(
    commands: Sequence[Command], outcome: str
) -> None:
    assert comes_to(*commands) == outcome


def test_a_log_that_gives_back_what_was_taken_is_refused_when_it_is_read() -> None:
    chain, opening = opened()
    entries = [opening]
    for command in (Begin(GIVEN), End(TAKEN)):
        chain, more = extend(chain, command, at=NOW)
        entries += more
    forged = relinked([*entries, entries[1]])
    assert verdict(lambda: replay_chain([e.payload for e in forged], BURNING.policy)) == "standing.number"


OPENINGS: dict[str, tuple[list[Signed[Delegation]], str]] = {
    "live ones": ([GIVEN, BURNING.sign(delegation("carol", "security", "frank"))], "accepted"),
    "two of one role by one member": ([GIVEN, AGAIN], "standing.number"),
    "one twice": ([GIVEN, GIVEN], "standing.number"),
    "one that is over": (
        [BURNING.sign(delegation("alice", "engineering", "frank", since=NOW - DAY, until=NOW))],
        "standing.time",
    ),
    **{
        what: ([BURNING.sign(delegation("alice", role, deputy))], "delegation.deputy")
        for what, role, deputy in (
            ("to somebody who is not listed", "engineering", "dan"),
            ("to oneself", "engineering", "alice"),
            ("of a role that is not held", "security", "frank"),
            ("to whoever asked", "engineering", "mallory"),
        )
    },
}


@pytest.mark.parametrize(("delegations", "outcome"), OPENINGS.values(), ids=OPENINGS)
def test_an_opening_holds_delegations_that_are_live_and_nothing_else(
    delegations: list[Signed[Delegation]], outcome: str
) -> None:
    assert verdict(lambda: opened(*delegations)) == outcome


def sleepy(hours: int) -> tuple[Organisation, Signed[Delegation], Signed[StandingAct]]:
    """Return an organisation where alice's key runs out, with a delegation and a withdrawal by it."""
    acme = changed(BURNING, valid_until={"alice": NOW + HOUR * hours})
    given = acme.sign(delegation("alice", "engineering", "frank", acme=acme))
    return acme, given, acme.sign(withdrawal("alice", "engineering", acme=acme))


@pytest.mark.parametrize(("hours", "outcome"), [(2, "accepted"), (1, "key.not_valid")])
def test_a_delegation_counts_under_a_key_that_is_valid_when_it_is_logged(hours: int, outcome: str) -> None:
    acme, given, _ = sleepy(hours)
    chain, _ = opened(acme=acme)
    assert verdict(lambda: extend(chain, Begin(given), at=NOW + HOUR)) == outcome
    standing = Standing(delegations={("alice", "engineering"): given})
    assert standing.live(at=NOW + HOUR) == ((given,) if outcome == "accepted" else ())


def test_so_does_a_withdrawal() -> None:
    acme, given, _ = sleepy(1)
    chain, _ = opened(given, acme=acme)
    taken = acme.sign(withdrawal("alice", "engineering", acme=acme))
    assert verdict(lambda: extend(chain, End(taken), at=NOW + HOUR)) == "key.not_valid"
    assert verdict(lambda: extend(chain, End(taken), at=NOW + MINUTE)) == "accepted"


def test_neither_is_signed_ahead_of_its_time() -> None:
    early = replace(
        delegation("alice", "engineering", "frank"), context=BURNING.context("alice", at=NOW + HOUR)
    )
    assert comes_to(Begin(BURNING.sign(early))) == "decision.signed_in_future"
    taken = replace(withdrawal("alice", "engineering"), context=BURNING.context("alice", at=NOW + HOUR))
    assert comes_to(Begin(GIVEN), End(BURNING.sign(taken))) == "decision.signed_in_future"


def by_deputy(chain: Chain, choice: Choice, *, at: datetime = NOW, replaces: str | None = None) -> Record:
    request = chain.ceremony.request
    decision = BURNING.decision("frank", request, choice, at=at, roles=("engineering",), replaces=replaces)
    return Record(BURNING.sign_decision(replace(decision, delegation=GIVEN.digest)))


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_deputy_who_steps_back_gives_the_member_back(withdrawn: bool) -> None:
    chain, _ = opened(GIVEN)
    chain, _ = extend(chain, by_deputy(chain, Choice.APPROVAL), at=NOW)
    if withdrawn:
        chain, _ = extend(chain, End(TAKEN), at=NOW)
    own = joins(chain, "alice", at=NOW + MINUTE)
    assert verdict(lambda: extend(chain, own, at=NOW + MINUTE)) == "decision.used_up"
    standing = chain.ceremony.decisions["frank"].digest
    back = by_deputy(chain, Choice.ABSTENTION, at=NOW + MINUTE, replaces=standing)
    chain, _ = extend(chain, back, at=NOW + MINUTE)
    chain, _ = extend(chain, own, at=NOW + MINUTE)
    assert dict(chain.ceremony.seats(at=NOW + MINUTE))["engineering"] == ("alice",)


def test_a_late_decision_needs_its_delegation_too() -> None:
    chain, _ = opened()
    late = by_deputy(chain, Choice.APPROVAL)
    assert verdict(lambda: extend(chain, late, at=NOW + DAY)) == "decision.delegation"
    with_it, _ = opened(BURNING.sign(delegation("alice", "engineering", "frank", until=NOW + DAY * 2)))
    named = next(iter(with_it.ceremony.delegations.values())).digest
    decision = BURNING.decision("frank", with_it.ceremony.request, roles=("engineering",))
    entries = extend(
        with_it, Record(BURNING.sign_decision(replace(decision, delegation=named))), at=NOW + DAY
    )[1]
    assert [entry.type for entry in entries] == ["expired", "late"]


@pytest.mark.parametrize(
    ("between", "refused"), [(timedelta(), False), (DAY - MINUTE, False), (DAY, True), (DAY * 9, True)]
)
def test_what_stands_is_live_until_its_end(between: timedelta, refused: bool) -> None:
    standing = stand(Standing(), GIVEN, BURNING.policy.policy, at=NOW)
    assert bool(standing.live(at=NOW + between)) is not refused
    with pytest.raises(errors.StandingOrderError):
        stand(
            standing, BURNING.sign(delegation("alice", "engineering", "carol")), BURNING.policy.policy, at=NOW
        )
