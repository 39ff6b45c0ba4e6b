# SPDX-License-Identifier: Apache-2.0
"""Whatever a new policy permits that the old one refused, something in what differs is marked for it.

Random policies over a few people, judged by an oracle that plays every release that these people could ask
for, approve and reject.  The oracle knows nothing of what differs; it only asks both policies.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, combinations, product
from random import Random

from quorumseal.ceremony.emergency import BreakGlass, floor_met
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.policy import Policy, Role, Rule, SignerKind
from quorumseal.ceremony.policy_differences import differences
from quorumseal.ceremony.quorum import Need, Threshold, quorum_met, seat
from tests.burning import BREAK_GLASS
from tests.organisation import Organisation

PEOPLE = ("alice", "bob", "carol", "dan")
ROLES = ("engineering", "security", "release")
CHECKS = ("artifacts",)
ACME = Organisation(
    roles=dict.fromkeys(ROLES, PEOPLE), quorum={"engineering": 1, "security": 1}, requesters=frozenset(ROLES)
).build_policy()


def some(random: Random, names: tuple[str, ...], least: int = 0) -> frozenset[str]:
    return frozenset(random.sample(names, random.randint(least, len(names))))


def quorum(random: Random) -> tuple[Threshold, ...]:
    return tuple(Threshold(role=role, count=random.randint(1, 2)) for role in sorted(some(random, ROLES, 1)))


def any_rule(random: Random) -> Rule:
    needs = quorum(random)
    emergency = replace(BREAK_GLASS, quorum=quorum(random), checks=some(random, CHECKS))
    return replace(
        ACME.rules["standard"],
        quorum=needs,
        requesters=some(random, ROLES, 1),
        veto=some(random, tuple(threshold.role for threshold in needs)),
        checks=some(random, CHECKS),
        emergency=random.choice([None, emergency]),
    )


def any_roles(random: Random) -> dict[str, Role]:
    return {
        name: Role(name=name, members=some(random, PEOPLE, 1), guardian=random.random() < 0.6)
        for name in ROLES
    }


def any_policy(random: Random) -> Policy:
    """Return a policy that can be built."""
    while True:
        kinds = {person: random.choice([SignerKind.PERSON] * 4 + [SignerKind.MACHINE]) for person in PEOPLE}
        try:
            return replace(
                ACME,
                roles=any_roles(random),
                rules={"standard": any_rule(random)},
                signers={name: replace(ACME.signers[name], kind=kinds[name]) for name in PEOPLE},
            )
        except CeremonyError:
            continue


def near(random: Random, policy: Policy) -> Policy:
    """Return a policy that differs in one or two places, or hardly at all."""
    for _ in range(random.randint(1, 2)):
        other = any_policy(random)
        rule, another = policy.rules["standard"], other.rules["standard"]
        names = ("quorum", "requesters", "veto", "checks", "emergency")
        field = random.choice(names)
        role = random.choice(ROLES)
        person = random.choice(PEOPLE)
        changes: list[Callable[[], Policy]] = [
            lambda: replace(policy, rules={"standard": replace(rule, **{field: getattr(another, field)})}),  # noqa: B023 - called at once
            lambda: replace(policy, roles={**policy.roles, role: other.roles[role]}),  # noqa: B023
            lambda: replace(policy, signers={**policy.signers, person: other.signers[person]}),  # noqa: B023
        ]
        try:
            policy = random.choice(changes)()
        except CeremonyError:
            continue
    return policy


def subsets(people: tuple[str, ...]) -> Iterator[frozenset[str]]:
    sizes = range(len(people) + 1)
    yield from map(frozenset, chain.from_iterable(combinations(people, size) for size in sizes))


def everybody(needs: tuple[Need, ...], approving: frozenset[str]) -> dict[str, frozenset[str]]:
    return {who: frozenset(need.role for need in needs if who in need.members) for who in approving}


def released(policy: Policy) -> set[tuple[object, ...]]:
    """Return every course by which something is released: who asks, approves, rejects, with which checks."""
    rule = policy.rules["standard"]
    vetoing = frozenset[str]().union(*(policy.roles[role].members for role in rule.veto))
    anybody = frozenset[str]().union(*(role.members for role in policy.roles.values()))
    found: set[tuple[object, ...]] = set()
    for asking, approving in product(PEOPLE, subsets(PEOPLE)):
        if not policy.may_request(asking, rule):
            continue
        needs = policy.needs(rule.quorum, excluded={asking})
        if quorum_met(needs, everybody(needs, approving)):
            found |= {("regular", asking, approving, *how) for how in unopposed(vetoing, rule.checks)}
        if rule.emergency and burns(policy, rule.emergency, asking, approving):
            found |= {("glass", asking, approving, *how) for how in unopposed(anybody, rule.emergency.checks)}
    return found


def unopposed(stoppers: frozenset[str], checks: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield who may reject without ending it, nobody included, with each set of checks that is enough."""
    for rejecting, passed in product(("", *PEOPLE), subsets(CHECKS)):
        if rejecting not in stoppers and checks <= passed:
            yield rejecting, passed


def burns(policy: Policy, emergency: BreakGlass, asking: str, approving: frozenset[str]) -> bool:
    needs = policy.needs(emergency.quorum, excluded={asking} | policy.machines)
    consents = everybody(needs, approving)
    return quorum_met(needs, consents) and floor_met(seat(needs, consents), policy.guardians)


def test_what_only_the_new_policy_releases_is_always_marked(count: Callable[..., int]) -> None:
    random, weaker, quiet = Random(4), 0, 0
    for _ in range(count(150, deep=5000)):
        old = any_policy(random)
        new = near(random, old)
        found = differences(old, new)
        more = released(new) - released(old)
        if more:
            weaker += 1
            assert any(difference.weakens for difference in found), (min(map(str, more)), found)
        quiet += not any(difference.weakens for difference in found)
    assert weaker > 20
    assert quiet > 20, "a mark on everything would be none"
