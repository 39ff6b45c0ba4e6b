# SPDX-License-Identifier: Apache-2.0
"""What a command does to a ceremony: events, or a refusal.  Everybody who judges asks here.

``decide`` never changes anything; ``lifecycle.apply`` folds the events that it returns.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from quorumseal.ceremony import budget
from quorumseal.ceremony.errors import (
    CancellationNotAllowedError,
    CeremonyEndedError,
    CheckNotPassedError,
    KeyNotValidError,
    NotAfterPassedError,
    NotAMemberError,
    NotDueError,
    OnBehalfOfError,
    OtherCeremonyError,
    OtherRequestError,
    OtherSubjectsError,
    QuorumUnreachableError,
    ReplacesError,
    RequesterDecidesError,
    RequesterNotAllowedError,
    TooManyDecisionsError,
    UnknownRoleError,
)
from quorumseal.ceremony.lifecycle import (
    Ceremony,
    CeremonyCancelled,
    CeremonyOpened,
    CeremonyRejected,
    CeremonySuperseded,
    DeadlinePassed,
    DecisionRecorded,
    Event,
    LateDecisionRecorded,
    QuorumReached,
    State,
    apply,
    require,
)
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.quorum import quorum_met, seat, shortage
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Cancellation, CheckOutcome, Choice, Decision, Request
from quorumseal.ceremony.timing import check_on_time, check_opening
from quorumseal.ceremony.values import instant_text

MOST_DECISIONS = 8


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody decided."""

    decision: Signed[Decision]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody withdraws the request."""

    cancellation: Signed[Cancellation]


@dataclass(frozen=True, slots=True)
class Expire:
    """The deadline may have passed."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """A later request takes this one's place."""

    by: str


Command: TypeAlias = Record | Cancel | Expire | Supersede


def open_ceremony(policy: Policy, request: Signed[Request], *, at: datetime) -> CeremonyOpened:
    """Decide whether a request opens a ceremony, whatever other ceremonies there are."""
    statement = request.statement
    rule = policy.rule_for(statement.product, statement.kind)
    signer = policy.signer(request.signer)
    if not policy.may_request(request.signer, rule):
        raise RequesterNotAllowedError(
            f"expected a requester from {', '.join(sorted(rule.requesters))} (rule {rule.name}), "
            f"got {request.signer}",
            hint="ask a member of these roles to start the ceremony",
        )
    _check_on_behalf_of(policy, signer.kind, statement)
    _check_key(request, at)
    check_opening(statement, rule, policy, at=at)
    reason = shortage(policy.needs(rule.quorum, excluded=statement.requesters))
    if reason:
        raise QuorumUnreachableError(
            f"whoever requests does not count, and without {' and '.join(sorted(statement.requesters))} "
            f"{reason}",
            hint="let somebody else request, or add members by a policy change",
        )
    budget.check_opening(request.envelope, sum(threshold.count for threshold in rule.quorum))
    return CeremonyOpened(at, request)


def opened(policy: Policy, event: CeremonyOpened) -> Ceremony:
    """Return the ceremony that an opening makes."""
    request, statement = event.request, event.request.statement
    rule = policy.rule_for(statement.product, statement.kind)
    return Ceremony(policy=policy, rule=rule, request=request, size=budget.cost(request.envelope))


def decide(ceremony: Ceremony, command: Command, *, at: datetime) -> tuple[Event, ...]:
    """Return what ``command`` causes at an instant of the log: events, none for a repetition, or a refusal.

    The deadline goes first: at or after it, an open ceremony expires whatever the command was.
    """
    if ceremony.state is State.OPEN and at >= ceremony.request.statement.deadline:
        passed = DeadlinePassed(at)
        late = _record(apply(ceremony, passed), command, at) if isinstance(command, Record) else ()
        return (passed, *late)
    match command:
        case Record():
            return _record(ceremony, command, at)
        case Cancel(cancellation):
            return _cancel(ceremony, cancellation, at)
        case Expire():
            if ceremony.state is not State.OPEN:
                return ()
            deadline = instant_text(ceremony.request.statement.deadline)
            raise NotDueError(f"expected the deadline ({deadline}) to have passed, got {instant_text(at)}")
        case Supersede(by):
            require(ceremony, CeremonySuperseded)
            return (CeremonySuperseded(at, by),)
        case unknown:
            assert_never(unknown)


