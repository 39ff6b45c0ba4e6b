# SPDX-License-Identifier: Apache-2.0
"""When working time ends: across weekends, holidays, three zones and both changes of the clocks."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from quorumseal.ceremony.calendar import DAYS, Calendar, resolve
from quorumseal.ceremony.errors import CalendarError, ValueFormatError

LISBON, NEW_YORK, KOLKATA = "Europe/Lisbon", "America/New_York", "Asia/Kolkata"
CHRISTMAS = frozenset({date(2026, 12, 24), date(2026, 12, 25)})


def ends(duration: str, start: str, zone: str = "UTC", holidays: frozenset[date] = frozenset()) -> str:
    calendar = Calendar(zone=zone, holidays=holidays)
    at = resolve(duration, calendar, ZoneInfo(zone), start=datetime.fromisoformat(start))
    return at.isoformat(timespec="minutes")


TABLE = [
    # by the clock, whatever the calendar says
    ("90m", "2026-11-20T14:00Z", "UTC", "2026-11-20T15:30+00:00"),
    ("72h", "2026-11-20T14:00Z", "UTC", "2026-11-23T14:00+00:00"),
    # business days end at closing time
    ("1bd", "2026-11-17T11:00Z", "UTC", "2026-11-18T17:00+00:00"),
    ("1bd", "2026-11-20T14:00Z", "UTC", "2026-11-23T17:00+00:00"),  # Friday to Monday
    ("3bd", "2026-11-20T14:00Z", "UTC", "2026-11-25T17:00+00:00"),
    ("1bd", "2026-11-21T03:00Z", "UTC", "2026-11-23T17:00+00:00"),  # from a Saturday
    ("1bd", "2026-11-20T23:59Z", "UTC", "2026-11-23T17:00+00:00"),
    # holidays
    ("1bd", "2026-12-23T12:00Z", "UTC", "2026-12-28T17:00+00:00"),
    ("5bd", "2026-12-23T12:00Z", "UTC", "2027-01-01T17:00+00:00"),
    # business hours run while work is open
    ("2bh", "2026-11-20T14:00Z", "UTC", "2026-11-20T16:00+00:00"),
    ("3bh", "2026-11-20T14:00Z", "UTC", "2026-11-20T17:00+00:00"),
    ("4bh", "2026-11-20T14:00Z", "UTC", "2026-11-23T10:00+00:00"),
    ("8bh", "2026-11-20T06:00Z", "UTC", "2026-11-20T17:00+00:00"),
    ("1bh", "2026-11-20T18:00Z", "UTC", "2026-11-23T10:00+00:00"),
    ("16bh", "2026-12-23T09:00Z", "UTC", "2026-12-28T17:00+00:00"),
    # three zones: the local day and the local closing time count
    ("1bd", "2026-07-15T12:00Z", LISBON, "2026-07-16T16:00+00:00"),
    ("1bd", "2026-01-14T12:00Z", LISBON, "2026-01-15T17:00+00:00"),
    ("1bd", "2026-07-16T02:00Z", NEW_YORK, "2026-07-16T21:00+00:00"),  # still Wednesday there
    ("1bd", "2026-01-14T12:00Z", NEW_YORK, "2026-01-15T22:00+00:00"),
    ("1bd", "2026-07-15T20:00Z", KOLKATA, "2026-07-17T11:30+00:00"),  # already Thursday there
    ("2bh", "2026-07-15T03:00Z", KOLKATA, "2026-07-15T05:30+00:00"),
    # across the changes of the clocks (Lisbon 29 March and 25 October, New York 8 March and 1 November)
    ("1bd", "2026-03-27T12:00Z", LISBON, "2026-03-30T16:00+00:00"),
    ("1bd", "2026-10-23T12:00Z", LISBON, "2026-10-26T17:00+00:00"),
    ("1bd", "2026-03-06T15:00Z", NEW_YORK, "2026-03-09T21:00+00:00"),
    ("1bd", "2026-10-30T15:00Z", NEW_YORK, "2026-11-02T22:00+00:00"),
    ("8bh", "2026-10-23T16:00Z", LISBON, "2026-10-26T17:00+00:00"),
    ("72h", "2026-10-24T12:00Z", LISBON, "2026-10-27T12:00+00:00"),
]


@pytest.mark.parametrize(("duration", "start", "zone", "end"), TABLE)
def test_a_duration_ends(duration: str, start: str, zone: str, end: str) -> None:
    assert ends(duration, start, zone, CHRISTMAS) == end


def test_hours_that_span_a_change_of_the_clocks_are_hours_that_pass() -> None:
    always = Calendar(zone=LISBON, days=frozenset(DAYS), opens=time(0), closes=time(23, 59))
    start = datetime.fromisoformat("2026-10-25T00:00+01:00")
    end = resolve("4bh", always, ZoneInfo(LISBON), start=start)
    assert (end - start).total_seconds() == 4 * 3600
    assert end.astimezone(ZoneInfo(LISBON)).hour == 3


def test_work_that_opens_when_the_clocks_change_opens_at_the_first_of_two_times() -> None:
    night = Calendar(zone=LISBON, days=frozenset({"sunday"}), opens=time(1, 30), closes=time(5))
    start = datetime.fromisoformat("2026-10-24T12:00+01:00")
    end = resolve("1bh", night, ZoneInfo(LISBON), start=start)
    assert end == datetime.fromisoformat("2026-10-25T01:30+00:00")


BAD: dict[str, dict[str, object]] = {
    "no working day": {"days": frozenset()},
    "a day that is none": {"days": frozenset({"caturday"})},
    "an end before the beginning": {"opens": time(17), "closes": time(9)},
    "an end at the beginning": {"opens": time(9), "closes": time(9)},
    "a zone that is a path": {"zone": "../../etc/passwd"},
    "a zone that is nothing": {"zone": ""},
}


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_a_calendar_that_never_opens_cannot_be_built(given: dict[str, object]) -> None:
    with pytest.raises(CalendarError):
        Calendar(**given)  # type: ignore[arg-type] # by the table


@pytest.mark.parametrize("duration", ["5bd", "5bh"])
def test_a_calendar_of_nothing_but_holidays_is_found_out(duration: str) -> None:
    every = frozenset(date.fromordinal(date(2026, 11, 1).toordinal() + day) for day in range(500))
    with pytest.raises(CalendarError, match="within a year"):
        ends(duration, "2026-11-20T14:00Z", "UTC", every)


@pytest.mark.parametrize("duration", ["", "3", "0bd", "3 bd", "-1bd", "bd", "12345bd", "1.5bh", "3BD"])
def test_a_duration_that_is_none_is_refused(duration: str) -> None:
    with pytest.raises(ValueFormatError, match="3bd"):
        ends(duration, "2026-11-20T14:00Z")
