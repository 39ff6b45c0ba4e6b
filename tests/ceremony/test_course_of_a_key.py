# SPDX-License-Identifier: Apache-2.0
"""Every order in which one key may sign, be logged, be revoked and expire, and its ceremony conclude.

The oracle below says what must come of each order, by comparing five instants; it knows no rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations, product

import pytest

from quorumseal.ceremony.chain import Chain, extend, replay_chain
from quorumseal.ceremony.commands import Record, Revoke
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.revoking import read_revoked
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from tests.burning import HOUR
from tests.losing import LOSING, by_guardian, by_owner
from tests.organisation import NOW, Organisation, changed, told_by_clock

EVENTS = ("issue", "log", "revoke", "expire", "conclude")
ORDERS = tuple(permutations(EVENTS))
MAKERS = ("own key", "two guardians")
SINCE = ("now", "the beginning")
PROVED = (False, True)


@dataclass(frozen=True)
class Case:
    """One order of the five events, and how the key was revoked."""

    order: tuple[str, ...]
    maker: str
    since: str
    proved: bool

    def at(self, event: str) -> datetime:
        """When an event happens: an hour after the one before."""
        return NOW + HOUR * (1 + self.order.index(event))

    @property
    def revoked_since(self) -> datetime:
        return self.at("revoke") if self.since == "now" else NOW

    @property
    def proved_at(self) -> datetime | None:
        """An authority's time over the signature, at its making."""
        return self.at("issue") if self.proved else None


def cases() -> Iterator[Case]:
    for order, maker, since, proved in product(ORDERS, MAKERS, SINCE, PROVED):
        yield Case(order, maker, since, proved)


@dataclass(frozen=True)
class Answer:
    """Whether the decision was taken, whether it stands at the end, and what became of the ceremony."""

    taken: bool
    stands: bool
    approved: bool


def oracle(case: Case) -> Answer:
    """Say what must come of it, by the instants alone."""
    issue, log, revoke, expire = (case.at(event) for event in ("issue", "log", "revoke", "expire"))
    proved = case.proved_at or log
    taken = issue < log < expire
    if taken and revoke < log:  # the key was revoked when the decision came
        taken = case.proved_at is not None and proved < case.revoked_since
    falls = taken and log < revoke and proved >= case.revoked_since
    in_time = revoke < max(log, case.at("conclude"))  # afterwards the ceremony is over
    approved = taken and not (falls and in_time)
    return Answer(taken=taken, stands=taken and not (falls and in_time), approved=approved)


def organisation(case: Case) -> Organisation:
    """Return one whose release needs alice and bob, and in which alice's usual key expires."""
    return _expiring(case.order.index("expire"))


def _expiring(place: int) -> Organisation:
    return ORGANISATIONS.setdefault(
        place,
        changed(
            LOSING,
            quorum={"engineering": 1, "security": 1},
            roles={
                "engineering": ("alice", "erin"),
                "security": ("bob", "carol", "dan"),
                "managers": ("mallory",),
            },
            valid_until={"alice": NOW + HOUR * (1 + place)},
            machines=frozenset(),
            deputies={},
            emergency=None,
            spare=frozenset({"alice"}),
        ),
    )


ORGANISATIONS: dict[int, Organisation] = {}


def revocation(case: Case, acme: Organisation) -> list[Envelope]:
    since, at = case.revoked_since, case.at("revoke")
    if case.maker == "own key":
        return [by_owner("alice", acme=acme, since=since, at=at).envelope]
    return [by_guardian(who, "alice", acme=acme, since=since, at=at).envelope for who in ("bob", "dan")]


def happened(case: Case) -> tuple[Answer, Chain]:
    """Run the order through the rules, and see that whoever replays it comes to the same."""
    acme = organisation(case)
    chain, entries = acme.run(request=acme.sign_request())
    taken = False
    for event in case.order:
        at = case.at(event)
        try:
            match event:
                case "log":
                    decision = acme.decision("alice", chain.ceremony.request, at=case.at("issue"))
                    chain, more = extend(
                        chain, Record(acme.sign(decision), told_by_clock(case.proved_at)), at=at
                    )
                    taken = True
                case "revoke":
                    effective = read_revoked(revocation(case, acme), [acme.policy], closed=True)
                    chain, more = extend(chain, Revoke(effective), at=at)
                case "conclude":
                    chain, more = extend(
                        chain, Record(acme.sign(acme.decision("bob", chain.ceremony.request, at=at))), at=at
                    )
                case _:
                    continue
        except Refusal:
            continue
        entries += more
    if not case.proved:  # what proves an earlier time is no part of these entries
        assert replay_chain([entry.payload for entry in entries], acme.policy) == chain
    stands = "alice" in chain.ceremony.decisions
    return Answer(taken=taken, stands=stands, approved=chain.ceremony.state is State.APPROVED), chain


@pytest.mark.exhaustive
@pytest.mark.parametrize("proved", PROVED, ids=["by the log's time", "by an authority's time"])
def test_every_order_comes_to_what_the_instants_say(proved: bool) -> None:
    seen = set()
    for case in cases():
        if case.proved == proved:
            answer, _ = happened(case)
            assert answer == oracle(case), case
            seen.add(answer)
    assert len(seen) == 3, "all that can come of it came"


def test_there_are_as_many_orders_as_the_five_events_have() -> None:
    assert len(set(ORDERS)) == 120
