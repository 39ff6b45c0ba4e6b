# SPDX-License-Identifier: Apache-2.0
"""What is left of a concluded ceremony without a key: by a table, and against every way to seat people."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations, product

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.compromise import compromised, judge_release, remainder
from quorumseal.ceremony.lifecycle import State
from quorumseal.refusal import Refusal
from tests.burning import BURNING, MINUTE, delegation, emergency_request, joins, run_emergency
from tests.organisation import NOW, Organisation, changed


def key_id(signer: str, acme: Organisation = BURNING) -> str:
    return acme.key(signer).public.key_id


def left(chain: Chain, signer: str, since: datetime | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who falls and what is missing without the key of somebody."""
    without = remainder(chain.ceremony, [compromised(key_id(signer), since)])
    assert without.falls_short is bool(without.missing)
    return without.fallen, without.missing


# engineering 2 (alice, bob, erin), security 1 (bob, carol, dan), release 1 (rita, dan), a minute apart
SPARE = BURNING.run("alice", "bob", "carol", "rita")[0]
Row = tuple[str, str, timedelta | None, tuple[str, ...], tuple[str, ...]]
TABLE: list[Row] = [
    (
        "a key that all rests on",
        "alice",
        None,
        ("alice",),
        ("engineering needs one more: erin",),
    ),
    ("since exactly then", "alice", MINUTE, ("alice",), ("engineering needs one more: erin",)),
    ("since just after", "alice", MINUTE + timedelta(milliseconds=1), (), ()),
    ("since the end", "rita", MINUTE * 5, (), ()),
    ("somebody of two roles", "bob", None, ("bob",), ("engineering needs one more: erin",)),
    ("the last one", "rita", MINUTE * 4, ("rita",), ("release needs one more: dan",)),
    ("somebody who did not decide", "erin", None, (), ()),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_release_without_a_key(row: Row) -> None:
    _, signer, after, fallen, missing = row
    since = None if after is None else NOW + after
    assert left(SPARE, signer, since) == (fallen, missing)


def test_a_release_with_an_approval_more_than_it_needs_stands_without_it() -> None:
    chain, _ = BURNING.run("alice", "bob", "erin", "carol", "rita")
    for spare in ("alice", "bob", "erin", "carol"):
        assert left(chain, spare) == ((spare,), ()), "bob sits where he is needed"
    without = remainder(chain.ceremony, [compromised(key_id(signer)) for signer in ("alice", "carol")])
    assert without.fallen == ("alice", "carol")
    assert len(without.missing) == 1


def test_what_the_key_asked_for_falls_whole() -> None:
    key = key_id("mallory")
    for since, falls in ((None, True), (NOW, True), (NOW + timedelta(milliseconds=1), False)):
        without = remainder(SPARE.ceremony, [compromised(key, since)])
        assert (without.request_fell, without.touched, without.falls_short) == (falls, falls, falls)
    assert remainder(SPARE.ceremony, [compromised(key)]).missing == (
        "mallory asked for it with that key, so nothing that followed counts",
    )
    assert not remainder(SPARE.ceremony, [compromised(key_id("erin"))]).touched


def test_who_sits_where_without_it_is_said() -> None:
    without = remainder(SPARE.ceremony, [compromised(key_id("carol"))])
    assert without.missing == ("security needs one more: dan or erin; bob already counts for engineering",)
    assert without.seats == {"engineering": ("alice", "bob"), "security": (), "release": ("rita",)}


# Deputies: the delegation, too, is signed by a key


def delegated() -> Chain:
    given = BURNING.sign(delegation("alice", "engineering", "frank"))
    chain, _ = open_chain(BURNING.policy, BURNING.sign_request(), at=NOW, delegations=(given,))
    for minute, signer in enumerate(("frank", "bob", "carol", "rita"), start=1):
        at = NOW + MINUTE * minute
        record = joins(chain, signer, at=at, roles=("engineering",) if signer == "frank" else None)
        if signer == "frank":
            decision = replace(record.decision.statement, delegation=given.digest)
            record = replace(record, decision=BURNING.sign_decision(decision))
        chain, _ = extend(chain, record, at=at)
    return chain


def test_a_deputy_falls_with_the_key_of_whom_they_stood_in_for() -> None:
    chain = delegated()
    assert chain.ceremony.state is State.APPROVED
    short = "engineering needs one more: erin"
    assert left(chain, "frank") == (("frank",), ("engineering needs one more: alice or erin",))
    assert left(chain, "alice") == (("frank",), (short,))
    assert left(chain, "alice", NOW + MINUTE) == (("frank",), (short,))
    assert left(chain, "alice", NOW + MINUTE * 2) == ((), ()), "the deputy had decided before"


# Emergencies: so many people, and of a guardian's role


def test_an_emergency_needs_its_people_without_the_key_too() -> None:
    chain, _ = run_emergency("alice", "carol", "bob")
    assert chain.ceremony.state is State.PROVISIONAL
    assert left(chain, "bob") == (("bob",), ())
    assert left(chain, "carol") == (("carol",), ()), "bob sits in security then"
    three, _ = run_emergency("alice", "carol", "bob", request=emergency_request(people=3))
    assert left(three, "bob") == (("bob",), ("the emergency needs more people than are left",))


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
            chain, _ = acme.run(*order)
        except Refusal:  # it had ended before the last of them
            continue
        if chain.ceremony.state is not State.APPROVED:
            continue
        times = {signer: NOW + MINUTE * minute for minute, signer in enumerate(order, start=1)}
        for gone, since in product([*people, "erin"], (None, *times.values())):
            without = remainder(chain.ceremony, [compromised(key_id(gone), since)])
            falls = gone in order and (since is None or times[gone] >= since)
            assert without.fallen == ((gone,) if falls else ())
            still = [signer for signer in order if not (falls and signer == gone)]
            assert (without.missing == ()) is seated(needs, acme.roles, still), (order, gone, since)
            judged += 1
    assert judged > 200


# A release and its re-approvals


AGAIN_BY_OTHERS = BURNING.run(
    "bob", "erin", "carol", "dan", request=BURNING.sign_request(BURNING.request(number=2))
)[0]
RELEASES: list[tuple[str, tuple[str, ...], bool, int | None]] = [
    ("without a key of neither", ("frank",), False, 1),
    ("without one of the first alone", ("alice",), True, 1),
    ("without one of the second alone", ("erin",), True, 0),
    ("without one of each", ("alice", "erin"), True, None),
    ("without one of both", ("carol",), True, None),
]


@pytest.mark.parametrize("row", RELEASES, ids=[row[0] for row in RELEASES])
def test_a_release_stands_by_the_newest_quorum_that_does(
    row: tuple[str, tuple[str, ...], bool, int | None],
) -> None:
    _, keys, touched, by = row
    ceremonies = [SPARE.ceremony, AGAIN_BY_OTHERS.ceremony]
    judged = judge_release(ceremonies, [compromised(key_id(signer)) for signer in keys])
    assert judged.touched is touched
    assert (judged.stands_by and judged.stands_by[0]) == (None if by is None else ceremonies[by])
    assert bool(judged.missing) is (by is None)
