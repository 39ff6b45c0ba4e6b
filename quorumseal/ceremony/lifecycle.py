# SPDX-License-Identifier: Apache-2.0
"""The ceremony as a state machine.

Rule 1: every state and every legal move is in ``TRANSITIONS``.
Rule 2: nothing here knows of clocks, networks, databases or how a key signs.  The current instant and
authenticated statements are passed in; events are handed back (``deciding``) and folded (here).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.budget import cost, token_cost
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.errors import IllegalTransitionError
from quorumseal.ceremony.events import (
    CeremonyCancelled,
    CeremonyExtended,
    CeremonyRejected,
    CeremonySuperseded,
    CeremonyVetoed,
    DeadlinePassed,
    DecisionRecorded,
    DelegationBegan,
    DelegationEnded,
    Event,
    KeyRevoked,
    LateDecisionRecorded,
    NoticeDelivered,
    QuorumReached,
    ReportFiled,
    RosterNarrowed,
    SignerSuspended,
    WindowBroken,
    WindowOpened,
    WindowPassed,
)
from quorumseal.ceremony.narrowing import Narrowing
from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import Need, Tally, Threshold, quorum_met, seat, tally
from quorumseal.ceremony.revoking import Revoked, hit
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Decision, Delegation, Extension, Mode, Request
from quorumseal.ceremony.suspending import Suspended, put_out
from quorumseal.signatures import Timestamp


@unique
class State(StrEnum):
    """Where a ceremony stands; it ends once."""

    OPEN = "open"
    APPROVED = "approved"
    PROVISIONAL = "provisional"
    """An emergency's quorum stood until nobody could veto it any more."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


