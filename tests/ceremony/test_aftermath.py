# SPDX-License-Identifier: Apache-2.0
"""What everybody hears after an emergency, and when: as tables over its two clocks."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from quorumseal.ceremony.aftermath import Owed, aftermath, next_aftermath, owed_until
from quorumseal.ceremony.chain import Chain, extend
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    PROVISIONAL,
    WINDOW,
    open_emergency,
    reports,
    run_emergency,
    vetoes,
)
from tests.organisation import NOW

ENDED = NOW + MINUTE * 2 + WINDOW
RATIFY = NOW + PROVISIONAL - ENDED
REPORT = timedelta(days=7)


def provisional() -> Chain:
    return run_emergency("alice", "carol")[0]


def reported() -> Chain:
    chain = provisional()
    return extend(chain, reports(chain, "dan", at=ENDED + HOUR), at=ENDED + HOUR)[0]


@pytest.mark.parametrize(
    ("after", "marks"),
    [
        (RATIFY * 0.49, []),
        (RATIFY * 0.5, ["ratification 50"]),
        (RATIFY * 0.9, ["ratification 90"]),
        (RATIFY, ["ratification 100"]),
        (REPORT * 0.75, ["ratification 100", "report 75"]),
        (REPORT, ["ratification 100", "report 100"]),
    ],
)
def test_the_newest_about_each_is_due(after: timedelta, marks: list[str]) -> None:
    found = aftermath(provisional().ceremony, ratified=False, at=ENDED + after)
    assert [str(each) for each in found] == marks
    assert {each.percent == 100 for each in found if each.too_late} <= {True}
    assert all(each.until <= ENDED + after for each in found if each.too_late)


def test_what_was_ratified_does_not_lapse_and_what_was_reported_is_owed_no_more() -> None:
    late = NOW + DAY * 30
    assert [e.owed for e in aftermath(provisional().ceremony, ratified=True, at=late)] == [Owed.REPORT]
    assert [e.owed for e in aftermath(reported().ceremony, ratified=False, at=late)] == [Owed.RATIFICATION]
    assert aftermath(reported().ceremony, ratified=True, at=late) == ()


def test_the_next_is_the_earliest_of_both() -> None:
    at, found = ENDED, []
    while (following := next_aftermath(provisional().ceremony, ratified=False, at=at)) is not None:
        found.append(following)
        at = following
    expected = [ENDED + RATIFY * part for part in (0.5, 0.9, 1)] + [
        ENDED + REPORT * part for part in (0.75, 1)
    ]
    assert [abs(a - b) < timedelta(milliseconds=1) for a, b in zip(found, expected, strict=True)] == [
        True
    ] * 5


def test_what_is_owed_has_its_last_instant() -> None:
    assert owed_until(provisional().ceremony, ratified=False) == {
        Owed.RATIFICATION: NOW + PROVISIONAL,
        Owed.REPORT: ENDED + REPORT,
    }


def vetoed() -> Chain:
    chain = open_emergency()
    return extend(chain, vetoes(chain, "rita"), at=NOW)[0]


@pytest.mark.parametrize(
    "chain", [open_emergency, vetoed, lambda: BURNING.run("alice", "erin", "carol", "rita")[0]]
)
def test_nothing_is_owed_unless_an_emergency_was_used(chain: Callable[[], Chain]) -> None:
    assert aftermath(chain().ceremony, ratified=False, at=NOW + DAY * 30) == ()
    assert next_aftermath(chain().ceremony, ratified=False, at=NOW) is None