def _record(ceremony: Ceremony, command: Record, at: datetime) -> tuple[Event, ...]:
    decision = command.decision
    _check_about(ceremony, decision)
    if decision.digest in ceremony.recorded:
        return ()
    if ceremony.state is State.EXPIRED and decision.signer not in ceremony.late:
        _check_eligible(ceremony, decision.statement, decision.signer)
        budget.check_decision(ceremony.size, decision.envelope)
        return (LateDecisionRecorded(at, decision),)
    _check_open(ceremony)
    _check_eligible(ceremony, decision.statement, decision.signer)
    _check_key(decision, at)
    check_on_time(
        decision.statement.context.signed_at,
        opened=ceremony.request.statement.opened_at,
        deadline=ceremony.request.statement.deadline,
        skew=ceremony.policy.clock_skew,
        at=at,
    )
    _check_not_after(decision.statement, at)
    _check_count(ceremony, decision.signer)
    _check_replaces(ceremony, decision)
    budget.check_decision(ceremony.size, decision.envelope)
    recorded = DecisionRecorded(at, decision)
    return (recorded, *_conclusion(apply(ceremony, recorded), decision.statement, at))


def _conclusion(ceremony: Ceremony, latest: Decision, at: datetime) -> tuple[Event, ...]:
    """Return how the ceremony ends by its latest decision, if it does."""
    if latest.choice is Choice.REJECTION:
        everybody = {p: ceremony.policy.roles_of(p, ceremony.rule) for p in ceremony.policy.signers}
        without = {p: roles for p, roles in everybody.items() if p not in ceremony.rejecters}
        vetoed = bool(latest.roles & ceremony.rule.veto)
        return () if not vetoed and quorum_met(ceremony.needs, without) else (CeremonyRejected(at),)
    needs, consents = ceremony.needs, ceremony.consents(at=at)
    if not quorum_met(needs, consents):
        return ()
    seats = seat(needs, consents)
    return (
        QuorumReached(
            at, tuple((n.role, tuple(sorted(p for p, r in seats.items() if r == n.role))) for n in needs)
        ),
    )


def _cancel(ceremony: Ceremony, cancellation: Signed[Cancellation], at: datetime) -> tuple[Event, ...]:
    _check_about(ceremony, cancellation)
    _check_open(ceremony)
    if cancellation.signer not in ceremony.request.statement.requesters and not ceremony.policy.may_request(
        cancellation.signer, ceremony.rule
    ):
        raise CancellationNotAllowedError(
            f"expected the requester or a member of {', '.join(sorted(ceremony.rule.requesters))} to cancel, "
            f"got {cancellation.signer}",
            hint="to say no as a role owner, reject it",
        )
    _check_key(cancellation, at)
    check_on_time(
        cancellation.statement.context.signed_at,
        opened=ceremony.request.statement.opened_at,
        deadline=ceremony.request.statement.deadline,
        skew=ceremony.policy.clock_skew,
        at=at,
    )
    return (CeremonyCancelled(at, cancellation),)


def _check_about(ceremony: Ceremony, signed: Signed[Decision] | Signed[Cancellation]) -> None:
    request, statement = ceremony.request, signed.statement
    if statement.ceremony != request.statement.ceremony:
        raise OtherCeremonyError(
            f"expected a statement for ceremony {request.statement.ceremony}, "
            f"got one for {statement.ceremony}"
        )
    if statement.request != request.digest:
        raise OtherRequestError(
            f"expected a statement about request {request.digest}, got one about {statement.request}",
            hint="review the ceremony again and decide on what it asks now",
        )


