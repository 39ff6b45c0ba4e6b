# SPDX-License-Identifier: Apache-2.0
"""What holds of every answer, and whether the population is everything that there was."""

from dataclasses import replace

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import cut
from quorumseal.audit.population import Period
from quorumseal.audit.questions import (
    complete,
)
from quorumseal.audit.questions.table import QUESTIONS, UNAPPROVED
from quorumseal.ceremony.statements import (
    Choice,
)
from quorumseal.strict_json import read, write
from quorumseal.tlog import hash_text
from tests.audit.copying import trust_in
from tests.audit.evidence import bad
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.changing import next_version
from tests.organisation import NOW


@pytest.fixture(scope="module")
def eventful() -> Story:
    """A release, a rejection, an emergency, a change of policy, a suspension, a release."""
    story = Story()
    story.releases()
    story.later(HOUR).decides("carol", story.asks(), Choice.REJECTION)
    emergency = story.later(DAY).breaks_glass()
    story.join(emergency)
    story.later(DAY).changes(next_version(ACME, roles={**ACME.roles, "engineering": ("alice", "bob")}))
    story.later(HOUR).releases()
    return story


@pytest.mark.parametrize("word", [word for word in QUESTIONS if word != UNAPPROVED])
def test_every_answer_says_what_was_looked_at_and_what_the_log_cannot_tell(
    word: str, eventful: Story
) -> None:
    question = QUESTIONS[word]
    assert question.ask is not None
    answer = question.ask(eventful.population(), EVER)
    assert answer.question == question.asks
    assert answer.verdict is not Verdict.NOTHING
    assert answer.limits
    assert answer.says
    assert answer.next[0] == "audit"
    assert all(count >= 0 for _, count in answer.looked_at)
    value = answer.to_json()
    assert read(write(value), max_bytes=1 << 20) == value
    size = eventful.coordinator.log.size
    assert all(0 <= index < size for each in answer.exhibits for index in each.entries)


CAN_ANSWER_OVER_NO_CEREMONY = {"complete", "policy-changes", "leavers", "identities", "access"}


@pytest.mark.parametrize("word", [word for word in QUESTIONS if word != UNAPPROVED])
def test_over_nothing_no_answer_is_clean(word: str) -> None:
    question = QUESTIONS[word]
    assert question.ask is not None
    before = Period(begin=NOW - DAY * 2, end=NOW - DAY)
    answer = question.ask(Story().population(), before)
    if word in CAN_ANSWER_OVER_NO_CEREMONY:
        assert bad(answer) == []
    else:
        assert answer.verdict is Verdict.NOTHING


def test_each_question_is_asked_by_some_catalogue_of_controls() -> None:
    assert all("SOC 2" in each.asked_by for each in QUESTIONS.values())
    assert QUESTIONS[UNAPPROVED].ask is None


def test_the_population_is_complete_by_the_tree() -> None:
    story = Story()
    ceremony = story.releases()
    answer = complete.ask(story.population(), EVER)
    assert answer.verdict is Verdict.CLEAN
    assert answer.says == "yes: 1 ceremony touched the period, and the tree proves that there was no other"
    tree, sums, listed = answer.exhibits
    assert tree.digests == (hash_text(story.coordinator.log.roots[-1]),)
    assert sums.says == "6 entries of ceremonies, 1 of none and 0 before this copy are the log's 7"
    assert (listed.ceremony, listed.entries) == (ceremony, (1, 2, 3, 4, 5, 6))
    assert listed.says == "widget 1.0: approved, opened 2026-11-20T14:00:00.000Z by mallory"


def test_a_population_of_which_something_was_left_out_is_not() -> None:
    story = Story()
    story.releases()
    story.releases()
    population = story.population()
    fewer = replace(population, ceremonies=population.ceremonies[:1])
    answer = complete.ask(fewer, EVER)
    assert bad(answer) == ["6 entries of ceremonies, 1 of none and 0 before this copy are the log's 13"]
    assert answer.says.startswith("not shown: 1 ceremony touched the period")


def test_a_copy_that_begins_too_late_does_not_show_a_complete_population() -> None:
    story = Story()
    story.releases()
    story.releases()
    population = populate(cut(story.copy(texts=False), 7, [0]), trust_in(ACME))
    answer = complete.ask(population, EVER)
    assert answer.says.startswith("not shown: ")
    assert "every entry from number 7 on" in bad(answer)[0]
