# SPDX-License-Identifier: Apache-2.0
"""When working time ends: across weekends, holidays, zones, years and both changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.ceremony.calendar import DAYS, Calendar, resolve
from quorumseal.ceremony.errors import CalendarError
from quorumseal.ceremony.spans import read_until

LISBON, NEW_YORK, KOLKATA = "Europe/Lisbon", "America/New_York", "Asia/Kolkata"
LORD_HOWE = "Australia/Lord_Howe"  # half an hour of summer time
KATHMANDU = "Asia/Kathmandu"  # 05:45 ahead of UTC
CHRISTMAS = frozenset({date(2026, 12, 24), date(2026, 12, 25)})


def ends(until: str, start: str, zone: str = "UTC", holidays: frozenset[date] = frozenset()) -> str:
    return ends_under(Calendar(zone=zone, holidays=holidays), until, datetime.fromisoformat(start))


def ends_under(calendar: Calendar, until: str, start: datetime) -> str:
    at = resolve(read_until(until), calendar, ZoneInfo(calendar.zone), start=start)
    return at.astimezone(UTC).isoformat(timespec="minutes")


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
    ("8bh", "2026-03-27T16:00Z", LISBON, "2026-03-30T15:00+00:00"),
    ("72h", "2026-03-28T12:00Z", LISBON, "2026-03-31T12:00+00:00"),
    ("9bh", "2026-03-06T21:00Z", NEW_YORK, "2026-03-09T21:00+00:00"),
    ("9bh", "2026-10-30T20:00Z", NEW_YORK, "2026-11-02T22:00+00:00"),
    # summer time of half an hour (5 April and 4 October), and an offset of three quarters
    ("1bd", "2026-04-03T01:00Z", LORD_HOWE, "2026-04-06T06:30+00:00"),
    ("1bd", "2026-10-02T02:00Z", LORD_HOWE, "2026-10-05T06:00+00:00"),
    ("8bh", "2026-04-03T05:00Z", LORD_HOWE, "2026-04-06T05:30+00:00"),
    ("8bh", "2026-10-02T05:30Z", LORD_HOWE, "2026-10-05T05:00+00:00"),
    ("1bd", "2026-07-15T06:00Z", KATHMANDU, "2026-07-16T11:15+00:00"),
    ("2bh", "2026-07-15T06:00Z", KATHMANDU, "2026-07-15T08:00+00:00"),
    # out of hours, and in the instants of opening and closing
    ("8bh", "2026-11-20T09:00Z", "UTC", "2026-11-20T17:00+00:00"),
    ("1bh", "2026-11-20T17:00Z", "UTC", "2026-11-23T10:00+00:00"),
    ("1bh", "2026-11-20T16:59Z", "UTC", "2026-11-23T09:59+00:00"),
    ("8bh", "2026-11-21T12:00Z", "UTC", "2026-11-23T17:00+00:00"),
    ("1bd", "2026-11-19T17:00Z", "UTC", "2026-11-20T17:00+00:00"),
    ("1bd", "2026-11-19T00:00Z", "UTC", "2026-11-20T17:00+00:00"),
    ("1bh", "2026-12-25T12:00Z", "UTC", "2026-12-28T10:00+00:00"),
    # the year's end, which is not everywhere at once, and a leap day
    ("1bd", "2026-12-31T12:00Z", "UTC", "2027-01-01T17:00+00:00"),
    ("1bd", "2027-01-01T03:00Z", NEW_YORK, "2027-01-01T22:00+00:00"),
    ("1bd", "2027-01-01T03:00Z", KOLKATA, "2027-01-04T11:30+00:00"),
    ("1bd", "2028-02-28T12:00Z", "UTC", "2028-02-29T17:00+00:00"),
    # a date that a zone left out: Samoa had no 30 December 2011
    ("1bd", "2011-12-29T20:00Z", "Pacific/Apia", "2011-12-31T03:00+00:00"),
    # an instant is itself
    ("2026-11-25T17:00+01:00", "2026-11-20T14:00Z", NEW_YORK, "2026-11-25T16:00+00:00"),
]


@pytest.mark.parametrize(("duration", "start", "zone", "end"), TABLE)
def test_a_duration_ends(duration: str, start: str, zone: str, end: str) -> None:
    assert ends(duration, start, zone, CHRISTMAS) == end


ALWAYS = Calendar(zone=LISBON, days=frozenset(DAYS), opens=time(0), closes=time(23, 59))
TO_SUMMER, TO_WINTER = date(2026, 3, 29), date(2026, 10, 25)


@pytest.mark.parametrize(
    ("until", "day", "fold", "end"),
    [
        # 01:30 was not on the 29th of March: the clocks went from 01:00 to 02:00, and fold says whose it was
        ("2bh", TO_SUMMER, 0, "2026-03-29T03:30+00:00"),
        ("2bh", TO_SUMMER, 1, "2026-03-29T02:30+00:00"),
        ("1bd", TO_SUMMER, 0, "2026-03-30T22:59+00:00"),
        ("1bd", TO_SUMMER, 1, "2026-03-30T22:59+00:00"),
        ("2h", TO_SUMMER, 0, "2026-03-29T03:30+00:00"),
        # 01:30 was twice on the 25th of October
        ("2bh", TO_WINTER, 0, "2026-10-25T02:30+00:00"),
        ("2bh", TO_WINTER, 1, "2026-10-25T03:30+00:00"),
        ("1bd", TO_WINTER, 0, "2026-10-26T23:59+00:00"),
        ("1bd", TO_WINTER, 1, "2026-10-26T23:59+00:00"),
        ("2h", TO_WINTER, 0, "2026-10-25T02:30+00:00"),
        ("2h", TO_WINTER, 1, "2026-10-25T03:30+00:00"),
    ],
)
def test_a_start_when_the_clocks_change_is_one_instant(until: str, day: date, fold: int, end: str) -> None:
    start = datetime.combine(day, time(1, 30, fold=fold), tzinfo=ZoneInfo(LISBON))
    assert ends_under(ALWAYS, until, start) == end


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        (LISBON, "2026-10-25T00:00+01:00", "2026-10-25T03:00+00:00"),
        (LISBON, "2026-03-29T00:00+00:00", "2026-03-29T04:00+00:00"),
        (LORD_HOWE, "2026-10-04T00:00+10:30", "2026-10-03T17:30+00:00"),
        (LORD_HOWE, "2026-04-05T00:00+11:00", "2026-04-04T17:00+00:00"),
        (NEW_YORK, "2026-11-01T00:00-04:00", "2026-11-01T08:00+00:00"),
    ],
)
def test_hours_that_span_a_change_of_the_clocks_are_hours_that_pass(zone: str, start: str, end: str) -> None:
    always = Calendar(zone=zone, days=frozenset(DAYS), opens=time(0), closes=time(23, 59))
    assert ends_under(always, "4bh", datetime.fromisoformat(start)) == end


@pytest.mark.parametrize(
    ("opens", "closes", "until", "start", "end"),
    [
        # a time that the clocks left out is as long after midnight as it would have been
        ("01:30", "05:00", "1bh", "2026-03-28T12:00Z", "2026-03-29T02:30+00:00"),
        ("01:30", "05:00", "3bh", "2026-03-28T12:00Z", "2026-04-05T01:00+00:00"),
        ("00:00", "01:30", "1bd", "2026-03-28T12:00Z", "2026-03-29T01:30+00:00"),
        # work that would open after it closed does not open that day
        ("01:30", "02:15", "1bh", "2026-03-28T12:00Z", "2026-04-12T00:45+00:00"),
        # of a time that was twice, the first
        ("01:30", "05:00", "1bh", "2026-10-24T11:00Z", "2026-10-25T01:30+00:00"),
        ("00:00", "01:30", "1bd", "2026-10-24T11:00Z", "2026-10-25T00:30+00:00"),
        ("00:00", "01:30", "2bh", "2026-10-24T11:00Z", "2026-11-01T00:30+00:00"),
    ],
)
def test_work_may_open_and_close_while_the_clocks_change(
    opens: str, closes: str, until: str, start: str, end: str
) -> None:
    night = Calendar(
        zone=LISBON,
        days=frozenset({"sunday"}),
        opens=time.fromisoformat(opens),
        closes=time.fromisoformat(closes),
    )
    assert ends_under(night, until, datetime.fromisoformat(start)) == end


@given(
    st.sampled_from([LISBON, NEW_YORK, KOLKATA, LORD_HOWE, KATHMANDU, "UTC"]),
    st.integers(0, 600 * 1440),
    st.integers(1, 20),
)
def test_business_hours_are_as_many_open_minutes_as_a_clock_counts(
    zone: str, minutes: int, hours: int
) -> None:
    calendar = Calendar(zone=zone, holidays=CHRISTMAS)
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    end = resolve(read_until(f"{hours}bh"), calendar, ZoneInfo(zone), start=start)
    minute, counted, before = start, 0, False
    while minute < end:
        local = minute.astimezone(ZoneInfo(zone))
        before = calendar.works_on(local.date()) and calendar.opens <= local.time() < calendar.closes
        counted += before
        minute += timedelta(minutes=1)
    assert (counted, before) == (hours * 60, True)


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


@pytest.mark.parametrize("until", ["9999bd", "9999bh", "999999w"])
def test_an_end_that_nobody_will_see_is_refused(until: str) -> None:
    with pytest.raises(CalendarError) as refusal:
        ends(until, "2026-11-20T14:00Z")
    assert "shorter" in refusal.value.hint


def test_without_a_calendar_work_is_monday_to_friday_nine_to_five_in_utc() -> None:
    usual = Calendar()
    assert (usual.zone, usual.opens, usual.closes) == ("UTC", time(9), time(17))
    assert [usual.works_on(date(2026, 11, day)) for day in range(16, 23)] == [True] * 5 + [False] * 2
    assert not usual.holidays