def _check_open(ceremony: Ceremony) -> None:
    if ceremony.state is not State.OPEN:
        ended = f" since {instant_text(ceremony.ended_at)}" if ceremony.ended_at else ""
        raise CeremonyEndedError(
            f"expected an open ceremony, got one that is {ceremony.state}{ended}",
            hint="nothing more is counted; a new ceremony needs a new request",
        )


def _check_eligible(ceremony: Ceremony, decision: Decision, signer: str) -> None:
    if signer in ceremony.request.statement.requesters:
        raise RequesterDecidesError(
            f"expected a decision by somebody who did not ask for the release, got one by {signer}",
            hint="the requester never counts; to withdraw the request, cancel it",
        )
    rule_roles = [threshold.role for threshold in ceremony.rule.quorum]
    for role in sorted(decision.roles):
        if role not in rule_roles:
            raise UnknownRoleError(
                f"expected roles that rule {ceremony.rule.name} asks for ({', '.join(rule_roles)}), "
                f"got {role}"
            )
        if signer not in ceremony.policy.roles[role].members:
            raise NotAMemberError(f"expected a member of {role}, got {signer}")
    if decision.choice is not Choice.APPROVAL:
        return
    if decision.subjects != ceremony.request.statement.subjects:
        raise OtherSubjectsError(
            "expected an approval of exactly the artifacts of the request, got one of others",
            hint="review the ceremony again and decide on what it asks now",
        )
    passed = {check.name for check in decision.checks if check.outcome is CheckOutcome.PASS}
    for check in sorted(ceremony.rule.checks - passed):
        raise CheckNotPassedError(
            f"expected an approval that states check {check} as passed (rule {ceremony.rule.name}), "
            "got one that does not",
            hint="do the check, or reject",
        )


def _check_key(signed: Signed[Request] | Signed[Decision] | Signed[Cancellation], at: datetime) -> None:
    """A key counts by the log's clock too: the signing time alone is the word of whoever holds the key."""
    if not signed.key.valid_at(at):
        raise KeyNotValidError(
            f"expected a key of {signed.signer} that is valid at {instant_text(at)}, got one valid from "
            f"{instant_text(signed.key.valid_from)} to {instant_text(signed.key.valid_until)}",
            hint="sign with a key that the policy calls valid now",
        )


def _check_not_after(decision: Decision, at: datetime) -> None:
    if decision.not_after is not None and at >= decision.not_after:
        raise NotAfterPassedError(
            f"expected a decision that stands at {instant_text(at)}, "
            f"got one that stands until {instant_text(decision.not_after)}",
            hint="decide again",
        )


def _check_count(ceremony: Ceremony, signer: str) -> None:
    """Every decision travels in the bundle: without a bound, one signer could take the room of all."""
    if ceremony.counts.get(signer, 0) >= MOST_DECISIONS:
        raise TooManyDecisionsError(
            f"expected at most {MOST_DECISIONS} decisions of one signer in a ceremony, "
            f"got one more by {signer}",
            hint="the last one stands; to begin anew, the requester starts another ceremony",
        )


def _check_replaces(ceremony: Ceremony, decision: Signed[Decision]) -> None:
    standing = ceremony.decisions.get(decision.signer)
    expected = standing.digest if standing else None
    if decision.statement.replaces != expected:
        raise ReplacesError(
            f"expected a decision of {decision.signer} that replaces {expected or 'none'}, "
            f"got one that replaces {decision.statement.replaces or 'none'}",
            hint="read your own decisions from the log first, then decide again",
        )


def _check_on_behalf_of(policy: Policy, kind: SignerKind, request: Request) -> None:
    behind = request.on_behalf_of
    if kind is SignerKind.PERSON:
        if behind is not None:
            raise OnBehalfOfError(f"expected a person to ask for themselves, got on_behalf_of {behind}")
    elif behind is None or policy.signer(behind).kind is not SignerKind.PERSON:
        raise OnBehalfOfError(
            f"expected a machine to say for which person it asks, got {behind or 'nobody'}",
            hint="start with --on-behalf-of PERSON",
        )
