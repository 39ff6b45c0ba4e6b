# SPDX-License-Identifier: Apache-2.0
"""Break-glass, told to each of its ends, and what a consumer hears just before and at each of its times.

An outcome has three columns: as the bundle is; with ``--allow-provisional``; and with a status file of that
instant as well.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony.emergencies import QUARTER
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from tests.burning import BREAK_GLASS, DAY, HOUR, MINUTE, WINDOW
from tests.emergency_story import (
    DEADLINE,
    FLOOR_MET,
    INSTANT,
    INVOKED,
    PROVISIONAL_UNTIL,
    RATIFICATION_ASKED,
    RATIFY_BY,
    WINDOW_ENDS,
    Story,
)
from tests.forging import verdict

RATIFIED = RATIFICATION_ASKED + MINUTE * 4
REPORT_DUE = WINDOW_ENDS + BREAK_GLASS.report
YEARS_LATER = INVOKED + DAY * 900
NOTHING = "nothing is published"
OPEN = "quorum.short | quorum.short | quorum.short"
PROVISIONAL = "provisional.not_allowed | provisional | provisional"
LAPSED = "provisional.lapsed | provisional.lapsed | provisional.lapsed"
REJECTED = "ceremony.rejected | ceremony.rejected | ceremony.rejected"
UNAPPROVED = "ceremony.unapproved | ceremony.unapproved | ceremony.unapproved"
COUNTS = "ratified | ratified | ratified"
TOO_EARLY = "provisional.not_allowed | provisional.clock | provisional.clock"
Table = list[tuple[datetime, str]]
BEGINNING: Table = [
    (INVOKED - INSTANT, NOTHING),
    (INVOKED, OPEN),
    (FLOOR_MET - INSTANT, OPEN),
    (FLOOR_MET, OPEN),
    (WINDOW_ENDS - INSTANT, OPEN),
]


def ratified() -> Story:
    """Two join, nobody vetoes; the next morning four people ratify it, and somebody else reports."""
    story = Story()
    story.invoke()
    story.two_join_and_nobody_vetoes()
    story.ratify("alice", "bob", "carol", "dan")
    story.reports("erin", RATIFIED + HOUR)
    return story


def silence() -> Story:
    """Two join, nobody vetoes; nobody asks for the ratification."""
    story = Story()
    story.invoke()
    story.two_join_and_nobody_vetoes()
    return story


def refusal() -> Story:
    """Two join, nobody vetoes; asked for the ratification, bob rejects it."""
    story = silence()
    story.ratify("alice", "bob", rejects="bob")
    return story


def vetoed() -> Story:
    """Two join, and erin vetoes in the last instant of the window."""
    story = Story()
    story.invoke()
    story.joins("alice", INVOKED + MINUTE)
    story.joins("carol", FLOOR_MET)
    story.vetoes("erin", WINDOW_ENDS - INSTANT)
    return story


def too_few() -> Story:
    """Alice joins, and nobody else does before the deadline."""
    story = Story()
    story.invoke()
    story.joins("alice", FLOOR_MET)
    story.time_passes(DEADLINE)
    return story


ENDINGS: dict[str, tuple[Callable[[], Story], Table]] = {
    "ratified": (
        ratified,
        [
            *BEGINNING,
            (WINDOW_ENDS, PROVISIONAL),
            (RATIFIED - INSTANT, PROVISIONAL),
            (RATIFIED, COUNTS),
            (RATIFY_BY, COUNTS),
            (PROVISIONAL_UNTIL, COUNTS),
            (REPORT_DUE, COUNTS),
            (YEARS_LATER, COUNTS),
        ],
    ),
    "lapsed by silence": (
        silence,
        [
            *BEGINNING,
            (WINDOW_ENDS, PROVISIONAL),
            (RATIFY_BY - INSTANT, PROVISIONAL),
            (RATIFY_BY, LAPSED),
            (PROVISIONAL_UNTIL - INSTANT, LAPSED),
            (PROVISIONAL_UNTIL, LAPSED),
            (REPORT_DUE, LAPSED),
        ],
    ),
    "lapsed by refusal": (
        refusal,
        [
            *BEGINNING,
            (WINDOW_ENDS, PROVISIONAL),
            (RATIFICATION_ASKED + MINUTE * 2, PROVISIONAL),
            (RATIFY_BY - INSTANT, PROVISIONAL),
            (RATIFY_BY, LAPSED),
            (PROVISIONAL_UNTIL, LAPSED),
        ],
    ),
    "vetoed": (
        vetoed,
        [
            *BEGINNING[:-1],
            (WINDOW_ENDS - INSTANT * 2, OPEN),
            (WINDOW_ENDS - INSTANT, REJECTED),
            (WINDOW_ENDS, REJECTED),
            (YEARS_LATER, REJECTED),
        ],
    ),
    "expired before two joined": (
        too_few,
        [
            (INVOKED - INSTANT, NOTHING),
            (INVOKED, OPEN),
            (FLOOR_MET, OPEN),
            (DEADLINE - INSTANT, OPEN),
            (DEADLINE, UNAPPROVED),
            (RATIFY_BY, UNAPPROVED),
        ],
    ),
}
ROWS = [(ending, at, outcome) for ending, (_, table) in ENDINGS.items() for at, outcome in table]


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {ending: tell() for ending, (tell, _) in ENDINGS.items()}


@pytest.mark.parametrize(
    ("ending", "at", "outcome"), ROWS, ids=[f"{e}-{at:%d %H:%M:%S.%f}" for e, at, _ in ROWS]
)
def test_what_is_published_counts_as_its_ending_says(
    stories: dict[str, Story], ending: str, at: datetime, outcome: str
) -> None:
    assert stories[ending].outcomes(at) == outcome


# A consumer who kept the provisional bundle, whatever was published since.


@pytest.mark.parametrize("ending", ["ratified", "lapsed by silence", "lapsed by refusal"])
@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (INVOKED - DAY * 30, TOO_EARLY),
        (WINDOW_ENDS - MINUTE * 2 - INSTANT, TOO_EARLY),
        (WINDOW_ENDS - MINUTE * 2, PROVISIONAL),
        (WINDOW_ENDS, PROVISIONAL),
        (RATIFY_BY - INSTANT, PROVISIONAL),
        (RATIFY_BY, LAPSED),
        (PROVISIONAL_UNTIL, LAPSED),
        (YEARS_LATER, LAPSED),
    ],
)
def test_a_provisional_bundle_that_was_kept_lapses_whatever_became_of_it(
    stories: dict[str, Story], ending: str, at: datetime, outcome: str
) -> None:
    kept = stories[ending].published(WINDOW_ENDS)
    assert stories[ending].outcomes(at, bundle=kept) == outcome


def test_a_ratification_that_was_refused_ratifies_nothing() -> None:
    story = refusal()
    assert story.ratification is not None
    refused = story.ratification.chain.ceremony
    assert refused.state is State.REJECTED
    assert refused.ended_at == RATIFICATION_ASKED + MINUTE * 2
    assert story.published(YEARS_LATER) == silence().published(YEARS_LATER)


def test_a_ratification_asked_too_late_is_refused_and_the_latest_one_counts() -> None:
    too_late = silence()
    too_late.ratify("alice", "bob", "carol", "dan", at=RATIFY_BY - DAY + INSTANT)
    just_in_time = silence()
    just_in_time.ratify("alice", "bob", "carol", "dan", at=RATIFY_BY - DAY)
    after = "ratification.other | ratification.other | ratification.other"
    assert too_late.outcomes(RATIFY_BY) == after
    assert just_in_time.outcomes(RATIFY_BY) == COUNTS


# Vetoed and invoked again.

AGAIN = INVOKED + HOUR * 2
AGAIN_FLOOR_MET = AGAIN + MINUTE * 3
AGAIN_ENDS = AGAIN_FLOOR_MET + WINDOW


def invoked_again() -> Story:
    """What erin vetoed is invoked again for three people; two are not enough, and erin has no second veto."""
    story = vetoed()
    story.invoke(AGAIN, people=3)
    for minute, signer in enumerate(("alice", "carol", "bob"), start=1):
        story.joins(signer, AGAIN + MINUTE * minute)
    return story


def test_what_was_vetoed_needs_three_people_the_next_time() -> None:
    story = vetoed()
    assert story.invoked(AGAIN) == "emergency.people"
    assert len(story.emergencies) == 1
    story.invoke(AGAIN, version="1.1")
    assert story.newest.chain.ceremony.vetoed_by == frozenset()


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (AGAIN - INSTANT, NOTHING),
        (AGAIN, OPEN),
        (AGAIN + MINUTE * 2, OPEN),
        (AGAIN_FLOOR_MET - INSTANT, OPEN),
        (AGAIN_FLOOR_MET, OPEN),
        (AGAIN_ENDS - INSTANT, OPEN),
        (AGAIN_ENDS, PROVISIONAL),
        (AGAIN + (RATIFY_BY - INVOKED) - INSTANT, PROVISIONAL),
        (AGAIN + (RATIFY_BY - INVOKED), LAPSED),
    ],
)
def test_invoked_again_it_counts_once_three_joined_and_the_window_passed(at: datetime, outcome: str) -> None:
    story = invoked_again()
    story.time_passes(AGAIN_ENDS)
    assert story.outcomes(at) == outcome


def test_two_of_three_open_no_window_and_whoever_vetoed_does_not_veto_again() -> None:
    story = invoked_again()
    assert [str(entry.type) for entry in story.newest.entries] == [
        "opened",
        *["decided"] * 3,
        "window-opened",
    ]
    assert verdict(lambda: story.vetoes("erin", AGAIN_FLOOR_MET + MINUTE)) == "veto.signer"
    story.vetoes("dan", AGAIN_FLOOR_MET + MINUTE)
    assert story.outcomes(AGAIN_FLOOR_MET + MINUTE) == REJECTED
    assert story.invoked(AGAIN + DAY) == "emergency.people"
    story.invoke(AGAIN + DAY, people=3)
    assert story.newest.chain.ceremony.vetoed_by == {"erin", "dan"}


def test_whoever_stops_it_by_a_rejection_stops_it_like_a_veto() -> None:
    story = Story()
    story.invoke()
    story.joins("alice", INVOKED + MINUTE)
    story.joins("carol", FLOOR_MET, Choice.REJECTION)
    assert story.outcomes(FLOOR_MET) == REJECTED
    assert story.invoked(AGAIN) == "emergency.people"
    assert story.invoked(AGAIN, people=3) == "accepted"
    assert story.newest.chain.ceremony.vetoed_by == {"carol"}


# Over the limit.

NEXT_DAY = INVOKED + DAY


def test_one_emergency_at_a_time() -> None:
    story = Story()
    story.invoke()
    for version in ("1.0", "2.0"):
        assert story.invoked(INVOKED + MINUTE, people=3, version=version) == "emergency.limit"
    story.time_passes(DEADLINE)
    story.invoke(DEADLINE, version="2.0")
    assert [told.chain.ceremony.state for told in story.emergencies] == [State.EXPIRED, State.OPEN]


def two_in_a_quarter() -> Story:
    """Two emergencies on two days, each reported on; both count as provisional as long as they may."""
    story = Story()
    for at, version in ((INVOKED, "1.0"), (NEXT_DAY, "1.1")):
        story.invoke(at, version=version)
        story.two_join_and_nobody_vetoes(at)
        story.reports("erin", at + HOUR)
    return story


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (NEXT_DAY - INSTANT, NOTHING),
        (NEXT_DAY, OPEN),
        (NEXT_DAY + (WINDOW_ENDS - INVOKED), PROVISIONAL),
        (NEXT_DAY + (RATIFY_BY - INVOKED), LAPSED),
    ],
)
def test_the_second_in_a_quarter_counts_like_the_first(at: datetime, outcome: str) -> None:
    assert two_in_a_quarter().outcomes(at) == outcome


def test_the_third_in_a_quarter_is_one_too_many() -> None:
    story = two_in_a_quarter()
    for at, people in ((NEXT_DAY + DAY, 2), (NEXT_DAY + DAY, 3), (INVOKED + QUARTER - INSTANT, 3)):
        assert story.invoked(at, people=people, version="1.2") == "emergency.limit"
    assert len(story.emergencies) == 2
    story.invoke(INVOKED + QUARTER, version="1.2")
    assert len(story.emergencies) == 3


@pytest.mark.parametrize(
    ("at", "reported", "code"),
    [
        (REPORT_DUE - INSTANT, False, "accepted"),
        (REPORT_DUE, False, "emergency.people"),
        (REPORT_DUE, True, "accepted"),
    ],
)
def test_while_a_report_is_late_the_next_emergency_needs_three(
    at: datetime, reported: bool, code: str
) -> None:
    story = silence()
    if reported:
        story.reports("erin", REPORT_DUE - MINUTE)
    assert story.invoked(at, version="1.1") == code


def test_a_late_report_is_taken_and_ends_the_debt() -> None:
    story = silence()
    assert verdict(lambda: story.reports("alice", REPORT_DUE)) == "report.signer"
    assert story.invoked(REPORT_DUE, version="1.1") == "emergency.people"
    story.reports("erin", REPORT_DUE + MINUTE)
    story.invoke(REPORT_DUE + MINUTE, version="1.1")
    assert len(story.emergencies) == 2


@pytest.mark.parametrize("before", [timedelta(0), INSTANT])
def test_a_window_that_would_end_at_the_deadline_is_none(before: timedelta) -> None:
    """The floor must be met so early that the window ends before the deadline."""
    story = Story()
    story.invoke()
    met = DEADLINE - WINDOW - before
    story.joins("alice", met)
    story.joins("carol", met)
    story.time_passes(DEADLINE)
    assert story.outcomes(DEADLINE) == (PROVISIONAL if before else UNAPPROVED)
