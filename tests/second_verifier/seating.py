# SPDX-License-Identifier: Apache-2.0
"""Distinct people in the seats of a quorum (docs/spec/policy.md, Meaning).

Seats are counted by Hall's condition over groups of roles, of which a quorum has 16 at most but a handful in
practice; who sits where is found seat by seat.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TypeAlias

Quorum: TypeAlias = tuple[tuple[str, int], ...]
Willing: TypeAlias = Mapping[str, frozenset[str]]
"""Who consented to which roles; a name may be a pair of deputy and member, who are one seat."""


def possible(quorum: Quorum, willing: Willing) -> bool:
    """Whether distinct people can fill every threshold."""
    needed = [(role, count) for role, count in quorum if count > 0]
    for size in range(1, len(needed) + 1):
        for group in combinations(needed, size):
            roles = {role for role, _ in group}
            able = sum(1 for consented in willing.values() if consented & roles)
            if able < sum(count for _, count in group):
                return False
    return True


def seats(quorum: Quorum, willing: Willing) -> list[tuple[str, list[str]]]:
    """Who sits in which role: each seat in turn takes the first by name who is free or can be moved."""
    places = [role for role, threshold in quorum for _ in range(threshold)]
    sitting: dict[str, int] = {}

    def fill(place: int, asked: set[str]) -> bool:
        for person in sorted(willing):
            if places[place] not in willing[person] or person in asked:
                continue
            asked.add(person)
            if person not in sitting or fill(sitting[person], asked):
                sitting[person] = place
                return True
        return False

    for place in range(len(places)):
        fill(place, set())
    return [(role, sorted(p for p, at in sitting.items() if places[at] == role)) for role, _ in quorum]


def able(quorum: Quorum, members: Mapping[str, Iterable[str]], without: Iterable[str]) -> Willing:
    """Everybody who could be seated, in every role of the quorum that they belong to."""
    absent = frozenset(without)
    people = {person for role, _ in quorum for person in members[role]} - absent
    return {p: frozenset(role for role, _ in quorum if p in members[role]) for p in people}
