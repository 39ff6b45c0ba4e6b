# SPDX-License-Identifier: Apache-2.0
"""When: instants for people, in UTC and in the reader's own time."""

from datetime import UTC, datetime, timedelta, tzinfo

from quorumseal.terminal.durations import duration_text


def instant_text(at: datetime, *, zone: tzinfo | None = None) -> str:
    """Say when in UTC and in ``zone``, by default the computer's: ``Fri 2026-11-20 14:07 UTC (15:07 CET)``.

    The date is repeated where it differs; seconds are shown where there are any.
    """
    utc = _aware(at).astimezone(UTC)
    local = utc.astimezone(zone)
    text = f"{utc:%a %Y-%m-%d} {_clock(utc)} UTC"
    if local.utcoffset() == timedelta(0):
        return text
    day = "" if local.date() == utc.date() else f"{local:%a %Y-%m-%d} "
    return f"{text} ({day}{_clock(local)} {local.tzname()})"


def distance_text(at: datetime, now: datetime) -> str:
    """Say how far an instant is from now: ``in 2 h 14 min``, ``3 days ago``, ``just now``."""
    ahead = _aware(at) - _aware(now)
    if abs(ahead) < timedelta(seconds=1):
        return "now" if ahead > timedelta(0) else "just now"
    return f"in {duration_text(ahead)}" if ahead > timedelta(0) else f"{duration_text(-ahead)} ago"


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"an instant has a time zone: {at}")
    return at


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second or at.microsecond else f"{at:%H:%M}"
