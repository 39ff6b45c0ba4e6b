# SPDX-License-Identifier: Apache-2.0
"""What lint says of a policy's quorums, against every set of absent people and every way to sit down.

The oracle shares nothing with the rules but the policy: it tries every assignment of people to seats.
"""

import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import chain, combinations
from random import Random
from types import FrameType

import pytest

from quorumseal.ceremony.absence_effects import effects_of
from quorumseal.ceremony.errors import UnknownSignerError
from quorumseal.ceremony.linting import Level, lint
from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import Need, Threshold
from quorumseal.ceremony.quorum_standings import GOVERNANCE, every_quorum, standings
from quorumseal.ceremony.resilience import smallest_sets
from tests.burning import BREAK_GLASS
from tests.ceremony.test_policies_that_weaken import PEOPLE, any_policy
from tests.organisation import NOW, Organisation


def can_sit(seats: list[frozenset[str]], people: frozenset[str]) -> bool:
    """Try everybody for the first seat, and go on with the others."""
    if not seats:
        return True
    return any(can_sit(seats[1:], people - {who}) for who in seats[0] & people)


def met(needs: Collection[Need], people: Collection[str]) -> bool:
    return can_sit([need.members for need in needs for _ in range(need.threshold)], frozenset(people))


def subsets(people: Collection[str]) -> Iterator[frozenset[str]]:
    sizes = range(len(people) + 1)
    yield from map(frozenset, chain.from_iterable(combinations(sorted(people), size) for size in sizes))


def who_asks(policy: Policy, rule: Rule, absent: frozenset[str]) -> list[frozenset[str]]:
    found = []
    for member in PEOPLE:
        if member in absent or not any(member in policy.roles[role].members for role in rule.requesters):
            continue
        machine = member in policy.machines
        behind = [p for p in PEOPLE if p not in policy.machines and p not in absent] if machine else [member]
        found += [frozenset({member, each}) for each in behind]
    return found


def quorums(
    policy: Policy, absent: frozenset[str]
) -> Iterator[tuple[str, tuple[Need, ...], list[frozenset[str]]]]:
    """Yield each quorum, its needs when everybody is there, and who can ask for it."""
    for rule in policy.rules.values():
        asking = who_asks(policy, rule, absent)
        yield rule.name, policy.needs(rule.quorum), asking
        if rule.emergency is not None:
            needs = policy.needs(rule.emergency.quorum, excluded=policy.machines)
            yield f"{rule.name}, break-glass", needs, asking
    yield GOVERNANCE, policy.needs(policy.governance), [frozenset()]


def spare_by_trying(needs: tuple[Need, ...], there: frozenset[str]) -> int:
    """Return how many of those who are there may be away, whoever they are; -1 where it is not met at all."""
    for count in range(len(there) + 1):
        if not all(met(needs, there - gone) for gone in subsets(there) if len(gone) == count):
            return count - 1
    return len(there)


def check(policy: Policy) -> int:
    """Compare everything, and return how many answers were compared."""
    everybody, compared = frozenset(PEOPLE), 0
    said = {standing.name: standing for standing in standings(policy)}
    problems = [f.where for f in lint(policy, at=NOW) if f.level is Level.PROBLEM]
    for name, needs, asking in quorums(policy, frozenset()):
        standing = said[name]
        each = {askers: spare_by_trying(needs, everybody - askers) for askers in asking}
        assert standing.askers in each
        assert standing.bears.reachable == (each[standing.askers] >= 0)
        assert standing.bears.spare == max(0, each[standing.askers])
        assert standing.bears.spare == max(0, min(each.values())), "another asker leaves less"
        assert standing.bears.bus_factor == min(each.values()) + 1
        there = everybody - standing.askers
        alone = {p for p in there if met(needs, there) and not met(needs, there - {p})}
        assert standing.bears.indispensable == alone
        where = name if name == GOVERNANCE else f"rule {name}"
        assert (where in problems) == (min(each.values()) < 0)
        just_enough = [
            s for s in subsets(everybody) if met(needs, s) and not any(met(needs, s - {p}) for p in s)
        ]
        assert sorted(map(sorted, smallest_sets(needs, most=999)[0])) == sorted(map(sorted, just_enough))
        compared += 1
    return compared + sum(check_without(policy, absent) for absent in subsets(everybody) if absent)


def check_without(policy: Policy, absent: frozenset[str]) -> int:
    effects = {effect.name: effect.met_by for effect in effects_of(policy, absent)}
    for name, needs, asking in quorums(policy, absent):
        answered = [met(needs, frozenset(PEOPLE) - absent - askers) for askers in asking]
        expected = "everybody" if answered and all(answered) else "some" if any(answered) else "nobody"
        assert effects[name] == expected, (name, sorted(absent))
    return len(effects)


def test_lint_says_of_small_policies_what_trying_everything_says(count: Callable[..., int]) -> None:
    random, compared = Random(50), 0
    for _ in range(count(40, deep=3000)):
        compared += check(any_policy(random))
    assert compared > 1000


def large(people: int = 50, roles: int = 8) -> Policy:
    """Return the policy of a large organisation, of which machines ask on behalf of anybody."""
    random, names = Random(1), [f"person{number:02}" for number in range(people)]
    members = {f"role{n}": tuple(sorted(random.sample(names, random.randint(8, 20)))) for n in range(roles)}
    placed = {name for each in members.values() for name in each}
    members["role0"] += tuple(name for name in names if name not in placed)
    needs = (Threshold(role="role0", count=1), Threshold(role="role1", count=2))
    return Organisation(
        roles={**members, "managers": (*names[:10], "ci", "cd")},
        quorum={role: random.randint(1, 3) for role in members},
        requesters=frozenset({"managers"}),
        machines=frozenset({"ci", "cd"}),
        guardians=frozenset({"role0"}),
        emergency=replace(BREAK_GLASS, quorum=needs),
        p256=frozenset(),
    ).build_policy()


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls that some work makes: unlike seconds, they are the same on every machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def everything_about(policy: Policy) -> None:
    lint(policy, at=NOW)
    for standing in standings(policy):
        smallest_sets(standing.needs, most=100)
    effects_of(policy, {"person00"})


def test_fifty_people_and_eight_roles_are_looked_at_with_bounded_work() -> None:
    """A second is enough for far more calls than these; docs/measurements.md has the seconds."""
    policy = large()
    askers = max(len(asked.askers) for asked in every_quorum(policy))
    assert askers == 10 + 2 * 50, "each machine asks on behalf of each person"
    assert calls_of(lambda: everything_about(policy)) < 200_000


def test_a_quorum_without_anybody_to_ask_is_said_to_be_stopped() -> None:
    managers = {f"person{number:02}" for number in range(10)} | {"ci", "cd"}
    effects = effects_of(large(), managers)
    assert effects[0].says == "nobody is left who may ask"
    assert [effect.met_by for effect in effects[:2]] == ["nobody", "nobody"]


def test_nobody_is_away_who_is_not_on_the_roster() -> None:
    with pytest.raises(UnknownSignerError):
        effects_of(large(), {"somebody"})
