# SPDX-License-Identifier: Apache-2.0
"""How each quorum of a policy stands: of every rule, of its emergencies, and of the policy itself.

Whoever asks never counts, a machine with the person behind it; a quorum stands as the one who leaves it the
least to spare leaves it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import Need
from quorumseal.ceremony.resilience import Group, Resilience, bears, groups_of, least_spare, tight_groups

GOVERNANCE = "governance"
Asking = frozenset[str]
"""Somebody who asks, with the person behind a machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A quorum, and everybody who could ask for it."""

    name: str
    where: str
    needs: tuple[Need, ...]
    askers: tuple[Asking, ...]
    """One that is empty where whoever asks counts all the same."""
    groups: tuple[Group, ...]

    @property
    def worst(self) -> Asking:
        """Who leaves it the least to spare, the first of several."""
        tight = self._tight
        return min(self.askers, key=lambda asking: least_spare(tight, asking))

    @property
    def unanswered(self) -> tuple[Asking, ...]:
        """Those who can never get an answer."""
        tight = self._tight
        return tuple(asking for asking in self.askers if least_spare(tight, asking) < 0)

    @property
    def _tight(self) -> tuple[Group, ...]:
        return tight_groups(self.groups, most=max(map(len, self.askers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one quorum of the policy can bear, asked for by whoever leaves it the least to spare."""

    name: str
    needs: tuple[Need, ...]
    askers: Asking
    """Who asks then, and so does not count."""
    bears: Resilience


def standings(policy: Policy) -> tuple[Standing, ...]:
    """Return how each quorum stands."""
    return tuple(
        Standing(
            name=asked.name, needs=asked.needs, askers=asked.worst, bears=bears(asked.groups, asked.worst)
        )
        for asked in every_quorum(policy)
    )


def every_quorum(policy: Policy, *, absent: Collection[str] = ()) -> tuple[Asked, ...]:
    """Return every quorum without some people, whether anybody is left to ask for it or not."""
    found = []
    for rule in policy.rules.values():
        asking = askers(policy, rule, absent=absent)
        found.append(
            _asked(rule.name, f"rule {rule.name}", policy.needs(rule.quorum, excluded=absent), asking)
        )
        if rule.emergency is not None:
            needs = policy.needs(rule.emergency.quorum, excluded=policy.machines.union(absent))
            found.append(_asked(f"{rule.name}, break-glass", f"rule {rule.name}, break-glass", needs, asking))
    needs = policy.needs(policy.governance, excluded=absent)
    found.append(_asked(GOVERNANCE, GOVERNANCE, needs, (frozenset(),)))
    return tuple(found)


def askers(policy: Policy, rule: Rule, *, absent: Collection[str] = ()) -> tuple[Asking, ...]:
    """Return everybody who may ask, each with the people behind a machine: they do not count together."""
    there = sorted(policy.signers.keys() - set(absent))
    people = [name for name in there if name not in policy.machines]
    members = {member for role in rule.requesters for member in policy.roles[role].members}
    return tuple(
        frozenset({member, behind})
        for member in there
        if member in members
        for behind in (people if member in policy.machines else [member])
    )


def _asked(name: str, where: str, needs: Sequence[Need], asking: tuple[Asking, ...]) -> Asked:
    return Asked(name=name, where=where, needs=tuple(needs), askers=asking, groups=groups_of(needs))
