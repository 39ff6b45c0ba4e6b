# SPDX-License-Identifier: Apache-2.0
"""What is out there, held against what was approved."""

from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.audit.listing import Listed
from quorumseal.audit.population import Period
from quorumseal.audit.questions import (
    unapproved,
)
from quorumseal.ceremony.statements import (
    Choice,
)
from tests.audit.evidence import bad, good, used
from tests.audit.stories import ACME, DAY, EVER, HOUR, Story
from tests.burning import revocation
from tests.organisation import NOW, SUBJECTS

WIDGET = SUBJECTS[0].digest
LAPSED = "an emergency that nobody ratified in time (widget 1.0 (emergency))"
ONES = "sha256:" + "1" * 64


def out_there(*listed: tuple[str, str]) -> list[Listed]:
    return [Listed(name, digest) for name, digest in listed]


def released() -> Story:
    story = Story()
    story.releases()
    return story


def taken_from_the_shelf() -> Story:
    story = released()
    request = next(iter(story.coordinator.chains.values())).ceremony.request
    back = replace(revocation(request.digest, ACME, number=90, at=story.now), version="1.0")
    story.approves(story.asks(back))
    return story


def rejected() -> Story:
    story = Story()
    story.later(HOUR).decides("carol", story.asks(), Choice.REJECTION)
    return story


@pytest.mark.parametrize(
    ("story", "listed", "as_of", "found", "rest"),
    [
        (released(), [("widget.tar.gz", WIDGET)], EVER.end, [], ["widget.tar.gz: approved (widget 1.0)"]),
        (released(), [("w.tgz", WIDGET)], EVER.end, [], ["w.tgz: approved (widget 1.0, as widget.tar.gz)"]),
        (
            released(),
            [("widget.tar.gz", WIDGET), ("extra.tar.gz", ONES)],
            EVER.end,
            ["extra.tar.gz: no ceremony was ever about it"],
            ["widget.tar.gz: approved (widget 1.0)"],
        ),
        (
            released(),
            [("widget.tar.gz", ONES)],
            EVER.end,
            [
                "widget.tar.gz: no ceremony was ever about it",
                "widget 1.0: approved, but widget.tar.gz is not listed",
            ],
            [],
        ),
        (
            taken_from_the_shelf(),
            [("widget.tar.gz", WIDGET)],
            EVER.end,
            ["widget.tar.gz: taken back, and still there (widget 1.0)"],
            [],
        ),
        (
            taken_from_the_shelf(),
            [("extra.tar.gz", ONES)],
            EVER.end,
            ["extra.tar.gz: no ceremony was ever about it"],
            [],
        ),
        (
            rejected(),
            [("widget.tar.gz", WIDGET)],
            EVER.end,
            ["widget.tar.gz: asked for, and never approved: rejected (widget 1.0)"],
            [],
        ),
        (
            used(),
            [("widget.tar.gz", WIDGET)],
            NOW + HOUR,
            [],
            ["widget.tar.gz: released by an emergency, provisionally (widget 1.0 (emergency))"],
        ),
        (
            used(),
            [("widget.tar.gz", WIDGET)],
            EVER.end,
            ["widget.tar.gz: released by an emergency that nobody ratified in time (widget 1.0 (emergency))"],
            [],
        ),
        (
            used(ratified=True),
            [("widget.tar.gz", WIDGET)],
            EVER.end,
            [],
            ["widget.tar.gz: approved (widget 1.0 (ratification))"],
        ),
    ],
    ids=[
        "approved",
        "under another name",
        "never asked for",
        "other bytes",
        "taken back",
        "taken back and gone",
        "rejected",
        "provisional",
        "lapsed",
        "ratified",
    ],
)
def test_what_is_listed_is_held_against_what_was_approved_and_back(
    story: Story, listed: list[tuple[str, str]], as_of: datetime, found: list[str], rest: list[str]
) -> None:
    answer = unapproved.ask(story.population(), Period(begin=NOW - DAY, end=as_of), out_there(*listed))
    assert bad(answer) == found
    assert good(answer) == rest
    assert answer.looked_at[0] == ("listed artifacts", len(listed))


def test_the_answer_counts_both_sides() -> None:
    answer = unapproved.ask(released().population(), EVER, out_there(("extra.tar.gz", ONES)))
    assert answer.says == (
        "1 artifact of 1 listed is out there without an approval that stands; "
        "1 approved artifact is not listed"
    )


def test_an_approval_whose_end_is_not_on_record_is_told_by_its_opening() -> None:
    population = released().population()
    [only] = population.ceremonies
    bare = replace(population, ceremonies=(replace(only, entries=only.entries[:1]),))
    answer = unapproved.ask(bare, EVER, out_there(("extra.tar.gz", ONES)))
    assert answer.exceptions[1].entries == (1,)
