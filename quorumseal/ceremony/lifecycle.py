# SPDX-License-Identifier: Apache-2.0
"""The ceremony as a state machine.

Rule 1: every state and every legal move is in ``TRANSITIONS``.
Rule 2: nothing here knows of clocks, networks, databases or how a key signs.  The current instant and
authenticated statements are passed in; events are handed back (``deciding``) and folded (here).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.budget import cost
from quorumseal.ceremony.errors import IllegalTransitionError
from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import Need, Tally, tally
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Cancellation, Choice, Decision, Request


@unique
class State(StrEnum):
    """Where a ceremony stands; it ends once."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a ceremony, at an instant of the log."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CeremonyOpened(Event):
    """A request opened the ceremony."""

    request: Signed[Request]


@dataclass(frozen=True, slots=True)
class DecisionRecorded(Event):
    """A decision stands."""

    decision: Signed[Decision]


@dataclass(frozen=True, slots=True)
class LateDecisionRecorded(Event):
    """A decision came after the deadline: on record, not counted."""

    decision: Signed[Decision]


@dataclass(frozen=True, slots=True)
class QuorumReached(Event):
    """Every role's threshold is filled by the people named."""

    seats: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CeremonyRejected(Event):
    """A rejection ended the ceremony."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Event):
    """The deadline came before the quorum."""


@dataclass(frozen=True, slots=True)
class CeremonyCancelled(Event):
    """Somebody who may request withdrew it."""

    cancellation: Signed[Cancellation]


@dataclass(frozen=True, slots=True)
class CeremonySuperseded(Event):
    """A later request for other bytes took its place."""

    by: str


TRANSITIONS: dict[State, dict[type[Event], State]] = {
    State.OPEN: {
        DecisionRecorded: State.OPEN,
        QuorumReached: State.APPROVED,
        CeremonyRejected: State.REJECTED,
        DeadlinePassed: State.EXPIRED,
        CeremonyCancelled: State.CANCELLED,
        CeremonySuperseded: State.SUPERSEDED,
    },
    State.APPROVED: {},
    State.REJECTED: {},
    State.EXPIRED: {LateDecisionRecorded: State.EXPIRED},
    State.CANCELLED: {},
    State.SUPERSEDED: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """One attempt to gather decisions on one release under one pinned policy."""

    policy: Policy
    rule: Rule
    request: Signed[Request]
    state: State = State.OPEN
    decisions: Mapping[str, Signed[Decision]] = field(default_factory=dict)
    """Each signer's standing decision."""
    recorded: frozenset[str] = frozenset()
    """The digests of all decisions on record, replaced and late ones too."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many decisions of each signer are on record, those replaced among them."""
    late: frozenset[str] = frozenset()
    """The signers whose late decision is on record."""
    size: int = 0
    """What the statements on record take of a bundle (``budget``)."""
    ended_at: datetime | None = None

    def consents(self, *, at: datetime) -> dict[str, frozenset[str]]:
        """Return whose approval stands at an instant, and in which roles they consent to count."""
        return {
            signer: signed.statement.roles
            for signer, signed in self.decisions.items()
            if signed.statement.choice is Choice.APPROVAL and _stands(signed.statement, at)
        }

    def tally(self, *, at: datetime) -> Tally:
        """Count the approvals that stand at an instant."""
        decided = {signer for signer, signed in self.decisions.items() if _stands(signed.statement, at)}
        members = frozenset[str]().union(*(need.members for need in self.needs))
        return tally(self.needs, self.consents(at=at), members - decided)

    @property
    def needs(self) -> tuple[Need, ...]:
        """Who can count for each role: never the requester, nor the person behind a machine."""
        return self.policy.needs(self.rule.quorum, excluded=self.request.statement.requesters)

    @property
    def rejecters(self) -> frozenset[str]:
        """Who rejects now."""
        return frozenset(p for p, d in self.decisions.items() if d.statement.choice is Choice.REJECTION)


def apply(ceremony: Ceremony, event: Event) -> Ceremony:
    """Return the ceremony after one event."""
    state = require(ceremony, type(event))
    ended_at = ceremony.ended_at if state is ceremony.state else event.at
    match event:
        case DecisionRecorded(decision=decision):
            return replace(
                ceremony,
                decisions={**ceremony.decisions, decision.signer: decision},
                recorded=ceremony.recorded | {decision.digest},
                counts={**ceremony.counts, decision.signer: ceremony.counts.get(decision.signer, 0) + 1},
                size=ceremony.size + cost(decision.envelope),
            )
        case LateDecisionRecorded(decision=decision):
            return replace(
                ceremony,
                recorded=ceremony.recorded | {decision.digest},
                late=ceremony.late | {decision.signer},
                size=ceremony.size + cost(decision.envelope),
            )
        case _:
            return replace(ceremony, state=state, ended_at=ended_at)


def replay(ceremony: Ceremony, events: Iterable[Event]) -> Ceremony:
    """Fold recorded events."""
    for event in events:
        ceremony = apply(ceremony, event)
    return ceremony


def require(ceremony: Ceremony, event: type[Event]) -> State:
    """Return where ``event`` would take the ceremony, or refuse it."""
    try:
        return TRANSITIONS[ceremony.state][event]
    except KeyError:
        raise IllegalTransitionError(
            f"{event.__name__} cannot happen to a ceremony that is {ceremony.state}"
        ) from None


def _stands(decision: Decision, at: datetime) -> bool:
    return decision.not_after is None or at < decision.not_after
