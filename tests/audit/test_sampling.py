# SPDX-License-Identifier: Apache-2.0
"""A sample: drawn again by anybody, with every exception in it."""

import subprocess

import pytest

from quorumseal.audit.population import Period, Population
from quorumseal.audit.sampling import draw, rank_of
from quorumseal.ceremony.statements import Choice
from quorumseal.strict_json import read, write
from tests.audit.stories import DAY, EVER, HOUR, Story
from tests.organisation import NOW

CEREMONY = "01934000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def population() -> Population:
    """Six releases, of which the third was rejected."""
    story = Story()
    for number in range(6):
        if number == 2:
            story.later(HOUR).decides("carol", story.asks(), Choice.REJECTION)
        else:
            story.releases()
    return story.population()


def test_a_rank_is_made_by_hand_with_sha256sum() -> None:
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n%s' 'lottery of 1 April' {CEREMONY} | sha256sum"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.split()[0] == rank_of("lottery of 1 April", CEREMONY)


def test_the_lowest_ranks_are_drawn_in_their_order(population: Population) -> None:
    ordinary = [each.id for each in population.ceremonies if each.state == "approved"]
    by_rank = sorted(ordinary, key=lambda ceremony: rank_of("seed", ceremony))
    for n in range(7):
        drawn = draw(population, EVER, seed="seed", n=n)
        assert [each.audited.id for each in drawn.ordinary] == by_rank[:n]
        assert (drawn.ordinary_in_all, drawn.population) == (5, 6)


def test_every_exception_is_included_however_small_the_sample(population: Population) -> None:
    [only] = draw(population, EVER, seed="seed", n=0).exceptional
    assert (only.audited.state, only.exceptions) == ("rejected", ("rejected",))


def test_another_seed_draws_others(population: Population) -> None:
    samples = {
        tuple(each.audited.id for each in draw(population, EVER, seed=str(seed), n=2).ordinary)
        for seed in range(20)
    }
    assert len(samples) > 5


def test_what_is_added_to_the_population_moves_nobody(population: Population) -> None:
    until = Period(begin=NOW, end=population.ceremonies[-1].opened_at)
    fewer, more = (draw(population, period, seed="seed", n=99).ordinary for period in (until, EVER))
    ids = [each.audited.id for each in fewer]
    assert [each.audited.id for each in more if each.audited.id in ids] == ids


def test_an_exception_outside_the_period_makes_no_ceremony_exceptional(population: Population) -> None:
    rejected = next(each for each in population.ceremonies if each.state == "rejected")
    day_before = Period(begin=NOW, end=rejected.entries[-1].entry.at)
    assert draw(population, day_before, seed="seed", n=9).exceptional == ()


def test_a_sample_is_json_that_can_be_written(population: Population) -> None:
    value = draw(population, Period(begin=NOW, end=NOW + DAY * 9), seed="seed", n=2).to_json()
    assert read(write(value), max_bytes=1 << 20) == value
    assert (value["population"], value["seed"]) == (6, "seed")
