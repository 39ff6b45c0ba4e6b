# SPDX-License-Identifier: Apache-2.0
"""Measures of what is rare: emergencies beside their limit, policies that weaken, waivers, old keys."""

from dataclasses import replace
from datetime import timedelta

from quorumseal.audit.effectiveness import Bars, Measure, measures
from quorumseal.audit.effectiveness.load import bus_factors
from quorumseal.audit.population import Population
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import reports
from tests.changing import next_version
from tests.losing import by_owner
from tests.organisation import NOW, Organisation


def named(population: Population, name: str) -> Measure:
    return next(each for each in measures(population, EVER, at=NOW + 40 * DAY) if each.name == name)


def test_emergencies_stand_beside_their_limit_with_what_became_of_them() -> None:
    story = Story()
    first = story.breaks_glass()
    story.join(first)
    story.happens(first, reports(story.coordinator.chains[first], "dan", acme=ACME, at=story.now))
    story.later(DAY)
    second = story.breaks_glass()
    story.join(second)
    measure = named(story.population(), "break-glass")
    assert measure.rows == (("widget", "2", "2", "0", "0", "1", "2 of 2"),)
    assert "2 emergencies for 1 product" in measure.said
    assert isinstance(measure.picture, Bars)
    assert measure.picture.limit == 2
    assert measure.picture.bars[0].notable
    time = named(story.population(), "time-to-quorum")
    assert [row[0] for row in time.rows] == ["emergency"]


def test_a_version_that_weakens_is_pointed_out() -> None:
    story = Story()
    story.releases()
    weaker = next_version(ACME, roles={**ACME.roles, "release": (*ACME.roles["release"], "yann")})
    story.changes(weaker)
    population = story.population()
    measure = named(population, "policy-drift")
    (row,) = measure.rows
    assert row[0] == "2"
    assert int(row[2]) >= int(row[3])
    assert "1 version began to hold" in measure.said
    none = measures(population, replace(EVER, end=NOW), at=NOW)
    assert next(each for each in none if each.name == "policy-drift").rows == ()


def test_a_waived_check_is_counted_with_who_waived_it() -> None:
    story = Story()
    ceremony = story.asks()
    checks = (
        Check(name="artifacts", outcome=CheckOutcome.PASS),
        Check(name="scan", outcome=CheckOutcome.WAIVED),
    )
    waived = replace(story.later(HOUR).decision("alice", ceremony), checks=checks)
    story.sends(waived)
    measure = named(story.population(), "waivers")
    assert measure.rows[-1] == ("scan", "0", "1", "0", "0", "alice")
    assert "1 waived" in measure.said
    assert isinstance(measure.picture, Bars)
    assert [bar.notable for bar in measure.picture.bars] == [False, True]


def test_a_key_says_whether_it_still_holds() -> None:
    story = Story()
    story.stands(by_owner("alice", since=NOW, acme=ACME).statement, key=ACME.spare_key("alice"))
    population = story.population()
    measure = named(population, "key-ages")
    assert any(row[5].startswith("revoked since") for row in measure.rows if row[0] == "alice")
    late = measures(population, EVER, at=NOW + 900 * DAY)[-1]
    assert {row[5] for row in late.rows} >= {"ended"}
    early = measures(population, EVER, at=NOW - 900 * DAY)[-1]
    assert "not yet" in {row[5] for row in early.rows}
    assert late.said.endswith("none end within 30 days.")


def test_a_person_is_told_apart_from_the_machine_that_asks_for_them() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(timedelta(hours=2))
    story.approves(ceremony)
    pairs = named(story.population(), "pairs")
    assert {row[0] for row in pairs.rows} == {"mallory"}


def test_who_abstained_approved_for_nobody() -> None:
    story = Story()
    ceremony = story.asks()
    story.later(HOUR).decides("erin", ceremony, Choice.ABSTENTION)
    story.approves(ceremony)
    rejected = story.later(DAY).asks()
    story.later(HOUR).decides("alice", rejected, Choice.REJECTION)
    population = story.population()
    assert "erin" not in {row[1] for row in named(population, "pairs").rows}
    assert any(row[0] == "alice" and row[2] == "1" for row in named(population, "review-time").rows)
    assert sum(int(row[1]) for row in named(population, "load").rows) >= 5


def test_whoever_proposes_a_policy_and_approves_it_is_no_pair() -> None:
    """There everybody of the governance decides, who proposed it too."""
    story = Story()
    story.releases()
    story.changes(next_version(ACME, clock_skew=timedelta(minutes=4)))
    pairs = named(story.population(), "pairs")
    assert {row[0] for row in pairs.rows} == {"mallory"}


def test_a_rule_that_one_absent_person_stops_is_named() -> None:
    lonely = Organisation(roles={**Organisation().roles, "security": ("carol",)})
    measure = bus_factors(lonely.policy.policy)
    assert "one absent person stops" in measure.said
    assert any(row[1] == "1" and "carol" in row[3] for row in measure.rows)
