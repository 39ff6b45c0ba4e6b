# SPDX-License-Identifier: Apache-2.0
"""The log's clock: never back, and not ahead of the time that really passed."""

from datetime import UTC, datetime, timedelta

import pytest

from coordinator.clock import LogClock, elapsed_clock, wall_clock
from coordinator.errors import ReadOnlyError
from tests.coordinator.workshop import Time
from tests.organisation import NOW

SKEW = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (timedelta(0), NOW),
        (timedelta(seconds=1), NOW),
        (SKEW, NOW),
        (-timedelta(seconds=1), NOW + timedelta(seconds=1)),
    ],
)
def test_an_entrys_time_is_the_later_of_the_head_and_now(behind: timedelta, expected: datetime) -> None:
    assert Time(now=NOW - behind).clock().entry_time(NOW, SKEW) == expected


def test_writing_is_refused_while_now_lies_behind_the_head_by_more_than_the_skew() -> None:
    time = Time(now=NOW - SKEW - timedelta(milliseconds=1))
    clock = time.clock()
    with pytest.raises(ReadOnlyError, match="at or after the log's newest entry"):
        clock.entry_time(NOW, SKEW)
    time.pass_by(timedelta(milliseconds=1))
    assert clock.entry_time(NOW, SKEW) == NOW


def test_a_clock_that_runs_ahead_of_elapsed_time_turns_read_only_for_good() -> None:
    time = Time(now=NOW)
    clock = time.clock()
    clock.entry_time(NOW, SKEW)
    time.pass_by(timedelta(days=3))
    assert clock.entry_time(NOW, SKEW) == NOW + timedelta(days=3)
    time.now += SKEW + timedelta(milliseconds=1)
    for _ in range(2):
        with pytest.raises(ReadOnlyError, match="after the time that passed"):
            clock.entry_time(NOW, SKEW)
        time.now = NOW + timedelta(days=3)  # setting it back does not make it trusted


def test_small_steps_ahead_add_up() -> None:
    time = Time(now=NOW)
    clock = time.clock()
    with pytest.raises(ReadOnlyError):  # noqa: PT012 - the step that is one too many is not known
        for _ in range(10):
            clock.entry_time(NOW, SKEW)
            time.pass_by(timedelta(minutes=1))
            time.now += timedelta(seconds=50)
    assert time.now < NOW + timedelta(minutes=10)


def test_a_coordinator_that_is_started_again_goes_on() -> None:
    time = Time(now=NOW)
    clock = time.clock()
    clock.entry_time(NOW, SKEW)
    time.now += timedelta(hours=1)
    with pytest.raises(ReadOnlyError):
        clock.entry_time(NOW, SKEW)
    assert time.clock().entry_time(NOW, SKEW) == NOW + timedelta(hours=1)


def test_whoever_asks_hears_that_the_clock_runs_ahead_before_anything_is_written() -> None:
    time = Time(now=NOW)
    clock = time.clock()
    assert not clock.runs_ahead(SKEW)
    clock.entry_time(NOW, SKEW)
    time.pass_by(timedelta(days=9))
    time.now += SKEW
    assert not clock.runs_ahead(SKEW)
    time.now += timedelta(milliseconds=1)
    assert clock.runs_ahead(SKEW)
    with pytest.raises(ReadOnlyError):
        clock.entry_time(NOW, SKEW)
    time.now = NOW
    assert clock.runs_ahead(SKEW), "until an operator has looked at it"
    assert not time.clock().runs_ahead(SKEW)


def test_times_are_cut_to_whole_milliseconds_and_never_rounded_up() -> None:
    assert Time(now=NOW + timedelta(microseconds=999)).clock().entry_time(NOW, SKEW) == NOW


def test_the_real_clocks_go_forward() -> None:
    assert wall_clock().tzinfo is UTC
    assert elapsed_clock() <= elapsed_clock()
    assert LogClock().now().microsecond % 1000 == 0
