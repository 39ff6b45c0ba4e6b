# SPDX-License-Identifier: Apache-2.0
"""Emergencies, and what is owed after them."""

from datetime import datetime

import pytest

from quorumseal.audit.answer import Verdict
from quorumseal.audit.population import Period
from quorumseal.audit.questions import (
    emergencies,
)
from quorumseal.ceremony.statements import (
    Choice,
)
from tests.audit.evidence import bad, good, used
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import vetoes
from tests.organisation import NOW, REASON

NOT_RATIFIED = "widget 1.0 (emergency): it lapsed: nobody ratified it by 2026-11-23T14:00:00.000Z"
NOT_REPORTED = "widget 1.0 (emergency): nobody reported on it by 2026-11-27T14:12:00.000Z"


@pytest.mark.parametrize(
    ("story", "as_of", "found"),
    [
        (used(ratified=True, reported=DAY), EVER.end, []),
        (used(reported=DAY), EVER.end, [NOT_RATIFIED]),
        (used(ratified=True), EVER.end, [NOT_REPORTED]),
        (used(), EVER.end, [NOT_RATIFIED, NOT_REPORTED]),
        (used(), NOW + HOUR, []),
        (used(ratified=True, reported=DAY * 8), EVER.end, ["widget 1.0 (emergency): erin reported, late"]),
    ],
    ids=["all done", "not ratified", "not reported", "neither", "neither yet", "reported late"],
)
def test_what_is_owed_after_an_emergency_is_told(story: Story, as_of: datetime, found: list[str]) -> None:
    answer = emergencies.ask(story.population(), Period(begin=NOW - DAY, end=as_of))
    assert bad(answer) == found
    late = {0: "nothing after them is late or missing", 1: "1 thing after them is late or missing"}
    assert answer.says == (
        "1 emergency, 1 of which released something; "
        + late.get(len(found), "2 things after them are late or missing")
    )


def test_an_emergency_is_told_with_its_reason_its_people_and_its_texts() -> None:
    answer = emergencies.ask(used(ratified=True, reported=DAY).population(), EVER)
    told = [each.says.removeprefix("widget 1.0 (emergency): ") for each in answer.exhibits]
    assert told[0] == (
        "invoked by mallory because of outage (INC-1), for 2 people, provisional until "
        "2026-11-23T14:00:00.000Z; 0 deliveries of notices on record"
    )
    assert told[1:4] == ["alice joined", "carol joined", "erin reported"]
    assert told[4].startswith("ratified by the full quorum in ceremony ")
    assert [text for _, text in answer.exhibits[0].texts] == [REASON, REASON]
    assert answer.exhibits[3].texts == (("erin", REASON),)
    assert answer.next == ("audit", "show", answer.exhibits[0].ceremony)


def test_what_is_still_owed_and_may_yet_come_is_no_exception() -> None:
    answer = emergencies.ask(used().population(), Period(begin=NOW - DAY, end=NOW + HOUR))
    assert [each.removeprefix("widget 1.0 (emergency): ") for each in good(answer)[-2:]] == [
        "it is not ratified yet, and may be until 2026-11-23T14:00:00.000Z",
        "a report on it is owed until 2026-11-27T14:12:00.000Z",
    ]


def test_a_veto_a_rejection_and_an_open_emergency_are_told() -> None:
    vetoed, declined, waiting = Story(), Story(), Story()
    ceremony = vetoed.breaks_glass()
    vetoed.later()
    vetoed.happens(ceremony, vetoes(vetoed.coordinator.chains[ceremony], "dan", acme=ACME, at=vetoed.now))
    other = declined.breaks_glass()
    declined.later().decides("alice", other, Choice.ABSTENTION)
    waiting.breaks_glass()
    stories = (vetoed, declined, waiting)
    answers = [good(emergencies.ask(story.population(), EVER)) for story in stories]
    told = [[each.removeprefix("widget 1.0 (emergency): ") for each in answer[1:]] for answer in answers]
    assert told == [
        ["dan vetoed it", "it released nothing: rejected"],
        ["alice decided: abstention", "it is still open"],
        ["it is still open"],
    ]


def test_a_period_without_emergencies_says_so() -> None:
    story = Story()
    story.releases()
    answer = emergencies.ask(story.population(), EVER)
    assert answer.says.startswith("0 emergencies, 0 of which")
    assert answer.verdict is Verdict.CLEAN
