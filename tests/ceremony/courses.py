# SPDX-License-Identifier: Apache-2.0
"""All that people and clocks may do to a ceremony and its ratification: the moves run the real rules."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from quorumseal.ceremony import entries
from quorumseal.ceremony.commands import (
    Begin,
    Cancel,
    Command,
    Deliver,
    End,
    Expire,
    Extend,
    File,
    Narrow,
    Record,
    Revoke,
    Stop,
    Supersede,
    Suspend,
)
from quorumseal.ceremony.deciding import decide
from quorumseal.ceremony.entries import TYPES
from quorumseal.ceremony.lifecycle import Ceremony, State, replay
from quorumseal.ceremony.narrowing import Narrowing
from quorumseal.ceremony.opening import open_ceremony, opened
from quorumseal.ceremony.policy import Kind, SignerKey
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Cancellation,
    Choice,
    Concluded,
    Extension,
    PolicyReference,
    Report,
    Request,
    Statement,
    Veto,
)
from quorumseal.ceremony.succeeding import check_ratification, check_reapproval
from quorumseal.ceremony.suspending import Suspended
from quorumseal.signatures import Envelope
from tests.burning import BURNING, HOUR, WINDOW, delegation, emergency_request, withdrawal
from tests.organisation import NOW, REASON_DIGEST, changed

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
ALICES_KEY = Revoked(key=POLICY.signer("alice").keys[0].key.key_id, since=NOW, envelopes=())
CAROL_OUT = Suspended(person="carol", until=NOW + HOUR, envelopes=())
WITHOUT_BOB = Narrowing(
    policy=PolicyReference(version=2, digest=DIGEST),
    members=frozenset({("engineering", "bob"), ("security", "bob")}),
)


@dataclass(frozen=True)
class Course:
    """A ceremony, what happened to it, its ratification or re-approval, and where the clock stands."""

    ceremony: Ceremony
    types: tuple[str, ...]
    at: datetime
    ratification: Ceremony | None = None
    published: bool = False

    @property
    def end(self) -> str:
        """What came of it so far, in words."""
        later = self.ratification
        after = f", {later.request.statement.kind} {later.state}" if later else ""
        return f"{self.ceremony.state}{', published' if self.published else ''}{after}"

    def of(self, ceremony: Ceremony) -> bool:
        """Whether a ceremony is the one here: compare and set."""
        return ceremony is self.ceremony


class NothingToDoError(Exception):
    """A move that is not there to be made."""


Move = Callable[[Ceremony, datetime], Command]
Step = Callable[[Course, datetime], Course]


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


MOVES: Mapping[str, Move] = {
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
    "alice's key is revoked": lambda _, __: Revoke(ALICES_KEY),
    "carol is suspended": lambda _, __: Suspend(CAROL_OUT),
    "a policy removes bob": lambda _, __: Narrow(WITHOUT_BOB),
}
LOSSES = ("alice's key is revoked", "carol is suspended", "a policy removes bob")


def moved(move: Move, course: Course, at: datetime) -> Course:
    """Return the course after a command to its ceremony."""
    events = decide(course.ceremony, move(course.ceremony, at), at=at)
    types = (*course.types, *(str(TYPES[type(event)]) for event in events))
    return replace(course, ceremony=replay(course.ceremony, events), types=types, at=at)


def publishes(course: Course, at: datetime) -> Course:
    """Publish, as a coordinator does after some conclusions, once."""
    if course.published or not entries.PUBLISHED & set(course.types):
        raise NothingToDoError
    return replace(course, published=True, at=at)


def asks_for_ratification(course: Course, at: datetime) -> Course:
    """Let rita ask for the ratification of an emergency, whatever became of it."""
    if course.ratification is not None:
        raise NothingToDoError
    broken = course.ceremony.request
    regular = SMALL.request(number=9, requester="rita", at=at, deadline=HOUR)
    ratified = Concluded(
        ceremony=broken.statement.ceremony,
        request=broken.digest,
        conclusion=DIGEST,
        requesters=broken.statement.requesters,
    )
    request = replace(regular, kind=Kind.RATIFICATION, hard_stop=at + HOUR, ratified=ratified)
    check_ratification(request, ratified, course.ceremony, DIGEST)
    return replace(course, ratification=begun(request, at=at), at=at)


def asks_for_reapproval(course: Course, at: datetime) -> Course:
    """Let rita ask for a release to be approved anew, whatever became of it."""
    if course.ratification is not None and course.ratification.state in (State.OPEN, State.APPROVED):
        raise NothingToDoError
    release = course.ceremony.request
    reapproved = Concluded(
        ceremony=release.statement.ceremony,
        request=release.digest,
        conclusion=DIGEST,
        requesters=release.statement.requesters,
    )
    regular = SMALL.request(number=8, requester="rita", at=at, deadline=HOUR)
    request = replace(regular, kind=Kind.RE_APPROVAL, hard_stop=at + HOUR, reapproved=reapproved)
    check_reapproval(request, reapproved, course.ceremony, DIGEST)
    return replace(course, ratification=begun(request, at=at), at=at)


def on_the_ratification(move: Move) -> Step:
    """Return the same move on the ratification, or whatever else follows it."""

    def step(course: Course, at: datetime) -> Course:
        if course.ratification is None:
            raise NothingToDoError
        events = decide(course.ratification, move(course.ratification, at), at=at)
        return replace(course, ratification=replay(course.ratification, events), at=at)

    return step


def commanding(move: Move) -> Step:
    """Return the step that a move is."""
    return lambda course, at: moved(move, course, at)


ALONE: dict[str, Step] = {
    **{name: commanding(move) for name, move in MOVES.items() if name not in LOSSES},
    "it is published": publishes,
}
WITH_RATIFICATION: dict[str, Step] = {
    **{name: ALONE[name] for name in ("time passes", "alice vetoes", "rita reports", "it is published")},
    "rita asks for its ratification": asks_for_ratification,
    **{
        f"{name} the ratification": on_the_ratification(MOVES[name])
        for name in (
            "alice approves",
            "bob approves",
            "carol approves",
            "the requester approves",
            "bob rejects",
            "time passes",
            "mallory cancels",
        )
    },
}
WITH_LOSSES: dict[str, Step] = {
    name: commanding(MOVES[name])
    for name in (
        *LOSSES,
        "alice approves",
        "bob approves",
        "carol approves",
        "frank approves for alice",
        "alice delegates",
        "time passes",
    )
}
WITH_REAPPROVAL: dict[str, Step] = {
    **{name: ALONE[name] for name in ("alice approves", "carol approves", "bob rejects", "it is published")},
    "rita asks for its re-approval": asks_for_reapproval,
    **{name: step for name, step in WITH_RATIFICATION.items() if name.endswith(" the ratification")},
}
JOINT: dict[str, Step] = {
    **WITH_RATIFICATION,
    **{name: ALONE[name] for name in ("alice approves", "carol approves", "bob rejects")},
}


def begun(request: Request, *, at: datetime = NOW) -> Ceremony:
    """Open a ceremony."""
    return opened(POLICY, open_ceremony(POLICY, signed(request), at=at))


def release() -> Course:
    """Return a release that was asked for, and can be extended."""
    return Course(begun(replace(SMALL.request(deadline=HOUR), hard_stop=NOW + HOUR * 2)), ("opened",), NOW)


def emergency() -> Course:
    """Return an emergency that was invoked."""
    return Course(begun(emergency_request(SMALL, ratify=HOUR * 3)), ("opened",), NOW)


def provisional() -> Course:
    """Return an emergency that two joined and nobody vetoed."""
    course = emergency()
    for name in ("alice approves", "carol approves"):
        course = moved(MOVES[name], course, NOW)
    return moved(MOVES["time passes"], course, NOW + WINDOW)


def on_its_own(first: Course) -> Course:
    """Return a course whose ratification is looked at like any ceremony, with every move."""
    course = asks_for_ratification(first, first.at)
    assert course.ratification is not None
    return Course(course.ratification, ("opened",), course.at)
