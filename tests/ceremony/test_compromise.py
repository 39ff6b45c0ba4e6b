# SPDX-License-Identifier: Apache-2.0
"""What is left of a concluded ceremony without a key: by a table, and against every way to seat people."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations, product

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.compromise import Compromise, proved_times, remainder
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, MINUTE, delegation, emergency_request, joins, run_emergency
from tests.forging import payloads
from tests.organisation import NOW, Organisation, changed


def key_id(signer: str, acme: Organisation = BURNING) -> str:
    return acme.key(signer).public.key_id


def left(
    chain: Chain, entries: Collection[Entry], signer: str, since: datetime | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who falls and what is missing without the key of somebody."""
    without = remainder(
        chain.ceremony, [Compromise(key=key_id(signer), since=since)], proved_times(payloads(entries))
    )
    return without.fallen, without.missing


# engineering 2 (alice, bob, erin), security 1 (bob, carol, dan), release 1 (rita, dan), a minute apart
SPARE = BURNING.run("alice", "bob", "carol", "rita")
Row = tuple[str, str, timedelta | None, tuple[str, ...], tuple[str, ...]]
TABLE: list[Row] = [
    (
        "a key that all rests on",
        "alice",
        None,
        ("alice",),
        ("engineering needs one more: alice or erin",),
    ),
    ("since exactly then", "alice", MINUTE, ("alice",), ("engineering needs one more: alice or erin",)),
    ("since just after", "alice", MINUTE + timedelta(milliseconds=1), (), ()),
    ("since the end", "rita", MINUTE * 5, (), ()),
    ("somebody of two roles", "bob", None, ("bob",), ("engineering needs one more: bob or erin",)),
    ("the last one", "rita", MINUTE * 4, ("rita",), ("release needs one more: dan or rita",)),
    ("somebody who did not decide", "erin", None, (), ()),
    ("the requester", "mallory", None, (), ()),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_release_without_a_key(row: Row) -> None:
    _, signer, after, fallen, missing = row
    since = None if after is None else NOW + after
    assert left(*SPARE, signer, since) == (fallen, missing)


def test_a_release_with_an_approval_more_than_it_needs_stands_without_it() -> None:
    chain, entries = BURNING.run("alice", "bob", "erin", "carol", "rita")
    for spare in ("alice", "bob", "erin", "carol"):
        assert left(chain, entries, spare) == ((spare,), ()), "bob sits where he is needed"
    both = [Compromise(key=key_id(signer)) for signer in ("alice", "carol")]
    without = remainder(chain.ceremony, both, proved_times(payloads(entries)))
    assert without.fallen == ("alice", "carol")
    assert len(without.missing) == 1


def test_a_decision_that_the_log_does_not_show_is_proved_by_nothing() -> None:
    chain, _ = SPARE
    without = remainder(chain.ceremony, [Compromise(key=key_id("alice"), since=NOW + DAY)], {})
    assert without.fallen == ("alice",)


def test_who_sits_where_without_it_is_said() -> None:
    chain, entries = SPARE
    without = remainder(chain.ceremony, [Compromise(key=key_id("carol"))], proved_times(payloads(entries)))
    assert without.missing == (
        "security needs one more: carol, dan or erin; bob already counts for engineering",
    )
    assert without.seats == {"engineering": ("alice", "bob"), "security": (), "release": ("rita",)}


# Deputies: the delegation, too, is signed by a key


def delegated() -> tuple[Chain, list[Entry]]:
    given = BURNING.sign(delegation("alice", "engineering", "frank"))
    chain, opening = open_chain(BURNING.policy, BURNING.sign_request(), at=NOW, delegations=(given,))
    entries = [opening]
    for minute, signer in enumerate(("frank", "bob", "carol", "rita"), start=1):
        at = NOW + MINUTE * minute
        record = joins(chain, signer, at=at, roles=("engineering",) if signer == "frank" else None)
        if signer == "frank":
            decision = replace(record.decision.statement, delegation=given.digest)
            record = replace(record, decision=BURNING.sign_decision(decision))
        chain, more = extend(chain, record, at=at)
        entries += more
    return chain, entries


def test_a_deputy_falls_with_the_key_of_whom_they_stood_in_for() -> None:
    chain, entries = delegated()
    assert chain.ceremony.state is State.APPROVED
    short = "engineering needs one more: alice or erin"
    assert left(chain, entries, "frank") == (("frank",), (short,))
    assert left(chain, entries, "alice") == (("frank",), (short,))
    assert left(chain, entries, "alice", NOW + MINUTE) == ((), ()), "the log had the delegation before"
    assert left(chain, entries, "alice", NOW) == (("frank",), (short,))


# Emergencies: so many people, and of a guardian's role


def test_an_emergency_needs_its_people_without_the_key_too() -> None:
    chain, entries = run_emergency("alice", "carol", "bob")
    assert chain.ceremony.state is State.PROVISIONAL
    assert left(chain, entries, "bob") == (("bob",), ())
    assert left(chain, entries, "carol") == (("carol",), ()), "bob sits in security then"
    three, entries = run_emergency("alice", "carol", "bob", request=emergency_request(people=3))
    assert left(three, entries, "bob") == (("bob",), ("the emergency needs more people than are left",))


# Against every way to seat people


def seated(needs: Mapping[str, int], members: Mapping[str, Collection[str]], people: Collection[str]) -> bool:
    """Whether distinct people fill every seat, found by trying each order of them."""
    seats = [role for role, count in needs.items() for _ in range(count)]
    return any(
        all(person in members[role] for person, role in zip(order, seats, strict=True))
        for order in permutations(sorted(people), len(seats))
    )


@pytest.mark.parametrize(
    "needs", [{"engineering": 1, "security": 1}, {"engineering": 2, "security": 1}], ids=str
)
def test_what_is_left_is_what_trying_everything_finds(needs: dict[str, int]) -> None:
    acme = changed(BURNING, quorum=needs)
    people, judged = ("alice", "bob", "carol", "dan"), 0
    orders = [order for size in (2, 3, 4) for order in permutations(people, size)]
    for order in orders:
        try:
            chain, entries = acme.run(*order)
        except Refusal:  # it had ended before the last of them
            continue
        if chain.ceremony.state is not State.APPROVED:
            continue
        times = {signer: NOW + MINUTE * minute for minute, signer in enumerate(order, start=1)}
        proved = proved_times(payloads(entries))
        for gone, since in product([*people, "erin"], (None, *times.values())):
            without = remainder(chain.ceremony, [Compromise(key=key_id(gone), since=since)], proved)
            falls = gone in order and (since is None or times[gone] >= since)
            assert without.fallen == ((gone,) if falls else ())
            still = [signer for signer in order if not (falls and signer == gone)]
            assert (without.missing == ()) is seated(needs, acme.roles, still), (order, gone, since)
            judged += 1
    assert judged > 200
