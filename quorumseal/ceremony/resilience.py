# SPDX-License-Identifier: Apache-2.0
"""How much a quorum can lose: whose absence stops it, how many may be absent, which people are enough.

By Hall's theorem a quorum can be met as long as every group of its roles has, among all members of the
group, as many people as the group has seats.  What is left over in the tightest group is how many people may
be absent whoever they are, and without anything left over each of them is indispensable.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from quorumseal.ceremony.quorum import Need, seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some roles of a quorum, everybody who can count for one of them, and their seats."""

    roles: tuple[str, ...]
    people: frozenset[str]
    seats: int

    @property
    def spare(self) -> int:
        """How many more people there are than seats; below 0 the quorum cannot be met."""
        return len(self.people) - self.seats


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """What a quorum can bear."""

    tightest: Group
    """The smallest of the groups with the least to spare."""
    indispensable: frozenset[str]
    """Each of whom stops it by being absent, if it can be met at all."""

    @property
    def reachable(self) -> bool:
        """Whether it can be met when everybody is there."""
        return self.tightest.spare >= 0

    @property
    def spare(self) -> int:
        """How many people may be absent, whoever they are."""
        return max(0, self.tightest.spare)

    @property
    def bus_factor(self) -> int:
        """How few people of the tightest group stop it by being absent; 0 where it cannot be met anyway."""
        return max(0, self.tightest.spare + 1)


def resilience(needs: Sequence[Need], *, absent: Collection[str] = ()) -> Resilience:
    """Return what a quorum can bear when some people are absent already."""
    return bears(groups_of(needs), absent)


def groups_of(needs: Sequence[Need]) -> tuple[Group, ...]:
    """Return every group of a quorum's roles, smaller ones first."""
    return tuple(
        Group(roles=tuple(need.role for need in some), people=_everybody(some), seats=_seats(some))
        for size in range(1, len(needs) + 1)
        for some in combinations(needs, size)
    )


def bears(groups: Sequence[Group], absent: Collection[str] = ()) -> Resilience:
    """Return what the quorum of these groups can bear when some people are absent already."""
    left = [replace(group, people=group.people.difference(absent)) for group in groups]
    tightest = min(left, key=lambda group: group.spare)  # the first, so the smallest, of those
    needed = [group.people for group in left if group.spare == 0]
    reachable = tightest.spare >= 0
    return Resilience(
        tightest=tightest, indispensable=frozenset().union(*needed) if reachable else frozenset()
    )


def least_spare(groups: Iterable[Group], absent: frozenset[str]) -> int:
    """Return what is left over in the tightest group when some people are absent."""
    return min(group.spare - len(group.people & absent) for group in groups)


def tight_groups(groups: Sequence[Group], *, most: int) -> tuple[Group, ...]:
    """Return the groups of which one is the tightest, whichever people are absent, up to ``most`` of them."""
    least = min(group.spare for group in groups)
    return tuple(group for group in groups if group.spare <= least + most)


def smallest_sets(needs: Sequence[Need], *, most: int) -> tuple[tuple[frozenset[str], ...], bool]:
    """Return sets of people that are just enough, in order, and whether those are all there are."""
    found: list[frozenset[str]] = []
    for chosen in _sets(needs, frozenset(), sorted(_everybody(needs))):
        if len(found) == most:
            return tuple(found), False
        found.append(chosen)
    return tuple(found), True


def _sets(needs: Sequence[Need], chosen: frozenset[str], rest: Sequence[str]) -> Iterator[frozenset[str]]:
    """Yield every way to go on from the chosen; those who sit together can always be joined by others."""
    if len(chosen) == _seats(needs):
        yield chosen
        return
    for index, person in enumerate(rest):
        more, left = chosen | {person}, rest[index + 1 :]
        if _seated(needs, more) == len(more) and _seated(needs, more.union(left)) == _seats(needs):
            yield from _sets(needs, more, left)


def _seated(needs: Sequence[Need], people: Collection[str]) -> int:
    """Return how many of these people can sit at once."""
    return len(seat(needs, {p: frozenset(n.role for n in needs if p in n.members) for p in people}))


def _seats(needs: Sequence[Need]) -> int:
    return sum(need.threshold for need in needs)


def _everybody(needs: Iterable[Need]) -> frozenset[str]:
    return frozenset[str]().union(*(need.members for need in needs))
