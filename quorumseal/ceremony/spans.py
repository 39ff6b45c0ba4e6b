# SPDX-License-Identifier: Apache-2.0
"""Until when, as people write it: ``3d`` by the clock, ``3bd`` or ``4bh`` by working time, or an instant.

This is the one place that reads them: for ``policy.toml``, and for what a requester types.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.values import duration, whole_milliseconds
from quorumseal.terminal.durations import duration_text, written_duration

_WORKING = re.compile(r"([1-9][0-9]{0,3})(bd|bh)")
_LOOKS_LIKE_A_DATE = re.compile(r"[0-9]{4}-")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EXPECTED = "72h or 3d (by the clock), 3bd (business days) or 8bh (business hours)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTime:
    """So many business days, or so many business hours."""

    count: int
    in_days: bool

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"working time is at least one day or hour, not {self.count}")

    def __str__(self) -> str:
        return f"{self.count}{'bd' if self.in_days else 'bh'}"

    @property
    def least(self) -> timedelta:
        """How short it can be by the clock, in whatever calendar: work may end a minute after midnight."""
        if self.in_days:
            return timedelta(hours=23) * (self.count - 1) + timedelta(minutes=1)
        return timedelta(hours=self.count)


Span = timedelta | WorkingTime
"""How long: by the clock, or by a calendar."""

Until = Span | datetime
"""How long, or until which instant."""


def read_span(text: str) -> Span:
    """Read ``90m``, ``72h``, ``1d12h``, ``3bd`` or ``8bh``."""
    if match := _WORKING.fullmatch(text):
        return WorkingTime(count=int(match[1]), in_days=match[2] == "bd")
    try:
        return duration(text)
    except ValueFormatError:
        raise ValueFormatError(f"expected a duration such as {_EXPECTED}, got {text[:40]!a}") from None


def read_until(text: str) -> Until:
    """Read a duration, or an instant with its zone such as ``2026-11-25T17:00+01:00``."""
    if _LOOKS_LIKE_A_DATE.match(text):
        return _read_instant(text)
    try:
        return read_span(text)
    except ValueFormatError:
        raise ValueFormatError(
            f"expected {_EXPECTED}, or an instant such as 2026-11-25T17:00+01:00, got {text[:40]!a}"
        ) from None


def shortest(span: Span) -> timedelta:
    """Return how short it can be by the clock."""
    return span if isinstance(span, timedelta) else span.least


def span_text(span: Span) -> str:
    """Say how long: ``3 days``, ``3 business days``, ``1 business hour``."""
    if isinstance(span, timedelta):
        return duration_text(span)
    unit = "business day" if span.in_days else "business hour"
    return f"{span.count} {unit}{'s' if span.count > 1 else ''}"


def write_span(span: Span) -> str:
    """Write how long, as ``read_span`` reads it: ``3d``, ``1d12h``, ``3bd``."""
    return written_duration(span) if isinstance(span, timedelta) else str(span)


def _read_instant(text: str) -> datetime:
    try:
        if _INSTANT.fullmatch(text) and (at := datetime.fromisoformat(text)).tzinfo is not None:
            return whole_milliseconds(at)
    except (ValueError, OverflowError):  # a 30th of February; an offset that leads out of the calendar
        pass
    raise ValueFormatError(
        "expected an instant with its zone, such as 2026-11-25T17:00Z or 2026-11-25T17:00+01:00, "
        f"got {text[:40]!a}"
    )
