# SPDX-License-Identifier: Apache-2.0
"""What a quorum can bear, against every set of absent people and every set of approving ones."""

from collections.abc import Iterator
from itertools import chain, combinations, product

from quorumseal.ceremony.quorum import Need, fillable, quorum_met
from quorumseal.ceremony.resilience import Group, resilience, smallest_sets

PEOPLE = ("alice", "bob", "carol", "dan")
ROLES = ("engineering", "security")


def subsets(people: tuple[str, ...]) -> Iterator[frozenset[str]]:
    sizes = range(len(people) + 1)
    yield from map(frozenset, chain.from_iterable(combinations(people, size) for size in sizes))


def organisations() -> Iterator[tuple[Need, ...]]:
    """Every way to put four people into two roles, with thresholds of 1 and 2."""
    for members in product(subsets(PEOPLE), repeat=len(ROLES)):
        for thresholds in product((1, 2), repeat=len(ROLES)):
            yield tuple(
                Need(role=role, threshold=count, members=each)
                for role, count, each in zip(ROLES, thresholds, members, strict=True)
            )


def without(needs: tuple[Need, ...], absent: frozenset[str]) -> tuple[Need, ...]:
    return tuple(Need(role=n.role, threshold=n.threshold, members=n.members - absent) for n in needs)


def enough(needs: tuple[Need, ...], people: frozenset[str]) -> bool:
    roles = frozenset(need.role for need in needs)
    return quorum_met(needs, dict.fromkeys(people, roles))


def test_every_small_organisation_bears_what_it_is_said_to_bear() -> None:
    for needs in organisations():
        said = resilience(needs)
        assert said.reachable == fillable(needs)
        if not said.reachable:
            assert (said.indispensable, said.spare) == (frozenset(), 0)
            continue
        borne = [a for a in subsets(PEOPLE) if fillable(without(needs, a))]
        sizes = range(len(PEOPLE) + 1)
        always = [n for n in sizes if all(a in borne for a in subsets(PEOPLE) if len(a) <= n)]
        assert said.spare == min(max(always), len(said.tightest.people))
        assert said.indispensable == {p for p in PEOPLE if frozenset({p}) not in borne}


def test_the_smallest_sets_are_all_sets_that_are_just_enough() -> None:
    for needs in organisations():
        found, complete = smallest_sets(needs, most=1000)
        assert complete
        everything = [s for s in subsets(PEOPLE) if enough(needs, s)]
        least = [s for s in everything if not any(other < s for other in everything)]
        assert sorted(map(sorted, found)) == sorted(map(sorted, least))
        assert len(set(found)) == len(found)


def test_absent_people_are_left_out() -> None:
    needs = (Need(role="engineering", threshold=1, members=frozenset({"alice", "bob"})),)
    assert resilience(needs).spare == 1
    assert resilience(needs, absent={"bob"}).indispensable == {"alice"}
    nobody = resilience(needs, absent={"alice", "bob"})
    assert nobody.tightest == Group(roles=("engineering",), people=frozenset(), seats=1)
    assert not nobody.reachable


def test_the_smallest_tight_group_is_the_reason() -> None:
    needs = (
        Need(role="engineering", threshold=1, members=frozenset({"alice", "bob", "carol"})),
        Need(role="security", threshold=1, members=frozenset({"dan"})),
    )
    assert resilience(needs).tightest.roles == ("security",)
    assert resilience(needs).indispensable == {"dan"}


def test_no_more_sets_are_listed_than_asked_for() -> None:
    needs = (Need(role="engineering", threshold=2, members=frozenset(PEOPLE)),)
    assert smallest_sets(needs, most=6) == (smallest_sets(needs, most=99)[0], True)
    assert [len(smallest_sets(needs, most=most)[0]) for most in (0, 1, 5)] == [0, 1, 5]
    assert not smallest_sets(needs, most=5)[1]
