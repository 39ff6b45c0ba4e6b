# SPDX-License-Identifier: Apache-2.0
"""A search of every course: each step from each state that was not seen before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from quorumseal.ceremony.entries import CONCLUSIONS
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.refusal import Refusal
from tests.ceremony.courses import ALONE, STEPS, Course, NothingToDoError, Step
from tests.ceremony.laws import wrong


def key(course: Course) -> object:
    """Return what decides everything that can still happen."""
    ends = tuple(t for t in course.types if t in CONCLUSIONS)
    ratification = course.ratification and _key(course.ratification)
    return course.at, ends, course.published, ratification, _key(course.ceremony)


def _key(ceremony: Ceremony) -> object:
    return (
        ceremony.state,
        ceremony.deadline,
        len(ceremony.extensions),
        ceremony.window_ends,
        frozenset((s, d.statement.choice, d.statement.delegation) for s, d in ceremony.decisions.items()),
        frozenset(ceremony.counting.items()),
        frozenset(ceremony.stands_for),
        frozenset(ceremony.delegations),
        frozenset(ceremony.numbers.items()),
        frozenset(ceremony.revoked),
        frozenset(ceremony.suspended),
        ceremony.late,
        len(ceremony.reports),
        len(ceremony.told),
    )


@dataclass
class Search:
    """How far a search came, and the first thing that may never happen."""

    states: int = 0
    steps: int = 0
    ends: set[str] = field(default_factory=set)
    """What was reached, and what it was published or ratified as."""
    found: str = ""


def search(first: Course, depth: int, steps: Mapping[str, Step] = ALONE) -> Search:
    """Take every step from every state that was not seen before."""
    frontier, seen, result = [first], {key(first)}, Search(states=1)
    for _ in range(depth):
        reached = []
        for before, after in _taken(frontier, steps):
            result.steps += 1
            result.found = wrong(before, after)
            if result.found:
                return result
            if key(after) not in seen:
                seen.add(key(after))
                reached.append(after)
                result.ends.add(after.end)
        frontier = reached
        result.states = len(seen)
    return result


def _taken(frontier: list[Course], steps: Mapping[str, Step]) -> Iterator[tuple[Course, Course]]:
    for course, pause, step in product(frontier, STEPS, steps.values()):
        try:
            yield course, step(course, course.at + pause)
        except (Refusal, NothingToDoError):
            continue
