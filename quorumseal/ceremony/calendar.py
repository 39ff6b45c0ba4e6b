# SPDX-License-Identifier: Apache-2.0
"""Working time: when ``3bd`` and ``8bh`` end.  Resolved once, by whoever asks; everybody else reads instants.

A policy names its own holidays as dates, so that two programs with different tables of a country's holidays
never disagree.  The zone's rules are passed in: what the time in Lisbon is, no pure function can know.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from quorumseal.ceremony.errors import CalendarError
from quorumseal.ceremony.spans import Until, WorkingTime

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
_FURTHEST = timedelta(days=366)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When an organisation works."""

    zone: str = "UTC"
    """The name of a time zone (IANA)."""
    days: frozenset[str] = frozenset(DAYS[:5])
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not _ZONE.fullmatch(self.zone):
            raise CalendarError(f"expected a time zone such as Europe/Lisbon, got {self.zone[:64]!a}")
        if not self.days or not self.days <= frozenset(DAYS):
            raise CalendarError(
                f"expected working days of {', '.join(DAYS)}, got {', '.join(sorted(self.days)) or 'none'}"
            )
        if not self.opens < self.closes:
            raise CalendarError(
                f"expected work to begin before it ends, got {self.opens:%H:%M} and {self.closes:%H:%M}"
            )

    def works_on(self, day: date) -> bool:
        """Whether a date is a working day."""
        return DAYS[day.weekday()] in self.days and day not in self.holidays


def resolve(until: Until, calendar: Calendar, zone: tzinfo, *, start: datetime) -> datetime:
    """Return the instant that is meant by somebody who says ``until`` at ``start``.

    A business day ends at closing time: from Tuesday 11:00, ``1bd`` is Wednesday's closing time.  Business
    hours run while work is open.
    """
    if isinstance(until, datetime):
        return until
    if isinstance(until, WorkingTime):
        return _resolve_working(until, calendar, start.astimezone(zone), zone)
    try:
        return start.astimezone(UTC) + until  # in a zone of its own, sums are of wall clocks
    except OverflowError:
        raise CalendarError(
            f"expected a duration that ends within the calendar, got {until.days} days",
            hint="choose a shorter one",
        ) from None


def _resolve_working(until: WorkingTime, calendar: Calendar, start: datetime, zone: tzinfo) -> datetime:
    if until.in_days:
        return _close(_working_day(calendar, start.date(), until.count), calendar, zone)
    return _after_hours(start, timedelta(hours=until.count), calendar, zone)


def _working_day(calendar: Calendar, day: date, count: int) -> date:
    """Return the ``count``-th working day after a day."""
    last = day + _FURTHEST
    while count:
        day += _DAY
        _check_reachable(day, last)
        count -= calendar.works_on(day)
    return day


def _after_hours(start: datetime, left: timedelta, calendar: Calendar, zone: tzinfo) -> datetime:
    day = start.date()
    last = day + _FURTHEST
    while True:
        if calendar.works_on(day):
            # Elapsed time is counted in UTC: on the night of a change of clocks a day has 23 or 25 hours.
            begins = max(_at(day, calendar.opens, zone), start.astimezone(UTC))
            open_for = max(_close(day, calendar, zone) - begins, timedelta(0))
            if left <= open_for:
                return begins + left
            left -= open_for
        day += _DAY
        _check_reachable(day, last)


def _check_reachable(day: date, last: date) -> None:
    if day > last:
        raise CalendarError(
            f"expected enough working days within a year, got too few by {last}",
            hint="choose a shorter deadline; if the policy's calendar hardly ever opens, mend it",
        )


def _close(day: date, calendar: Calendar, zone: tzinfo) -> datetime:
    return _at(day, calendar.closes, zone)


def _at(day: date, hour: time, zone: tzinfo) -> datetime:
    """Return an instant in UTC; of a time that a change of clocks repeats, the first."""
    return datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)
