# SPDX-License-Identifier: Apache-2.0
"""Durations and instants as people read and write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.terminal import distance_text, duration_text, instant_text, parse_duration

AT = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "under a second"),
        (timedelta(milliseconds=999), "under a second"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=90), "1 min 30 s"),
        (timedelta(minutes=5, seconds=30), "5 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=2, minutes=14, seconds=59), "2 h 14 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=1, hours=3, minutes=59), "1 day 3 h"),
        (timedelta(hours=72), "3 days"),
        (timedelta(days=400, hours=1), "400 days 1 h"),
    ],
)
def test_a_duration_is_said_in_at_most_two_units_rounded_down(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


def test_a_negative_duration_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not negative"):
        duration_text(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("72h", timedelta(days=3)),
        ("3d", timedelta(days=3)),
        ("90m", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("2w", timedelta(days=14)),
        ("1d12h", timedelta(hours=36)),
        ("1w2d3h4m5s", timedelta(days=9, hours=3, minutes=4, seconds=5)),
        ("0h5m", timedelta(minutes=5)),
        ("604800s", timedelta(days=7)),
    ],
)
def test_a_written_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        *("", "3", "d", "3bd", "never", "3D", "\u0663d", "1234567d", "1h1d", "1h1h"),
        *("3 d", " 3d", "3d\n", "-3d", "+3d", "1.5h", "0s", "0d0h"),
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration") as refusal:
        parse_duration(text)
    assert str(refusal.value).isascii()


@given(st.integers(1, 99_999), st.sampled_from("wdhms"))
def test_the_units_agree_with_each_other(number: int, unit: str) -> None:
    seconds = number * {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}[unit]
    assert parse_duration(f"{number}{unit}") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT, "Fri 2026-11-20 14:07 UTC (15:07 CET)"),
        (AT.replace(month=7), "Mon 2026-07-20 14:07 UTC (16:07 CEST)"),
        (AT.replace(hour=23), "Fri 2026-11-20 23:07 UTC (Sat 2026-11-21 00:07 CET)"),
        (AT.replace(second=9), "Fri 2026-11-20 14:07:09 UTC (15:07:09 CET)"),
        (AT.replace(microsecond=500_000), "Fri 2026-11-20 14:07:00 UTC (15:07:00 CET)"),
        (AT.astimezone(BERLIN), "Fri 2026-11-20 14:07 UTC (15:07 CET)"),
    ],
)
def test_an_instant_is_said_in_utc_and_in_local_time(at: datetime, text: str) -> None:
    assert instant_text(at, zone=BERLIN) == text


def test_where_local_time_is_utc_it_is_said_once() -> None:
    assert instant_text(AT, zone=UTC) == "Fri 2026-11-20 14:07 UTC"
    assert instant_text(AT, zone=ZoneInfo("Africa/Abidjan")) == "Fri 2026-11-20 14:07 UTC"


def test_a_zone_without_a_name_is_said_by_its_offset() -> None:
    assert instant_text(AT, zone=timezone(timedelta(hours=5, minutes=45))).endswith("(19:52 UTC+05:45)")


def test_the_computers_own_zone_is_the_default() -> None:
    assert instant_text(AT) == instant_text(AT, zone=AT.astimezone().tzinfo)


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(hours=2, minutes=14), "in 2 h 14 min"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(milliseconds=999), "now"),
        (timedelta(milliseconds=-999), "just now"),
        (timedelta(), "just now"),
        (timedelta(seconds=1), "in 1 s"),
        (timedelta(seconds=-1), "1 s ago"),
    ],
)
def test_a_distance_says_its_direction(ahead: timedelta, text: str) -> None:
    assert distance_text(AT + ahead, AT) == text


def test_an_instant_without_a_zone_is_a_mistake_of_the_caller() -> None:
    naive = AT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        instant_text(naive)
    with pytest.raises(ValueError, match="time zone"):
        distance_text(AT, naive)
