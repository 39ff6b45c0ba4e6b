# SPDX-License-Identifier: Apache-2.0
"""Every course that a ceremony can take: all interleavings of what people, clocks and coordinators may do.

The search runs the real rules from every state that it has not seen, to a depth that `--deep` raises to
seven.  What must hold in all of them is written here anew, without the rules' own functions; a rule with a
planted bug must be caught by it.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import TypeVar

import pytest

from quorumseal.ceremony import breaking_glass, deciding
from quorumseal.ceremony.commands import (
    Begin,
    Cancel,
    Command,
    Deliver,
    End,
    Expire,
    Extend,
    File,
    Record,
    Stop,
    Supersede,
)
from quorumseal.ceremony.deciding import decide, open_ceremony, opened
from quorumseal.ceremony.entries import CONCLUSIONS, TYPES
from quorumseal.ceremony.lifecycle import Ceremony, State, replay
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Cancellation,
    Choice,
    Extension,
    Mode,
    Report,
    Request,
    Statement,
    Veto,
)
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from tests.burning import (
    BURNING,
    HOUR,
    WINDOW,
    delegation,
    emergency_request,
    ratification,
    run_emergency,
    withdrawal,
)
from tests.organisation import NOW, REASON_DIGEST, changed

DEPTH = 7 if os.environ.get("QUORUMSEAL_DEEP") else 5
DIGEST = "sha256:" + "a" * 64
SMALL = changed(
    BURNING,
    roles={"engineering": ("alice", "bob"), "security": ("bob", "carol"), "managers": ("mallory", "rita")},
    quorum={"engineering": 1, "security": 1},
    deputies={"engineering": ("frank",)},
    p256=frozenset(),
)
POLICY = SMALL.policy.policy
STEPS = (timedelta(), WINDOW, HOUR)
"""How much time may pass before each event."""
_Statement = TypeVar("_Statement", bound=Statement)


def signed(statement: _Statement) -> Signed[_Statement]:
    """Return a statement as if its signature had been verified: signatures are not what is searched here."""
    digest = "sha256:" + hashlib.sha256(repr(statement).encode()).hexdigest()
    key: SignerKey = POLICY.signer(statement.context.signer).keys[0]
    return Signed(statement, Envelope(payload=b"", signature=b"", key_id=""), key, digest)


FRANK_FOR_ALICE = signed(delegation("alice", "engineering", "frank", acme=SMALL))
TAKEN_BACK = signed(withdrawal("alice", "engineering", acme=SMALL))


@dataclass(frozen=True)
class Course:
    """A ceremony, the types of what happened to it, and where its clock stands."""

    ceremony: Ceremony
    types: tuple[str, ...]
    at: datetime


Move = Callable[[Ceremony, datetime], Command]


def decides(signer: str, choice: Choice, *roles: str, stands_in: bool = False) -> Move:
    def command(ceremony: Ceremony, at: datetime) -> Command:
        standing = ceremony.decisions.get(signer)
        decision = SMALL.decision(
            signer,
            ceremony.request,
            choice,
            at=at,
            roles=roles,
            replaces=standing.digest if standing else None,
        )
        named = FRANK_FOR_ALICE.digest if stands_in else None
        return Record(signed(replace(decision, delegation=named)))

    return command


def act(signer: str, ceremony: Ceremony, at: datetime) -> tuple[object, ...]:
    """Return what every act says."""
    return SMALL.context(signer, at=at), ceremony.request.statement.ceremony, ceremony.request.digest, DIGEST


def cancels(ceremony: Ceremony, at: datetime) -> Command:
    context, number, request, seen = act("mallory", ceremony, at)
    fields = {"context": context, "ceremony": number, "request": request, "seen": seen}
    return Cancel(signed(Cancellation(**fields, reason=REASON_DIGEST)))  # type: ignore[arg-type] # as act has them


def vetoes(ceremony: Ceremony, at: datetime) -> Command:
    context, number, request, seen = act("alice", ceremony, at)
    fields = {"context": context, "ceremony": number, "request": request, "seen": seen}
    return Stop(signed(Veto(**fields, reason=REASON_DIGEST)))  # type: ignore[arg-type] # as act has them


def reports(ceremony: Ceremony, at: datetime) -> Command:
    context, number, request, seen = act("rita", ceremony, at)
    fields = {"context": context, "ceremony": number, "request": request, "seen": seen}
    return File(signed(Report(**fields, text=REASON_DIGEST)))  # type: ignore[arg-type] # as act has them


def extends(ceremony: Ceremony, at: datetime) -> Command:
    context, number, request, seen = act("rita", ceremony, at)
    earlier = ceremony.extensions
    fields = {"context": context, "ceremony": number, "request": request, "seen": seen}
    extension = Extension(
        **fields,  # type: ignore[arg-type] # as act has them
        number=len(earlier) + 1,
        previous=earlier[-1].digest if earlier else None,
        deadline=ceremony.deadline + HOUR,
    )
    return Extend(signed(extension))


MOVES: dict[str, Move] = {
    "alice approves": decides("alice", Choice.APPROVAL, "engineering"),
    "bob approves": decides("bob", Choice.APPROVAL, "engineering", "security"),
    "carol approves": decides("carol", Choice.APPROVAL, "security"),
    "frank approves for alice": decides("frank", Choice.APPROVAL, "engineering", stands_in=True),
    "the requester approves": decides("mallory", Choice.APPROVAL, "engineering"),
    "alice abstains": decides("alice", Choice.ABSTENTION, "engineering"),
    "bob rejects": decides("bob", Choice.REJECTION, "security"),
    "alice vetoes": vetoes,
    "time passes": lambda _, __: Expire(),
    "mallory cancels": cancels,
    "rita extends": extends,
    "another request takes its place": lambda _, __: Supersede(DIGEST),
    "alice delegates": lambda _, __: Begin(FRANK_FOR_ALICE),
    "alice takes it back": lambda _, __: End(TAKEN_BACK),
    "somebody is told": lambda _, __: Deliver("alice", "mail", DIGEST),
    "rita reports": reports,
}


def key(course: Course) -> object:
    """Return what decides everything that can still happen."""
    ceremony = course.ceremony
    return (
        ceremony.state,
        course.at,
        ceremony.deadline,
        len(ceremony.extensions),
        ceremony.window_ends,
        frozenset((s, d.statement.choice, d.statement.delegation) for s, d in ceremony.decisions.items()),
        frozenset(ceremony.counting.items()),
        frozenset(ceremony.stands_for),
        frozenset(ceremony.delegations),
        ceremony.late,
        len(ceremony.reports),
        len(ceremony.told),
        tuple(t for t in course.types if t in CONCLUSIONS),
    )


def courses(first: Ceremony, depth: int) -> Iterator[tuple[Course, Course]]:
    """Yield every step that a search from ``first`` takes: before and after."""
    frontier = [Course(first, ("opened",), NOW)]
    seen: set[object] = {key(frontier[0])}
    for _ in range(depth):
        reached = []
        for course, step, move in product(frontier, STEPS, MOVES.values()):
            at = course.at + step
            try:
                events = decide(course.ceremony, move(course.ceremony, at), at=at)
            except Refusal:
                continue
            types = (*course.types, *(str(TYPES[type(event)]) for event in events))
            after = Course(replay(course.ceremony, events), types, at)
            yield course, after
            if key(after) not in seen:
                seen.add(key(after))
                reached.append(after)
        frontier = reached


def wrong(before: Course, after: Course) -> str:
    """Say what may never happen and did; judged by nothing but statements, times and entry types."""
    ceremony = after.ceremony
    request = ceremony.request.statement
    ends = [t for t in after.types if t in CONCLUSIONS]
    if len(ends) > 1:
        return "two ends"
    if before.ceremony.state is not State.OPEN and before.ceremony.state is not ceremony.state:
        return "an end that changed"
    if ceremony.deadline > request.hard_stop:
        return "a deadline past the hard stop"
    approvals = {
        signer: signed.statement
        for signer, signed in ceremony.decisions.items()
        if signed.statement.choice is Choice.APPROVAL
    }
    if approvals.keys() & request.requesters:
        return "the requester counted"
    used = [*approvals, *(named.signer for named in ceremony.stands_for.values())]
    if len(used) != len(set(used)):
        return "somebody was used twice"
    last = after.types[-1]
    if ceremony.state in (State.APPROVED, State.PROVISIONAL) and before.ceremony.state is State.OPEN:
        engineers = {s for s in approvals if s in ("alice", "bob", "frank")}
        guardians = {s for s in approvals if s in ("bob", "carol")}
        pairs = [(e, g) for e in engineers for g in guardians if e != g]
        if not pairs or len(approvals) < 2:
            return "an end without two people of two roles"
        if (ceremony.state is State.PROVISIONAL) is not (request.mode is Mode.BREAK_GLASS):
            return "an emergency that ended as a release, or a release as an emergency"
        if ceremony.state is State.PROVISIONAL and (
            ceremony.window_ends is None
            or after.at < ceremony.window_ends
            or "window-opened" not in after.types
        ):
            return "a provisional end before anybody could veto"
        if ceremony.state is State.APPROVED and after.at >= ceremony.deadline:
            return "a release after the deadline"
        if last not in CONCLUSIONS:
            return "something after the end"
    return ""


def search(first: Ceremony, depth: int) -> tuple[int, str]:
    """Return how many steps were taken, and the first thing that may never happen."""
    steps = 0
    for before, after in courses(first, depth):
        steps += 1
        found = wrong(before, after)
        if found:
            return steps, found
    return steps, ""


def begun(request: Request, *, at: datetime = NOW) -> Ceremony:
    return opened(POLICY, open_ceremony(POLICY, signed(request), at=at))


def release() -> Ceremony:
    return begun(replace(SMALL.request(deadline=HOUR), hard_stop=NOW + HOUR * 2))


def emergency() -> Ceremony:
    return begun(emergency_request(SMALL))


def to_ratify() -> Ceremony:
    return begun(ratification(run_emergency("alice", "carol", acme=SMALL)[0], SMALL, at=NOW, length=HOUR))


FIRSTS = {"a release": release, "an emergency": emergency, "a ratification": to_ratify}


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.exhaustive
def test_no_course_leads_where_none_may(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    steps, found = search(FIRSTS[first](), DEPTH)
    with capsys.disabled():
        sys.stdout.write(f"\n{first}: {steps} steps to a depth of {DEPTH}\n")
    assert found == ""
    assert steps > 10_000


def test_a_rule_that_counts_the_requester_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "_check_eligible", lambda *_: None)
    assert search(release(), 2)[1] == "the requester counted"


def test_a_rule_that_lets_a_deadline_past_the_hard_stop_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "check_extension", lambda *_: None)
    assert search(release(), 3)[1] == "a deadline past the hard stop"


def test_a_rule_that_lets_both_a_member_and_their_deputy_count_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciding, "check_stand_in", lambda *_, **__: None)
    assert search(release(), 3)[1] == "somebody was used twice"


def test_a_floor_that_was_lowered_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (breaking_glass, deciding):
        monkeypatch.setattr(module, "emergency_met", lambda ceremony, **_: bool(ceremony.decisions))
    assert search(emergency(), 3)[1] == "an end without two people of two roles"


def test_a_window_that_nobody_waits_for_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = deciding._due

    def hasty(ceremony: Ceremony, at: datetime) -> object:
        return real(ceremony, max(at, ceremony.window_ends or at))

    monkeypatch.setattr(deciding, "_due", hasty)
    assert search(emergency(), 4)[1] == "a provisional end before anybody could veto"


def test_a_coordinator_without_compare_and_set_is_caught() -> None:
    """Two coordinators that both conclude the ceremony they read leave two ends in one log."""
    ceremony = replay(release(), decide(release(), MOVES["alice approves"](release(), NOW), at=NOW))
    types, after = ["opened", "decided"], ceremony
    for move in ("carol approves", "bob rejects"):
        events = decide(ceremony, MOVES[move](ceremony, NOW), at=NOW)
        types += [str(TYPES[type(event)]) for event in events]
        after = replay(ceremony, events)
    assert wrong(Course(ceremony, ("opened", "decided"), NOW), Course(after, tuple(types), NOW)) == "two ends"
