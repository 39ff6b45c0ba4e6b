# SPDX-License-Identifier: Apache-2.0
"""How many ceremonies there were in a period, of which kind, and what became of each: counts that add up.

What was open when the period began, and what was opened in it, either ended in it or is still open at its
end.  Where a ceremony stands is told as of the period's end, whatever the log says of it later.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.strict_json import JsonValue

ENDS = tuple(state for state in State if state is not State.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The ceremonies of one kind and mode."""

    kind: Kind
    mode: Mode
    before: int
    """Open when the period began."""
    opened: int
    """Opened in it."""
    states: tuple[tuple[State, int], ...]
    """How many were in each state at its end; what is not there is none."""

    @property
    def total(self) -> int:
        """How many there were."""
        return self.before + self.opened

    @property
    def adds_up(self) -> bool:
        """Whether each of them is somewhere."""
        return self.total == sum(count for _, count in self.states)

    def of(self, state: State) -> int:
        """Return how many were in a state."""
        return dict(self.states).get(state, 0)

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "kind": str(self.kind),
            "mode": str(self.mode),
            "open_before": self.before,
            "opened": self.opened,
            "states": {str(state): count for state, count in self.states},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Every ceremony of a period, and every entry of the copy."""

    rows: tuple[Row, ...]
    entries_of_ceremonies: int
    entries_of_none: int
    entries_before: int
    """Those from before the first entry that is here, which are not counted among the others."""
    size: int
    """How many entries the checkpoint says that the log has."""

    @property
    def ceremonies(self) -> int:
        """How many there were."""
        return sum(row.total for row in self.rows)

    @property
    def adds_up(self) -> bool:
        """Whether every ceremony is somewhere, and every entry belongs to something that was replayed."""
        entries = self.entries_before + self.entries_of_ceremonies + self.entries_of_none
        return entries == self.size and all(row.adds_up for row in self.rows)

    def of(self, state: State) -> int:
        """Return how many were in a state at the period's end."""
        return sum(row.of(state) for row in self.rows)

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "ceremonies": self.ceremonies,
            "states": {str(state): self.of(state) for state in State if self.of(state)},
            "rows": [row.to_json() for row in self.rows],
            "entries": {
                "of_ceremonies": self.entries_of_ceremonies,
                "of_no_ceremony": self.entries_of_none,
                "before_this_copy": self.entries_before,
                "log_size": self.size,
            },
            "adds_up": self.adds_up,
        }


def census(population: Population, period: Period) -> Census:
    """Count."""
    touching = population.within(period).ceremonies
    groups: dict[tuple[Kind, Mode], list[Audited]] = {}
    for each in touching:
        groups.setdefault((each.request.kind, each.request.mode), []).append(each)
    first = population.complete_from
    return Census(
        rows=tuple(
            _row(kind, mode, groups[kind, mode], period)
            for kind in Kind
            for mode in Mode
            if (kind, mode) in groups
        ),
        entries_of_ceremonies=sum(
            _from(first, (entry.index for entry in each.entries)) for each in population.ceremonies
        ),
        entries_of_none=_from(first, (entry.index for entry in population.standing_entries)),
        entries_before=first,
        size=population.checkpoint.size,
    )


def state_at(audited: Audited, end: datetime) -> State:
    """Return where a ceremony stood just before an instant."""
    ended = audited.ended_at
    return audited.state if ended is not None and ended < end else State.OPEN


def _row(kind: Kind, mode: Mode, group: Iterable[Audited], period: Period) -> Row:
    members = [*group]
    states = Counter(state_at(each, period.end) for each in members)
    opened = sum(each.opened_at in period for each in members)
    return Row(
        kind=kind,
        mode=mode,
        before=len(members) - opened,
        opened=opened,
        states=tuple((state, states[state]) for state in State if states[state]),
    )


def _from(first: int, indices: Iterable[int]) -> int:
    return sum(index >= first for index in indices)