TRANSITIONS: dict[State, dict[type[Event], State]] = {
    State.OPEN: {
        DecisionRecorded: State.OPEN,
        CeremonyExtended: State.OPEN,
        DelegationBegan: State.OPEN,
        DelegationEnded: State.OPEN,
        RosterNarrowed: State.OPEN,
        KeyRevoked: State.OPEN,
        SignerSuspended: State.OPEN,
        WindowOpened: State.OPEN,
        WindowBroken: State.OPEN,
        NoticeDelivered: State.OPEN,
        QuorumReached: State.APPROVED,
        WindowPassed: State.PROVISIONAL,
        CeremonyRejected: State.REJECTED,
        CeremonyVetoed: State.REJECTED,
        DeadlinePassed: State.EXPIRED,
        CeremonyCancelled: State.CANCELLED,
        CeremonySuperseded: State.SUPERSEDED,
    },
    State.APPROVED: {},
    State.PROVISIONAL: {ReportFiled: State.PROVISIONAL, NoticeDelivered: State.PROVISIONAL},
    State.REJECTED: {NoticeDelivered: State.REJECTED},
    State.EXPIRED: {LateDecisionRecorded: State.EXPIRED, NoticeDelivered: State.EXPIRED},
    State.CANCELLED: {NoticeDelivered: State.CANCELLED},
    State.SUPERSEDED: {NoticeDelivered: State.SUPERSEDED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """One attempt to gather decisions on one release under one pinned policy."""

    policy: Policy
    rule: Rule
    request: Signed[Request]
    logged_at: datetime
    """The time of its opening's entry."""
    vetoed_by: frozenset[str] = frozenset()
    state: State = State.OPEN
    decisions: Mapping[str, Signed[Decision]] = field(default_factory=dict)
    """Each signer's standing decision."""
    counting: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """In which roles each standing decision counts: those whose stage had begun when it was logged."""
    stands_for: Mapping[str, Signed[Delegation]] = field(default_factory=dict)
    """The deputies whose decision stands, with the delegation that each relied on when it was logged."""
    times: Mapping[str, datetime] = field(default_factory=dict)
    """When each standing decision is proved to have been made: mostly, the time of its entry."""
    stamps: Mapping[str, Timestamp] = field(default_factory=dict)
    """Who else than the log says by when a standing decision had been made."""
    recorded: frozenset[str] = frozenset()
    """The digests of all decisions on record, replaced and late ones too."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many decisions of each signer are on record, those replaced among them."""
    late: frozenset[str] = frozenset()
    """The signers whose late decision is on record."""
    size: int = 0
    """What the statements on record take of a bundle (``budget``)."""
    extensions: tuple[Signed[Extension], ...] = ()
    delegations: Mapping[tuple[str, str], Signed[Delegation]] = field(default_factory=dict)
    """What each member delegated, by member and role."""
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The highest number of a delegation or withdrawal, by member and role: none is taken twice."""
    revoked: Mapping[str, Revoked] = field(default_factory=dict)
    """The keys that sign no more, by key id."""
    suspended: Mapping[str, Suspended] = field(default_factory=dict)
    """Who does not count, or did not for a while."""
    fallen: Mapping[str, str] = field(default_factory=dict)
    """Who signed the decisions that stood until a key was revoked, or somebody suspended, by their digest."""
    window_ends: datetime | None = None
    """Until when an emergency whose quorum is met may be vetoed."""
    reports: frozenset[str] = frozenset()
    """The digests of the reports on an emergency."""
    told: frozenset[tuple[str, str, str]] = frozenset()
    """Who was told of what by which channel."""
    stopped_by: str | None = None
    """Who vetoed it; in an emergency a rejection is a veto."""
    proposed: bytes | None = None
    """The policy that a policy change is about."""
    narrowed: Mapping[int, Narrowing] = field(default_factory=dict)
    """What later policies took away, by their version."""
    ended_at: datetime | None = None

    @property
    def deadline(self) -> datetime:
        """When it expires, after every extension."""
        return self.extensions[-1].statement.deadline if self.extensions else self.request.statement.deadline

    @property
    def emergency(self) -> BreakGlass | None:
        """What the rule asks for instead, where the request breaks the glass."""
        return self.rule.emergency if self.request.statement.mode is Mode.BREAK_GLASS else None

    @property
    def quorum(self) -> tuple[Threshold, ...]:
        """The thresholds that count for it."""
        return self.emergency.quorum if self.emergency else self.rule.quorum

    @property
    def checks(self) -> frozenset[str]:
        """What every approval must state as passed."""
        return self.emergency.checks if self.emergency else self.rule.checks

    def consents(self, *, at: datetime) -> dict[str, frozenset[str]]:
        """Return whose approval stands at an instant, and in which roles they count."""
        if self.request_fell:
            return {}
        return {
            signer: self.counting[signer]
            for signer, signed in self.decisions.items()
            if signed.statement.choice is Choice.APPROVAL and _stands(signed.statement, at)
        }

    def seats(self, *, at: datetime) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return each role with those who fill it at an instant, as an entry writes them."""
        seats = seat(self.needs, self.consents(at=at))
        return tuple(
            (need.role, tuple(sorted(p for p, role in seats.items() if role == need.role)))
            for need in self.needs
        )

    def tally(self, *, at: datetime) -> Tally:
        """Count the approvals that stand at an instant."""
        decided = {signer for signer, signed in self.decisions.items() if _stands(signed.statement, at)}
        members = frozenset[str]().union(*(need.members for need in self.needs))
        return tally(self.needs, self.consents(at=at), members - decided - self.silenced(at=at))

    @property
    def request_fell(self) -> bool:
        """Whether it was opened by a key that signs no more since before: nothing counts any more."""
        revoked = self.revoked.get(self.request.key.key.key_id)
        return revoked is not None and self.logged_at >= revoked.since

    def is_suspended(self, signer: str, *, at: datetime) -> bool:
        """Whether somebody does not count at an instant."""
        suspended = self.suspended.get(signer)
        return suspended is not None and at < suspended.until

    def silenced(self, *, at: datetime) -> frozenset[str]:
        """Return who cannot decide at an instant: they are suspended, or all their keys are revoked."""
        if not self.revoked and not self.suspended:
            return frozenset()
        return frozenset(
            name
            for name, signer in self.policy.signers.items()
            if self.is_suspended(name, at=at) or all(k.key.key_id in self.revoked for k in signer.keys)
        )

    @property
    def counted_at(self) -> datetime | None:
        """At which instant the approvals were counted that ended it: of an emergency, its window's end."""
        return self.window_ends if self.state is State.PROVISIONAL else self.ended_at

    @property
    def excluded(self) -> frozenset[str]:
        """Who never counts: those who asked, and in an emergency machines."""
        return self.request.statement.excluded | (self.policy.machines if self.emergency else frozenset())

    @property
    def needs(self) -> tuple[Need, ...]:
        """Who can count for each role: never a requester, and of a member and their deputy only one."""
        needs = self.policy.needs(self.quorum, excluded=self.excluded)
        return tuple(
            replace(need, members=self._with_deputies(need) - self._removed(need.role)) for need in needs
        )

    def open_roles(self, *, at: datetime) -> frozenset[str]:
        """Return the roles whose turn it is: of every stage up to the first that is not met."""
        if self.emergency is not None or not self.rule.stages:
            return frozenset(threshold.role for threshold in self.quorum)
        roles: frozenset[str] = frozenset()
        for stage in self.rule.stages:
            roles |= stage
            needs = [need for need in self.needs if need.role in roles]
            if not quorum_met(needs, self.consents(at=at)):
                break
        return roles

    @property
    def report_due(self) -> datetime | None:
        """When the report on an emergency is late; none where it is owed no more, or never was."""
        if self.state is not State.PROVISIONAL or self.reports:
            return None
        assert self.emergency is not None  # noqa: S101 - nothing else is provisional
        assert self.ended_at is not None  # noqa: S101 - and it has ended
        return self.ended_at + self.emergency.report

    @property
    def rejecters(self) -> frozenset[str]:
        """Who rejects now."""
        return frozenset(p for p, d in self.decisions.items() if d.statement.choice is Choice.REJECTION)

    def _removed(self, role: str) -> frozenset[str]:
        """Return who was removed from a role since, and has not decided before."""
        removed = {member for each in self.narrowed.values() for held, member in each.members if held == role}
        return frozenset(removed - self.decisions.keys())

    def _with_deputies(self, need: Need) -> frozenset[str]:
        if not self.stands_for:
            return need.members
        pairs = {deputy: delegation.statement for deputy, delegation in self.stands_for.items()}
        replaced = frozenset(delegation.context.signer for delegation in pairs.values())
        deputies = {
            deputy
            for deputy, delegation in pairs.items()
            if delegation.role == need.role and delegation.context.signer in need.members
        }
        return need.members - replaced | deputies


def apply(ceremony: Ceremony, event: Event) -> Ceremony:
    """Return the ceremony after one event."""
    state = require(ceremony, type(event))
    match event:
        case DecisionRecorded(at=at, decision=decision, timestamp=timestamp):
            signer, roles = decision.signer, decision.statement.roles & ceremony.open_roles(at=at)
            return replace(
                ceremony,
                decisions={**ceremony.decisions, signer: decision},
                counting={**ceremony.counting, signer: roles},
                stands_for=_standing_for(ceremony, decision),
                times={**ceremony.times, signer: event.proved_at},
                stamps=_stamps(ceremony, signer, timestamp),
                recorded=ceremony.recorded | {decision.digest},
                counts={**ceremony.counts, signer: ceremony.counts.get(signer, 0) + 1},
                size=ceremony.size + cost(decision.envelope) + token_cost(timestamp),
            )
        case LateDecisionRecorded(decision=decision, timestamp=timestamp):
            return replace(
                ceremony,
                recorded=ceremony.recorded | {decision.digest},
                late=ceremony.late | {decision.signer},
                size=ceremony.size + cost(decision.envelope) + token_cost(timestamp),
            )
        case CeremonyExtended(extension=extension):
            size = ceremony.size + cost(extension.envelope)
            return replace(ceremony, extensions=(*ceremony.extensions, extension), size=size)
        case DelegationBegan(delegation=delegation):
            key = delegation.signer, delegation.statement.role
            size = ceremony.size + cost(delegation.envelope)
            return replace(
                ceremony,
                delegations={**ceremony.delegations, key: delegation},
                numbers={**ceremony.numbers, key: delegation.statement.number},
                size=size,
            )
        case DelegationEnded(withdrawal=withdrawal):
            assert withdrawal.statement.role is not None  # noqa: S101 - else it ends nothing here
            key = withdrawal.signer, withdrawal.statement.role
            kept = {k: d for k, d in ceremony.delegations.items() if k != key}
            return replace(
                ceremony,
                delegations=kept,
                numbers={**ceremony.numbers, key: withdrawal.statement.number},
                size=ceremony.size + cost(withdrawal.envelope),
            )
        case RosterNarrowed(narrowing=narrowing):
            narrowed = {**ceremony.narrowed, narrowing.policy.version: narrowing}
            kept = {
                (member, role): delegation
                for (member, role), delegation in ceremony.delegations.items()
                if (role, member) not in narrowing.members
                and (role, delegation.statement.deputy) not in narrowing.deputies
            }
            return replace(ceremony, narrowed=narrowed, delegations=kept)
        case KeyRevoked(revoked=revoked):
            return replace(
                without_key(ceremony, revoked),
                delegations=_not_by(revoked.key, ceremony.delegations),
                size=ceremony.size + sum(map(cost, revoked.envelopes)),
            )
        case SignerSuspended(suspended=suspended):
            fallen = put_out(suspended.person, ceremony.decisions, ceremony.stands_for)
            return replace(
                _without(ceremony, fallen),
                suspended={**ceremony.suspended, suspended.person: suspended},
                size=ceremony.size + sum(map(cost, suspended.envelopes)),
            )
        case WindowOpened(at=at):
            assert ceremony.emergency is not None  # noqa: S101 - nothing else opens a window
            return replace(ceremony, window_ends=at + ceremony.emergency.veto_window)
        case WindowBroken():
            return replace(ceremony, window_ends=None)
        case ReportFiled(report=report):
            size = ceremony.size + cost(report.envelope)
            return replace(ceremony, reports=ceremony.reports | {report.digest}, size=size)
        case NoticeDelivered(recipient=recipient, channel=channel, notice=notice):
            return replace(ceremony, told=ceremony.told | {(recipient, channel, notice)})
        case CeremonyVetoed(at=at, veto=veto):
            return replace(ceremony, state=state, ended_at=at, stopped_by=veto.signer)
        case CeremonyRejected(at=at) if ceremony.emergency:
            (stopper,) = ceremony.rejecters - ceremony.vetoed_by
            return replace(ceremony, state=state, ended_at=at, stopped_by=stopper)
        case _:
            return replace(ceremony, state=state, ended_at=event.at)


def _without(ceremony: Ceremony, fallen: Collection[str]) -> Ceremony:
    """Return the ceremony after the standing decisions of some people fell."""
    return replace(
        ceremony,
        decisions={s: d for s, d in ceremony.decisions.items() if s not in fallen},
        counting={s: roles for s, roles in ceremony.counting.items() if s not in fallen},
        stands_for={s: d for s, d in ceremony.stands_for.items() if s not in fallen},
        times={s: at for s, at in ceremony.times.items() if s not in fallen},
        stamps={s: stamp for s, stamp in ceremony.stamps.items() if s not in fallen},
        fallen={**ceremony.fallen, **{ceremony.decisions[signer].digest: signer for signer in fallen}},
    )


def without_key(ceremony: Ceremony, revoked: Revoked) -> Ceremony:
    """Return the ceremony after what a key signed from an instant on fell."""
    fallen = hit(revoked, ceremony.decisions, ceremony.stands_for, ceremony.times)
    return replace(_without(ceremony, fallen), revoked={**ceremony.revoked, revoked.key: revoked})


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
        states = sorted(state for state, moves in TRANSITIONS.items() if event in moves)
        raise IllegalTransitionError(
            f"expected a ceremony that is {' or '.join(states)}, got one that is {ceremony.state}"
        ) from None


def _standing_for(ceremony: Ceremony, decision: Signed[Decision]) -> dict[str, Signed[Delegation]]:
    others = {d: named for d, named in ceremony.stands_for.items() if d != decision.signer}
    if decision.statement.choice is Choice.ABSTENTION:  # whoever steps back gives the member back
        return others
    named = decision.statement.delegation
    live = [delegation for delegation in ceremony.delegations.values() if delegation.digest == named]
    return {**others, decision.signer: live[0]} if live else others


def _stamps(ceremony: Ceremony, signer: str, timestamp: Timestamp | None) -> dict[str, Timestamp]:
    others = {s: stamp for s, stamp in ceremony.stamps.items() if s != signer}
    return {**others, signer: timestamp} if timestamp else others


def _not_by(
    key: str, delegations: Mapping[tuple[str, str], Signed[Delegation]]
) -> dict[tuple[str, str], Signed[Delegation]]:
    """Return the delegations that a key did not sign: one ends with the key that made it."""
    return {about: each for about, each in delegations.items() if each.key.key.key_id != key}


def _stands(decision: Decision, at: datetime) -> bool:
    return decision.not_after is None or at < decision.not_after
