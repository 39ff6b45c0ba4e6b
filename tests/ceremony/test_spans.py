# SPDX-License-Identifier: Apache-2.0
"""Until when, as people write it: read in one place."""

from datetime import UTC, datetime, timedelta

import pytest

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.spans import (
    Span,
    Until,
    WorkingTime,
    read_span,
    read_until,
    shortest,
    span_text,
    write_span,
)


def days(count: int) -> WorkingTime:
    return WorkingTime(count=count, in_days=True)


def hours(count: int) -> WorkingTime:
    return WorkingTime(count=count, in_days=False)


SPANS: list[tuple[str, Span, str]] = [
    ("90m", timedelta(minutes=90), "1 h 30 min"),
    ("72h", timedelta(hours=72), "3 days"),
    ("1d12h", timedelta(hours=36), "1 day 12 h"),
    ("3bd", days(3), "3 business days"),
    ("1bd", days(1), "1 business day"),
    ("4bh", hours(4), "4 business hours"),
    ("1bh", hours(1), "1 business hour"),
    ("9999bh", hours(9999), "9999 business hours"),
]
INSTANTS = {
    "2026-11-25T17:00Z": datetime(2026, 11, 25, 17, tzinfo=UTC),
    "2026-11-25T17:00+01:00": datetime(2026, 11, 25, 16, tzinfo=UTC),
    "2026-11-25T17:00:30-05:30": datetime(2026, 11, 25, 22, 30, 30, tzinfo=UTC),
    "2026-11-25T17:00:30.250Z": datetime(2026, 11, 25, 17, 0, 30, 250_000, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "span", "said"), SPANS)
def test_a_duration_is_read_and_said(text: str, span: Span, said: str) -> None:
    assert read_span(text) == read_until(text) == span
    assert span_text(span) == said


@pytest.mark.parametrize(("text", "at"), INSTANTS.items())
def test_an_instant_is_read_with_its_zone(text: str, at: Until) -> None:
    assert read_until(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "0bd",
        "3 bd",
        "-1bd",
        "bd",
        "12345bd",
        "1.5bh",
        "3BD",
        "3bd4bh",
        "\u0663bd",
        "never",
        "tomorrow",
    ],
)
def test_what_is_no_duration_is_refused_with_examples_of_each(text: str) -> None:
    for read in (read_span, read_until):
        with pytest.raises(ValueFormatError, match=r"expected .*72h .*3bd .*8bh") as refusal:
            read(text)
        assert str(refusal.value).isascii()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T17:00",  # whose five o'clock?
        "2026-11-25",
        "2026-11-25 17:00Z",
        "2026-02-30T17:00Z",
        "2026-11-25T25:00Z",
        "2026-11-25T17:00+1:00",
        "2026-11-25T17:00+99:00",
        "2026-W48-3T17:00Z",
        "0001-01-01T00:00+12:00",
        "2026-11-25T17:00Z, or so",
    ],
)
def test_what_begins_as_a_date_must_be_an_instant_with_its_zone(text: str) -> None:
    with pytest.raises(ValueFormatError, match="expected an instant with its zone"):
        read_until(text)


def test_an_instant_is_no_duration() -> None:
    with pytest.raises(ValueFormatError, match="expected a duration"):
        read_span("2026-11-25T17:00Z")


@pytest.mark.parametrize(("text", "span", "_"), SPANS)
def test_working_time_is_written_as_it_is_read(text: str, span: Span, _: str) -> None:
    if isinstance(span, WorkingTime):
        assert str(span) == text


def test_working_time_takes_at_least_so_long_by_the_clock() -> None:
    assert shortest(timedelta(hours=3)) == timedelta(hours=3)
    assert shortest(hours(8)) == timedelta(hours=8)
    assert timedelta(0) < shortest(days(1)) < timedelta(hours=1)
    assert shortest(days(8)) > timedelta(days=6)


def test_working_time_of_nothing_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="at least one"):
        hours(0)


@pytest.mark.parametrize("span", [span for _, span, _ in SPANS])
def test_what_is_written_is_read_as_the_same(span: Span) -> None:
    assert read_span(write_span(span)) == span


def test_a_duration_is_written_with_the_largest_unit_first() -> None:
    assert write_span(timedelta(days=15, hours=3, seconds=1)) == "2w1d3h1s"
    assert write_span(timedelta(0)) == "0s"
