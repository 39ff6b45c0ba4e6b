# SPDX-License-Identifier: Apache-2.0
"""Who asked, who decided, in which role, in whose place."""

from dataclasses import replace
from typing import Any

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.population import Audited, Period
from quorumseal.audit.questions import (
    deputies,
    outsiders,
    own_requests,
)
from tests.audit.evidence import bad, doctored, good, stood_in, under, with_request
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import delegation
from tests.changing import next_version
from tests.organisation import NOW, changed


def test_nobody_approved_their_own() -> None:
    story = Story()
    story.releases()
    answer = own_requests.ask(story.population(), EVER)
    assert answer.verdict is Verdict.CLEAN
    assert answer.says == "no: of 4 decisions in 1 ceremony none was by or for whoever had asked"
    assert good(answer) == ["rule standard: rita may ask, and may approve what others ask for"]


def test_where_nobody_holds_both_sorts_of_role_there_is_nothing_to_say_of_it() -> None:
    story = Story(changed(ACME, roles={**ACME.roles, "managers": ("mallory", "ci")}))
    story.releases()
    assert own_requests.ask(story.population(), EVER).exhibits == ()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"on_behalf_of": "alice"}, "widget 1.0: alice asked, and decided: approval"),
        ({"context": ACME.context("rita")}, "widget 1.0: rita asked, and decided: approval"),
    ],
    ids=["through a machine", "themselves"],
)
def test_whoever_asked_and_decided_is_found_though_the_rules_never_let_them(
    fields: dict[str, Any], says: str
) -> None:
    story = Story()
    story.releases()
    answer = own_requests.ask(doctored(story.population(), with_request(**fields)), EVER)
    assert bad(answer) == [says]
    assert answer.says == "yes: 1 decision by somebody who had asked"
    assert answer.next == ("audit", "show", answer.exceptions[0].ceremony)


def test_the_deputy_of_whoever_asked_is_found_too() -> None:
    population = stood_in()[0].population()
    assert bad(own_requests.ask(population, EVER)) == []
    answer = own_requests.ask(doctored(population, with_request(on_behalf_of="alice")), EVER)
    assert bad(answer) == ["widget 1.0: frank decided in the place of alice, who asked: approval"]


def test_about_the_policy_itself_whoever_asks_may_decide_and_that_is_said() -> None:
    story = Story()
    story.changes(next_version(ACME))
    answer = own_requests.ask(story.population(), EVER)
    assert answer.verdict is Verdict.CLEAN
    assert answer.says.endswith("in 2 decisions about the policy itself they did, as its rules let")


def test_everybody_was_in_the_role_that_they_decided_in() -> None:
    story = Story()
    story.releases()
    answer = outsiders.ask(story.population(), EVER)
    assert answer.says == (
        "no: each of 4 decisions and 1 request was by somebody whom the policy lists for it, "
        "under a version in force"
    )
    members = "engineering: alice, bob, erin; managers: ci, mallory, rita; release: dan, rita; security: "
    assert good(answer) == [f"policy version 1: {members}bob, carol, dan"]


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        (
            {"engineering": ("bob", "erin", "dan")},
            "alice decided as engineering, which policy version 1 does not give them",
        ),
        ({"managers": ("rita", "ci")}, "mallory asked, in no role that may ask under rule standard"),
    ],
    ids=["who decided", "who asked"],
)
def test_whoever_the_policy_does_not_list_is_found(roles: dict[str, tuple[str, ...]], found: str) -> None:
    story = Story()
    story.releases()
    others = changed(ACME, roles={**ACME.roles, **roles})
    answer = outsiders.ask(doctored(story.population(), under(others)), EVER)
    assert bad(answer) == [f"widget 1.0: {found}"]
    assert answer.says.startswith("yes: 1 time, of 4 decisions and 1 request")


def test_a_role_that_the_policy_does_not_have_is_nobodys() -> None:
    story = Story()
    story.releases("alice")
    only = changed(
        ACME,
        roles={"security": ("bob", "carol"), "managers": ("mallory",)},
        quorum={"security": 1},
        deputies={},
        spare=frozenset(),
        emergency=None,
    )
    answer = outsiders.ask(doctored(story.population(), under(only)), EVER)
    assert bad(answer) == [
        "widget 1.0: alice decided as engineering, which policy version 1 does not give them"
    ]


def test_a_deputy_is_in_the_role_and_without_being_listed_is_not() -> None:
    population = stood_in()[0].population()
    assert bad(outsiders.ask(population, EVER)) == []
    answer = outsiders.ask(
        doctored(population, under(changed(ACME, deputies={"security": ("frank",)}))), EVER
    )
    assert bad(answer) == [
        "widget 1.0: frank decided as engineering, which policy version 1 does not give them"
    ]


def test_what_a_later_version_took_counts_from_that_day_on_though_the_rules_refuse_it() -> None:
    story = Story()
    story.releases()
    story.changes(next_version(ACME, roles={**ACME.roles, "security": ("carol", "dan")}))
    population = story.population()

    def late(audited: Audited) -> Audited:
        entries = tuple(replace(each, index=each.index + 50) for each in audited.entries)
        return replace(audited, entries=entries)

    assert bad(outsiders.ask(doctored(population, late), EVER)) == [
        "widget 1.0: bob decided as security, which version 2 had taken from them by then"
    ]


def test_a_deputy_is_told_with_the_delegation() -> None:
    answer = deputies.ask(stood_in()[0].population(), EVER)
    assert answer.says == "1 decision in somebody's place; each with a delegation that held"
    when = "2026-11-20T14:00:00.000Z to 2026-11-21T14:00:00.000Z (entry 2)"
    assert good(answer) == [f"widget 1.0: frank decided for alice as engineering, delegated {when}"]


def test_a_delegation_that_came_while_it_was_open_is_found() -> None:
    story = Story()
    ceremony = story.asks()
    story.stands(delegation("alice", "engineering", "frank", acme=ACME))
    delegated = story.coordinator.chains[ceremony].ceremony.delegations["alice", "engineering"]
    decision = story.later(HOUR).decision("frank", ceremony, roles=["engineering"])
    story.sends(replace(decision, delegation=delegated.digest))
    assert "(entry 3)" in good(deputies.ask(story.population(), EVER))[0]


def test_a_delegation_that_is_not_there_or_does_not_hold_is_found_though_the_rules_refuse_it() -> None:
    population = stood_in()[0].population()

    def later(audited: Audited) -> Audited:
        first, second = audited.entries
        moved = replace(second, entry=replace(second.entry, at=NOW + DAY * 2))
        return replace(audited, entries=(first, moved))

    late = deputies.ask(doctored(population, later), Period(begin=NOW, end=EVER.end))
    assert late.says == "1 decision in somebody's place; 1 without a delegation that held"
    honest = Story()
    honest.asks()
    opening = honest.population().ceremonies[0].entries[0]

    def without(audited: Audited) -> Audited:
        return replace(audited, entries=(opening, audited.entries[1]))

    assert bad(deputies.ask(doctored(population, without), EVER)) == [
        "widget 1.0: frank decided in somebody's place, by a delegation that is not there"
    ]
