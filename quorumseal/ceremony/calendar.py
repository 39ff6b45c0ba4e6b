# SPDX-License-Identifier: Apache-2.0
"""Working time: when ``3bd`` and ``8bh`` end.  Resolved once, by whoever asks; everybody else reads instants.

A policy names its own holidays as dates, so that two programs with different tables of a country's holidays
never disagree.  The zone's rules are passed in: what the time in Lisbon is, no pure function can know.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from quorumseal.ceremony.errors import CalendarError, ValueFormatError
from quorumseal.ceremony.values import duration

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORKING = re.compile(r"([1-9][0-9]{0,3})(bd|bh)")
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


def resolve(text: str, calendar: Calendar, zone: tzinfo, *, start: datetime) -> datetime:
    """Return when a duration from ``start`` ends: ``90m`` by the clock, ``3bd`` or ``8bh`` by working time.

    A business day ends at closing time: from Tuesday 11:00, ``1bd`` is Wednesday's closing time.  Business
    hours run while work is open.
    """
    match = _WORKING.fullmatch(text)
    if match is None:
        try:
            return start + duration(text)
        except ValueFormatError as error:
            raise ValueFormatError(
                f"expected a duration such as 90m, 72h, 3bd (business days) or 8bh (business hours): {error}"
            ) from None
    count = int(match[1])
    local = start.astimezone(zone)
    if match[2] == "bd":
        end = _close(_working_days(calendar, local.date(), count), calendar, zone)
    else:
        end = _after_hours(local, timedelta(hours=count), calendar, zone)
    return end.astimezone(UTC)


def _working_days(calendar: Calendar, day: date, count: int) -> date:
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
            f"expected enough working days within a year, got none of them by {last}",
            hint="choose a shorter deadline, or mend the policy's calendar: it hardly ever opens",
        )


def _close(day: date, calendar: Calendar, zone: tzinfo) -> datetime:
    return _at(day, calendar.closes, zone)


def _at(day: date, hour: time, zone: tzinfo) -> datetime:
    """Return an instant in UTC; of a time that a change of clocks repeats, the first."""
    return datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)
