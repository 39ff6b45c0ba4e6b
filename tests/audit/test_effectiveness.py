# SPDX-License-Identifier: Apache-2.0
"""Measures say what the log bears out; their pictures are inert, and say the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest

from quorumseal.audit.answer import listed
from quorumseal.audit.effectiveness import Bar, Bars, Grid, Measure, measures
from quorumseal.audit.effectiveness.measure import quantile
from quorumseal.audit.examining import populate
from quorumseal.audit.pictures import svg
from quorumseal.audit.population import Audited, Period, Population
from tests.audit.histories import TRUST, written
from tests.organisation import NOW

DAY = timedelta(days=1)
PERIOD = Period(begin=NOW - DAY, end=NOW + DAY)


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return populate(written(tmp_path_factory.mktemp("log"), entries=60), TRUST)


def named(population: Population, name: str, period: Period = PERIOD) -> Measure:
    return next(each for each in measures(population, period, at=NOW + DAY) if each.name == name)


def test_every_measure_has_a_table_a_picture_and_a_sentence(population: Population) -> None:
    found = measures(population, PERIOD, at=NOW + DAY)
    assert [each.name for each in found] == [
        "time-to-quorum",
        "review-time",
        "load",
        "bus-factor",
        "pairs",
        "break-glass",
        "policy-drift",
        "waivers",
        "key-ages",
    ]
    for measure in found:
        assert all(len(row) == len(measure.columns) for row in measure.rows), measure.name
        assert measure.said.endswith(".")
        drawn = ElementTree.fromstring(svg(measure))  # noqa: S314 - it is our own
        assert drawn.findtext("{*}title") == measure.title
        assert drawn.findtext("{*}desc") == measure.said


def test_a_period_without_anything_says_so(population: Population) -> None:
    empty = Period(begin=NOW + 9 * DAY, end=NOW + 10 * DAY)
    said = [each.said for each in measures(population, empty, at=NOW + DAY)]
    assert "No ceremony was approved in this period." in said
    assert said.count("Nobody decided in this period.") == 2
    assert "Nothing was approved in this period." in said
    for measure in measures(population, empty, at=NOW + DAY):
        assert "<svg" in svg(measure)


def test_what_is_decided_at_once_is_pointed_out(population: Population) -> None:
    """Everybody in this log decides within the minute."""
    measure = named(population, "review-time")
    assert "made at least half of their decisions within a minute" in measure.said
    assert isinstance(measure.picture, Bars)
    assert all(
        bar.notable and bar.said.endswith("hasty") for bar in measure.picture.bars if bar.label != "erin"
    )


def test_decisions_are_counted_by_person_and_by_pair(population: Population) -> None:
    load, pairs = named(population, "load"), named(population, "pairs")
    decided = sum(entry.entry.type == "decided" for each in population.ceremonies for entry in each.entries)
    assert sum(int(row[1]) for row in load.rows) == decided
    assert isinstance(pairs.picture, Grid)
    approved = sum(each.state == "approved" for each in population.ceremonies)
    assert max(max(row) for row in pairs.picture.counts) <= approved


def test_time_is_measured_to_the_quorum(population: Population) -> None:
    later = [
        replace(
            each,
            chain=replace(
                each.chain,
                ceremony=replace(each.ceremony, ended_at=each.opened_at + number * timedelta(hours=2)),
            ),
        )
        for number, each in enumerate(population.ceremonies)
        if each.ended_at
    ]
    measure = named(replace(population, ceremonies=tuple(later)), "time-to-quorum")
    assert "the longest took" in measure.said
    assert isinstance(measure.picture, Bars)
    assert sum(bar.value for bar in measure.picture.bars) == sum(each.state == "approved" for each in later)


def _ended(audited: Audited, at: datetime) -> Audited:
    ceremony = replace(audited.ceremony, ended_at=at)
    return replace(audited, chain=replace(audited.chain, ceremony=ceremony))


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3), (0.9, 5), (0.2, 1), (1.0, 5)])
def test_a_quantile_is_one_of_the_values(share: float, expected: int) -> None:
    durations = [timedelta(hours=hours) for hours in (5, 1, 4, 2, 3)]
    assert quantile(durations, share) == timedelta(hours=expected)


HOSTILE = "</text><script>alert(1)</script>\u202e&\"'"


@pytest.mark.parametrize(
    "picture",
    [
        Bars((Bar(HOSTILE, 1, HOSTILE, notable=True), Bar("b", 0, "none")), limit=2),
        Bars(tuple(Bar(str(number), number, str(number)) for number in range(60))),
        Bars(()),
        Grid((HOSTILE,), (HOSTILE, "b"), ((0, 3),)),
        Grid(("a",), ("b",), ((0,),)),
        Grid((), (), ()),
    ],
)
def test_a_picture_is_inert_whatever_it_says(picture: Bars | Grid) -> None:
    measure = Measure(name="m", title=HOSTILE, said=HOSTILE, columns=(), rows=(), picture=picture)
    drawn = svg(measure)
    tree = ElementTree.fromstring(drawn)  # noqa: S314 - it is our own
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "title", "desc", "defs", "pattern", "path", "rect", "text"}
    assert not any(
        name.startswith("on") or "href" in name for element in tree.iter() for name in element.attrib
    )
    assert "\u202e" not in drawn


def test_whoever_made_as_many_is_named_as_well(population: Population) -> None:
    tied = replace(population, ceremonies=population.ceremonies[:1])
    load, pairs = named(tied, "load"), named(tied, "pairs")
    most = [row[0] for row in load.rows if row[1] == load.rows[0][1]]
    assert len(most) > 1
    assert f"{listed(most)} made the most, {load.rows[0][1]} each" in load.said
    assert pairs.said.count(" for ") == min(3, len(pairs.rows))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["alice"], "alice"),
        (["alice", "bob"], "alice and bob"),
        (["alice", "bob", "carol"], "alice, bob and carol"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_names_are_listed_as_people_say_them(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_words_that_do_not_fit_a_line_have_a_line_each() -> None:
    short, long = Bar("alice", 1, "1 min"), Bar("a" * 24, 1, "b" * 40)
    heights = [
        float(ElementTree.fromstring(svg(_measure(Bars((bar,))))).attrib["height"])  # noqa: S314 - our own
        for bar in (short, long)
    ]
    assert heights[1] > heights[0]


def _measure(picture: Bars) -> Measure:
    return Measure(name="m", title="t", said="s", columns=(), rows=(), picture=picture)
