# SPDX-License-Identifier: Apache-2.0
"""The period that an audit is about: days or instants, in UTC."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from quorumseal.audit.population import Period
from quorumseal.ceremony.values import instant_text
from quorumseal.cli.errors import UsageError
from quorumseal.terminal import instant_text as shown

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def add_period(parser: ArgumentParser) -> None:
    """Let a verb be told from when to when."""
    parser.add_argument(
        "--from", dest="begin", metavar="WHEN", help="the first day or instant, in UTC (default: all)"
    )
    parser.add_argument(
        "--to", dest="end", metavar="WHEN", help="the first day or instant after it (default: now)"
    )


def period_of(arguments: Namespace, at: datetime) -> Period:
    """Return the period that was asked for, up to ``at`` where no end was given."""
    begin = instant(arguments.begin) if arguments.begin else _BEGIN
    end = instant(arguments.end) if arguments.end else at + timedelta(seconds=1)
    if begin >= end:
        raise UsageError(
            f"expected a period that begins before it ends, got {instant_text(begin)} to {instant_text(end)}",
            hint="--to is the first day that is not in the period",
        )
    return Period(begin=begin, end=end)


def period_text(arguments: Namespace, period: Period) -> str:
    """Say from when to when, as it was asked for."""
    begin = shown(period.begin) if arguments.begin else "the first entry"
    return f"{begin} to {shown(period.end)}"


def instant(text: str) -> datetime:
    """Read a day (2026-01-31) or an instant (2026-01-31T12:00:00Z)."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"expected a day such as 2026-01-31, or an instant such as 2026-01-31T12:00Z, got {text[:40]!a}"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def period_words(arguments: Namespace) -> list[str]:
    """Return the period as it was asked for, for the next command."""
    given = (("--from", arguments.begin), ("--to", arguments.end))
    return [word for option, value in given if value for word in (option, value)]
