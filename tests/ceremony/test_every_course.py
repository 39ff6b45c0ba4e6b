# SPDX-License-Identifier: Apache-2.0
"""Every course that a ceremony can take: all interleavings of what people, clocks and coordinators may do.

The search runs the real rules from every state that it has not seen, to a depth that ``--deep`` raises to
seven.  A rule with a planted bug must be caught by it.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from quorumseal.ceremony import breaking_glass, checking, deciding, decisions, entries, lifecycle
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.refusal import Refusal
from tests.burning import HOUR
from tests.ceremony import courses
from tests.ceremony.courses import (
    ALONE,
    JOINT,
    MOVES,
    WITH_LOSSES,
    WITH_RATIFICATION,
    WITH_REAPPROVAL,
    Course,
    Step,
    emergency,
    moved,
    on_its_own,
    provisional,
    release,
)
from tests.ceremony.laws import wrong
from tests.ceremony.searching import Search, key, search

DEEP = bool(os.environ.get("QUORUMSEAL_DEEP"))
DEEPEST = 7


@dataclass(frozen=True)
class Hunt:
    """Where a search begins, what may be done, how often in a row, and what must come of it."""

    begin: Callable[[], Course]
    steps: Mapping[str, Step]
    depth: int
    ends: set[str]


NOT_USED = {"open", "rejected", "expired", "cancelled", "superseded"}
USED = {"provisional", "provisional, published"}
RATIFIED = {"provisional, published, ratification approved", "provisional, ratification rejected"}
APPROVED_ANEW = {
    "approved, re-approval open",
    "approved, published, re-approval approved",
    "approved, re-approval rejected",
    "approved, re-approval expired",
}
HUNTS: dict[str, Hunt] = {
    "a release": Hunt(release, ALONE, 5, {*NOT_USED, "approved", "approved, published"}),
    "an emergency": Hunt(emergency, ALONE, 4, NOT_USED | USED),
    "a ratification": Hunt(lambda: on_its_own(provisional()), ALONE, 5, {*NOT_USED, "approved, published"}),
    "an emergency with its ratification": Hunt(provisional, WITH_RATIFICATION, 4, USED | RATIFIED),
    "a release that loses people": Hunt(release, WITH_LOSSES, 5, {"open", "expired", "approved"}),
    "an emergency that loses people": Hunt(emergency, WITH_LOSSES, 5, {"open", "expired", "provisional"}),
    "a release with its re-approval": Hunt(release, WITH_REAPPROVAL, 6, APPROVED_ANEW),
    "an emergency from its invocation to its ratification": Hunt(
        emergency, JOINT, DEEPEST, {"open", "rejected", "expired", *USED, *RATIFIED}
    ),
}


def report(what: str, found: Search, capsys: pytest.CaptureFixture[str]) -> None:
    """Say how much was seen."""
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {found.states} states, {found.steps} steps\n")


@pytest.mark.parametrize("name", HUNTS)
@pytest.mark.exhaustive
def test_no_course_leads_where_none_may(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    hunt = HUNTS[name]
    depth = DEEPEST if DEEP else hunt.depth
    found = search(hunt.begin(), depth, hunt.steps)
    report(f"{name}, {depth} events", found, capsys)
    assert found.found == ""
    assert found.states > 1_000
    assert found.ends >= hunt.ends, hunt.ends - found.ends


# Bugs that are planted


def test_a_rule_that_counts_the_requester_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_check_eligible", lambda *_: None)
    assert search(release(), 2).found == "the requester counted"
    assert search(provisional(), 2, WITH_RATIFICATION).found == "the requester counted"


def test_a_rule_that_lets_a_deadline_past_the_hard_stop_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "check_extension", lambda *_: None)
    assert search(release(), 3).found == "a deadline past the hard stop"


def test_a_rule_that_lets_both_a_member_and_their_deputy_count_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decisions, "check_stand_in", lambda *_, **__: None)
    assert search(release(), 3).found == "somebody was used twice"


def test_a_revocation_that_leaves_what_was_signed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "hit", lambda *_: frozenset())
    assert search(release(), 2, WITH_LOSSES).found == "somebody who was taken out counted"


def test_a_key_that_signs_on_after_its_revocation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check_trusted", lambda *_, **__: None)
    assert search(release(), 2, WITH_LOSSES).found == "somebody who was taken out counted"


def test_a_suspension_that_leaves_what_was_signed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "put_out", lambda *_: frozenset())
    assert search(release(), 2, WITH_LOSSES).found == "somebody who was taken out counted"


def test_a_removal_that_nobody_looks_at_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check_still_listed", lambda *_: None)
    assert search(release(), 2, WITH_LOSSES).found == "somebody who was removed decided"


def test_a_floor_that_was_lowered_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (breaking_glass, deciding):
        monkeypatch.setattr(module, "emergency_met", lambda ceremony, **_: bool(ceremony.decisions))
    assert search(emergency(), 3).found == "an end without two people of two roles"


def test_a_window_that_nobody_waits_for_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = deciding._due

    def hasty(ceremony: Ceremony, at: datetime) -> object:
        return real(ceremony, max(at, ceremony.window_ends or at))

    monkeypatch.setattr(deciding, "_due", hasty)
    assert search(emergency(), 4).found == "a provisional end before anybody could veto"


def test_a_coordinator_that_publishes_after_every_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PUBLISHED", entries.PUBLISHED | {EntryType.EXPIRED})
    assert search(release(), 2).found == "a publication short of the quorum"


def test_a_ratification_of_what_is_still_open_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "check_ratification", lambda *_: None)
    assert search(emergency(), 1, WITH_RATIFICATION).found == "a ratification of what is not provisional"


def test_a_ratification_that_may_end_too_late_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "check_ratification", lambda *_: None)
    late = replace(provisional(), at=provisional().at + HOUR * 3)
    assert search(late, 3, WITH_RATIFICATION).found == "a ratification too late"


def test_a_reapproval_of_what_is_still_open_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "check_reapproval", lambda *_: None)
    assert search(release(), 1, WITH_REAPPROVAL).found == "a re-approval of what is not approved"


# Two coordinators, each with its own view of one log

RACED = ("alice approves", "carol approves", "bob rejects", "mallory cancels", "time passes")


def race(depth: int, *, compare_and_set: bool) -> Search:
    """Let two coordinators read, decide on what they read, and append it to the one log."""
    first = release()
    frontier = [(first, (first, first))]
    seen, result = {_views_key(*frontier[0])}, Search(states=1)
    for _ in range(depth):
        reached = []
        for (log, views), who in product(frontier, (0, 1)):
            for before, after, view in _turns(log, views[who], compare_and_set=compare_and_set):
                result.steps += 1
                result.found = wrong(before, after)
                if result.found:
                    return result
                state = after, (view, views[1]) if who == 0 else (views[0], view)
                if _views_key(*state) not in seen:
                    seen.add(_views_key(*state))
                    reached.append(state)
        frontier = reached
        result.states = len(seen)
    return result


def _turns(log: Course, view: Course, *, compare_and_set: bool) -> list[tuple[Course, Course, Course]]:
    """Return, for each thing that it may do, the log before, the log after, and what it believes then."""
    turns = [(log, log, log)]  # it reads
    if compare_and_set and not log.of(view.ceremony):
        return turns
    for name, pause in product(RACED, (timedelta(0), HOUR)):
        try:
            mine = moved(MOVES[name], replace(view, at=log.at), log.at + pause)
        except Refusal:
            continue
        written = replace(mine, types=(*log.types, *mine.types[len(view.types) :]))
        turns.append((log, written, written))
    return turns


def _views_key(log: Course, views: tuple[Course, Course]) -> object:
    return key(log), *((key(view), log.of(view.ceremony)) for view in views)


def test_two_coordinators_that_compare_and_set_leave_one_end(capsys: pytest.CaptureFixture[str]) -> None:
    found = race(DEEPEST if DEEP else 5, compare_and_set=True)
    report("two coordinators", found, capsys)
    assert found.found == ""
    assert found.states > 100


def test_coordinators_without_compare_and_set_are_caught() -> None:
    assert race(4, compare_and_set=False).found == "two ends"
