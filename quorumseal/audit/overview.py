# SPDX-License-Identifier: Apache-2.0
"""What an auditor is told first about a period: how many, what went otherwise, what changed, what first."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.audit.answer import Exhibit, counted
from quorumseal.audit.census import Census, census
from quorumseal.audit.changes import Change, changes_in, standing_in
from quorumseal.audit.coverage import gaps
from quorumseal.audit.exceptional import HASTY, WEIGHT, ExceptionKind, exceptions_of
from quorumseal.audit.population import Period, Population
from quorumseal.strict_json import JsonValue

MOST_FIRST = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A period as a whole."""

    period: Period
    census: Census
    exceptions: tuple[Exhibit, ...]
    """In the order of the log."""
    exceptional: int
    """How many ceremonies they are about."""
    changes: tuple[Change, ...]
    standing: tuple[Exhibit, ...]
    gaps: tuple[str, ...]
    """What of the period this copy cannot show."""

    @property
    def by_kind(self) -> tuple[tuple[ExceptionKind, int], ...]:
        """Return how many exceptions there are of each kind, the weightiest kind first."""
        counts = Counter(ExceptionKind(each.kind) for each in self.exceptions)
        return tuple((kind, counts[kind]) for kind in ExceptionKind if counts[kind])

    @property
    def weightiest(self) -> tuple[Exhibit, ...]:
        """Return the exceptions, those that weigh most first."""
        return tuple(sorted(self.exceptions, key=lambda each: WEIGHT[ExceptionKind(each.kind)]))

    @property
    def first(self) -> tuple[str, ...]:
        """Say what to look at first: what weighs most, each with where it is."""
        marked = [
            f"policy version {change.policy.policy.version} permits more than the one before: "
            f"{counted(len(change.weakens), 'difference')} (entry {change.entry.index})"
            for change in self.changes
            if change.weakens
        ]
        lost = [f"{each.says} (entry {each.entries[0]})" for each in self.standing if each.exception]
        others = [f"{each.says} (entry {each.entries[0]})" for each in self.weightiest]
        return tuple((*self.gaps, *marked, *lost, *others)[:MOST_FIRST])

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            **self.period.to_json(),
            "population": self.census.to_json(),
            "exceptional_ceremonies": self.exceptional,
            "exceptions_by_kind": {str(kind): count for kind, count in self.by_kind},
            "exceptions": [each.to_json() for each in self.exceptions],
            "policy_changes": [each.to_json() for each in self.changes],
            "standing": [each.to_json() for each in self.standing],
            "not_covered": [*self.gaps],
            "look_at_first": [*self.first],
        }


def overview(population: Population, period: Period, *, hasty: timedelta = HASTY) -> Overview:
    """Return a period as a whole."""
    found = [
        exception
        for each in population.within(period).ceremonies
        for exception in exceptions_of(each, hasty=hasty)
        if exception.at in period
    ]
    standing = standing_in(population, period)
    return Overview(
        period=period,
        census=census(population, period),
        exceptions=tuple(sorted(found, key=lambda each: each.entries)),
        exceptional=len({each.ceremony for each in found}),
        changes=changes_in(population, period),
        standing=standing,
        gaps=gaps(population, period),
    )
