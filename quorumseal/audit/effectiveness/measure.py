# SPDX-License-Identifier: Apache-2.0
"""What every measure is made of, and the arithmetic that they share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TypeAlias

from quorumseal.audit.population import Audited, Period, PlacedEntry
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.statements import Decision

_COUNTED = frozenset({EntryType.DECIDED, EntryType.LATE})


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is about, how long it is, what is written at its end."""

    label: str
    value: float
    said: str
    notable: bool = False
    """Whether a reader should look at it; its text says so, too."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side, and a line that they should not pass where there is one."""

    bars: tuple[Bar, ...]
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """How often each of some met each of others."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


Picture: TypeAlias = Bars | Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One question about how the rule works, and its answer three times: said, as a table, as a picture."""

    name: str
    title: str
    said: str
    """The answer in a sentence or two: what somebody hears who sees no picture."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    picture: Picture


def decisions(
    ceremonies: Sequence[Audited], period: Period
) -> Iterator[tuple[Audited, PlacedEntry, Decision]]:
    """Give every decision that was logged in a period, with its ceremony and its entry."""
    for audited in ceremonies:
        for logged, statement in audited.statements:
            if (
                isinstance(statement, Decision)
                and logged.entry.type in _COUNTED
                and logged.entry.at in period
            ):
                yield audited, logged, statement


def quantile(durations: Sequence[timedelta], share: float) -> timedelta:
    """Return the duration that this share of them does not pass (nearest rank); of at least one."""
    ordered = sorted(durations)
    return ordered[ceil(share * len(ordered)) - 1]
