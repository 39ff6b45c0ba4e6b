# SPDX-License-Identifier: Apache-2.0
"""Count people against the roles of a rule.  Data in, data out; nothing here raises.

Quorum is met when distinct people can be seated so that every role's threshold is filled by members
who consented to count in it.  Who sits where is a maximum bipartite matching: a person has one seat,
however many roles and keys they have, and the order in which they approved never matters.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How many distinct members of one role a quorum needs."""

    role: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One role of a rule: who belongs to it, and how many distinct members must be seated."""

    role: str
    threshold: int
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTally:
    """One role's count: who sits in it, and who could still help to fill it."""

    role: str
    threshold: int
    seated: tuple[str, ...]
    helpful: tuple[str, ...]
    elsewhere: tuple[tuple[str, str], ...]

    @property
    def missing(self) -> int:
        """How many seats are empty."""
        return self.threshold - len(self.seated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The count now, role by role in the rule's order."""

    roles: tuple[RoleTally, ...]
    reachable: bool
    """Whether those who have not decided are enough to meet the quorum."""

    @property
    def quorum_met(self) -> bool:
        """Whether every required role is met; a rule without roles is never met."""
        return bool(self.roles) and all(role.missing == 0 for role in self.roles)

    @property
    def seats(self) -> dict[str, tuple[str, ...]]:
        """Who sits in which role."""
        return {role.role: role.seated for role in self.roles}

    @property
    def awaited(self) -> tuple[str, ...]:
        """Everybody whose approval would bring the quorum nearer."""
        return tuple(sorted({person for role in self.roles for person in role.helpful}))


def seat(needs: Sequence[Need], consents: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Seat as many people as fit, filling roles in the rule's order; return who sits in which role.

    ``consents`` says in which roles each person agreed to count.  A seat, once filled, stays filled
    while others are moved to make room, so an earlier role is never emptied for a later one.
    """
    candidates = {
        need.role: sorted(p for p, roles in consents.items() if need.role in roles and p in need.members)
        for need in needs
    }
    seated: dict[str, str] = {}
    for need in needs:
        for _ in range(need.threshold):
            if not _fill(need.role, candidates, seated, set()):
                break
    return seated


def quorum_met(needs: Sequence[Need], consents: Mapping[str, frozenset[str]]) -> bool:
    """Whether distinct people fill every threshold; never without a role to fill."""
    return bool(needs) and len(seat(needs, consents)) == sum(need.threshold for need in needs)


def fillable(needs: Sequence[Need]) -> bool:
    """Whether every threshold would be filled if everybody consented."""
    members = frozenset[str]().union(*(need.members for need in needs))
    return quorum_met(needs, {p: frozenset(n.role for n in needs if p in n.members) for p in members})


def tally(
    needs: Sequence[Need],
    consents: Mapping[str, frozenset[str]],
    undecided: Iterable[str] = (),
) -> Tally:
    """Count the consenting people, and say which of the ``undecided`` would help each unfilled role."""
    seated = seat(needs, consents)
    hopeful = {p: frozenset(n.role for n in needs if p in n.members) for p in sorted(undecided)}
    helpful = [p for p, roles in hopeful.items() if len(seat(needs, {**consents, p: roles})) > len(seated)]
    return Tally(
        roles=tuple(_role_tally(need, needs, consents, seated, helpful, hopeful) for need in needs),
        reachable=quorum_met(needs, {**consents, **hopeful}),
    )


def explain(count: Tally) -> tuple[str, ...]:
    """Say in sentences what is missing; one sentence when nothing is."""
    if count.quorum_met:
        seats = "; ".join(f"{role} by {_listed(people, 'and')}" for role, people in count.seats.items())
        return (f"quorum is met: {seats}",)
    return tuple(_explain_role(role) for role in count.roles if role.missing)


def shortage(needs: Sequence[Need]) -> str:
    """Say which smallest group of roles asks for more people than belong to it; empty if none does."""
    if fillable(needs):  # the search for a reason takes long where there is none
        return ""
    for size in range(1, len(needs) + 1):
        for group in combinations(needs, size):
            people = frozenset[str]().union(*(need.members for need in group))
            wanted = sum(need.threshold for need in group)
            if wanted > len(people):
                roles = _listed([f"{need.role} ({need.threshold})" for need in group], "and")
                together = " together" if size > 1 else ""
                whom = f"only {_listed(sorted(people), 'and')} can count" if people else "nobody can count"
                return f"{roles}{together} {_need(size)} {_people(wanted)}, but {whom} there"
    return ""


def _fill(role: str, candidates: Mapping[str, list[str]], seated: dict[str, str], tried: set[str]) -> bool:
    """Seat one more person in ``role``, moving others along an augmenting path where that makes room.

    A path that comes to a role twice finds nothing new, so it is never longer than the rule.
    """
    tried.add(role)
    for person in candidates[role]:
        holder = seated.get(person)
        if holder is None or (holder not in tried and _fill(holder, candidates, seated, tried)):
            seated[person] = role
            return True
    return False


def _role_tally(
    need: Need,
    needs: Sequence[Need],
    consents: Mapping[str, frozenset[str]],
    seated: Mapping[str, str],
    helpful: Sequence[str],
    hopeful: Mapping[str, frozenset[str]],
) -> RoleTally:
    sitting = tuple(sorted(p for p, role in seated.items() if role == need.role))
    if len(sitting) == need.threshold:
        return RoleTally(role=need.role, threshold=need.threshold, seated=sitting, helpful=(), elsewhere=())
    filled = Counter(seated.values())
    return RoleTally(
        role=need.role,
        threshold=need.threshold,
        seated=sitting,
        helpful=tuple(p for p in helpful if _fills(need.role, needs, {**consents, p: hopeful[p]}, filled)),
        elsewhere=tuple(
            (p, seated[p])
            for p in sorted(consents)
            if p in need.members and need.role in consents[p] and p in seated and seated[p] != need.role
        ),
    )


def _fills(
    role: str, needs: Sequence[Need], consents: Mapping[str, frozenset[str]], filled: Mapping[str, int]
) -> bool:
    """Whether a role can have one seat more filled than now, and every other role as many as now."""
    wanted = [replace(need, threshold=filled[need.role] + (need.role == role)) for need in needs]
    return quorum_met(wanted, consents)


def _explain_role(role: RoleTally) -> str:
    more = {1: "one more", 2: "two more", 3: "three more"}.get(role.missing, f"{role.missing} more")
    helpful = _listed(role.helpful, "or") if role.helpful else "nobody is left who could"
    sentence = f"{role.role} needs {more}: {helpful}"
    for person, other in role.elsewhere:
        sentence += f"; {person} already counts for {other}"
    return sentence


def _listed(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _need(size: int) -> str:
    return "need" if size > 1 else "needs"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
