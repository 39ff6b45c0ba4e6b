# SPDX-License-Identifier: Apache-2.0
"""What a command does to a ceremony: events, or a refusal.  Everybody who judges asks here.

``decide`` never changes anything; ``lifecycle.apply`` folds the events that it returns.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from quorumseal.ceremony import budget
from quorumseal.ceremony.breaking_glass import (
    check_vetoes,
    deliver,
    emergency_met,
    file_report,
    missing_people,
    stop,
    window,
)
from quorumseal.ceremony.checking import check_about, check_key, check_open, check_signed_in_time
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
from quorumseal.ceremony.delegating import (
    check_begin,
    check_delegations,
    check_end,
    check_number,
    check_stand_in,
)
from quorumseal.ceremony.errors import (
    CancellationNotAllowedError,
    CheckNotPassedError,
    NotAfterPassedError,
    NotAMemberError,
    NotDueError,
    OtherStageError,
    OtherSubjectsError,
    ReplacesError,
    RequesterDecidesError,
    TooManyDecisionsError,
    UnknownRoleError,
)
from quorumseal.ceremony.extending import check_extension
from quorumseal.ceremony.lifecycle import (
    Ceremony,
    CeremonyCancelled,
    CeremonyExtended,
    CeremonyOpened,
    CeremonyRejected,
    CeremonySuperseded,
    DeadlinePassed,
    DecisionRecorded,
    DelegationBegan,
    DelegationEnded,
    Event,
    LateDecisionRecorded,
    NoticeDelivered,
    QuorumReached,
    State,
    WindowBroken,
    WindowPassed,
    apply,
    replay,
    require,
)
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.quorum import quorum_met, shortage
from quorumseal.ceremony.request_errors import (
    OnBehalfOfError,
    QuorumUnreachableError,
    RequesterNotAllowedError,
)
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Cancellation,
    CheckOutcome,
    Choice,
    Decision,
    Delegation,
    Extension,
    Request,
)
from quorumseal.ceremony.timing import check_emergency, check_on_time, check_opening
from quorumseal.ceremony.values import instant_text

MOST_DECISIONS = 8


def open_ceremony(
    policy: Policy,
    request: Signed[Request],
    *,
    at: datetime,
    delegations: tuple[Signed[Delegation], ...] = (),
    vetoed_by: frozenset[str] = frozenset(),
) -> CeremonyOpened:
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
    check_key(request, at)
    check_opening(statement, rule, policy, at=at)
    quorum, excluded = rule.quorum, statement.requesters
    if statement.emergency is not None:
        quorum = check_emergency(statement, statement.emergency, rule).quorum
        excluded |= policy.machines
    check_vetoes(statement, vetoed_by)
    needs = policy.needs(quorum, excluded=excluded)
    reason = shortage(needs) or (missing_people(statement.emergency, needs) if statement.emergency else "")
    if reason:
        raise QuorumUnreachableError(
            f"whoever requests does not count, and without {' and '.join(sorted(statement.requesters))} "
            f"{reason}",
            hint="let somebody else request, or add members by a policy change",
        )
    check_delegations(delegations, statement, policy, at=at)
    budget.check_opening(request.envelope, sum(threshold.count for threshold in quorum))
    return CeremonyOpened(at, request, delegations, vetoed_by)


def opened(policy: Policy, event: CeremonyOpened) -> Ceremony:
    """Return the ceremony that an opening makes."""
    statement = event.request.statement
    ceremony = Ceremony(
        policy=policy,
        rule=policy.rule_for(statement.product, statement.kind),
        request=event.request,
        vetoed_by=event.vetoed_by,
        delegations={(d.signer, d.statement.role): d for d in event.delegations},
        numbers={(d.signer, d.statement.role): d.statement.number for d in event.delegations},
    )
    envelopes = [event.request.envelope, *(delegation.envelope for delegation in event.delegations)]
    return replace(ceremony, size=sum(map(budget.cost, envelopes)))


def decide(ceremony: Ceremony, command: Command, *, at: datetime) -> tuple[Event, ...]:
    """Return what ``command`` causes at an instant of the log: events, none for a repetition, or a refusal.

    What the clock has brought goes first, whatever the command was: the end of a veto window, the deadline.
    """
    due = _due(ceremony, at)
    ceremony = replay(ceremony, due)
    if due and (isinstance(command, Expire) or ceremony.state is not State.OPEN):
        late = _record(ceremony, command, at) if isinstance(command, Record) and _expired(ceremony) else ()
        return (*due, *late)
    return (*due, *_decide(ceremony, command, at))


def next_due(ceremony: Ceremony) -> datetime | None:
    """Return the next instant at which time alone moves an open ceremony."""
    if ceremony.state is not State.OPEN:
        return None
    return min(ceremony.window_ends or ceremony.deadline, ceremony.deadline)


def _due(ceremony: Ceremony, at: datetime) -> tuple[Event, ...]:
    if ceremony.state is not State.OPEN:
        return ()
    ends = ceremony.window_ends
    if ends is not None and ends < ceremony.deadline and at >= ends:
        # The window was over at its end, however late anybody looked.
        if emergency_met(ceremony, at=ends):
            return (WindowPassed(at, ceremony.seats(at=ends)),)
        broken = WindowBroken(at)
        return (broken, *_due(apply(ceremony, broken), at))
    return (DeadlinePassed(at),) if at >= ceremony.deadline else ()


def _expired(ceremony: Ceremony) -> bool:
    return ceremony.state is State.EXPIRED


def _decide(ceremony: Ceremony, command: Command, at: datetime) -> tuple[Event, ...]:
    match command:
        case Record():
            return _record(ceremony, command, at)
        case Cancel(cancellation):
            return _cancel(ceremony, cancellation, at)
        case Extend(extension):
            return _extend(ceremony, extension, at)
        case Stop(veto):
            return stop(ceremony, veto, at)
        case File(report):
            return file_report(ceremony, report, at)
        case Begin(delegation):
            return _begin(ceremony, delegation, at)
        case End(withdrawal):
            require(ceremony, DelegationEnded)
            check_end(ceremony, withdrawal, at=at)
            budget.check_decision(ceremony.size, withdrawal.envelope)
            return (DelegationEnded(at, withdrawal),)
        case Deliver(recipient, channel, notice):
            return deliver(ceremony, NoticeDelivered(at, recipient, channel, notice))
        case Expire():
            if ceremony.state is not State.OPEN:
                return ()
            raise NotDueError(
                f"expected something to be due ({instant_text(next_due(ceremony) or at)}), "
                f"got {instant_text(at)}"
            )
        case Supersede(by):
            require(ceremony, CeremonySuperseded)
            return (CeremonySuperseded(at, by),)
        case unknown:
            assert_never(unknown)


def _record(ceremony: Ceremony, command: Record, at: datetime) -> tuple[Event, ...]:
    decision = command.decision
    check_about(ceremony, decision)
    if decision.digest in ceremony.recorded:
        return ()
    if ceremony.state is State.EXPIRED and decision.signer not in ceremony.late:
        _check_eligible(ceremony, decision.statement, decision.signer)
        check_stand_in(ceremony, decision, at=at)
        budget.check_decision(ceremony.size, decision.envelope)
        return (LateDecisionRecorded(at, decision),)
    check_open(ceremony)
    _check_eligible(ceremony, decision.statement, decision.signer)
    check_key(decision, at)
    check_on_time(
        decision.statement.context.signed_at,
        opened=ceremony.request.statement.opened_at,
        deadline=ceremony.deadline,
        skew=ceremony.policy.clock_skew,
        at=at,
    )
    _check_not_after(decision.statement, at)
    check_stand_in(ceremony, decision, at=at)
    _check_stage(ceremony, decision.statement, at)
    _check_count(ceremony, decision.signer)
    _check_replaces(ceremony, decision)
    budget.check_decision(ceremony.size, decision.envelope)
    recorded = DecisionRecorded(at, decision)
    return (recorded, *_conclusion(apply(ceremony, recorded), decision.statement, at))


def _conclusion(ceremony: Ceremony, latest: Decision, at: datetime) -> tuple[Event, ...]:
    """Return what follows from the latest decision: an end, or the veto window of an emergency."""
    if ceremony.emergency is not None:
        return window(ceremony, latest, at)
    if latest.choice is Choice.REJECTION:
        everybody = {p: ceremony.policy.roles_of(p, ceremony.rule) for p in ceremony.policy.signers}
        without = {p: roles for p, roles in everybody.items() if p not in ceremony.rejecters}
        vetoed = bool(latest.roles & ceremony.rule.veto)
        return () if not vetoed and quorum_met(ceremony.needs, without) else (CeremonyRejected(at),)
    if not quorum_met(ceremony.needs, ceremony.consents(at=at)):
        return ()
    return (QuorumReached(at, ceremony.seats(at=at)),)


def _cancel(ceremony: Ceremony, cancellation: Signed[Cancellation], at: datetime) -> tuple[Event, ...]:
    check_about(ceremony, cancellation)
    check_open(ceremony)
    if cancellation.signer not in ceremony.request.statement.requesters and not ceremony.policy.may_request(
        cancellation.signer, ceremony.rule
    ):
        raise CancellationNotAllowedError(
            f"expected the requester or a member of {', '.join(sorted(ceremony.rule.requesters))} to cancel, "
            f"got {cancellation.signer}",
            hint="to say no as a role owner, reject it",
        )
    check_signed_in_time(ceremony, cancellation, at)
    return (CeremonyCancelled(at, cancellation),)


def _extend(ceremony: Ceremony, extension: Signed[Extension], at: datetime) -> tuple[Event, ...]:
    check_about(ceremony, extension)
    if any(extension.digest == earlier.digest for earlier in ceremony.extensions):
        return ()
    check_open(ceremony)
    check_extension(ceremony, extension)
    check_signed_in_time(ceremony, extension, at)
    budget.check_decision(ceremony.size, extension.envelope)
    return (CeremonyExtended(at, extension),)


def _begin(ceremony: Ceremony, delegation: Signed[Delegation], at: datetime) -> tuple[Event, ...]:
    require(ceremony, DelegationBegan)
    if any(delegation.digest == live.digest for live in ceremony.delegations.values()):
        return ()
    check_begin(delegation, ceremony.request.statement, ceremony.policy, at=at)
    check_number(ceremony, delegation)
    budget.check_decision(ceremony.size, delegation.envelope)
    return (DelegationBegan(at, delegation),)


def _check_eligible(ceremony: Ceremony, decision: Decision, signer: str) -> None:
    if signer in ceremony.request.statement.requesters:
        raise RequesterDecidesError(
            f"expected a decision by somebody who did not ask for the release, got one by {signer}",
            hint="the requester never counts; to withdraw the request, cancel it",
        )
    rule_roles = [threshold.role for threshold in ceremony.quorum]
    for role in sorted(decision.roles):
        if role not in rule_roles:
            raise UnknownRoleError(
                f"expected roles that rule {ceremony.rule.name} asks for ({', '.join(rule_roles)}), "
                f"got {role}"
            )
        if ceremony.emergency and signer in ceremony.policy.machines:
            raise NotAMemberError(
                f"expected a person to decide in an emergency, got the machine {signer}",
                hint="the floor of an emergency is of people; ask one of them",
            )
        if decision.delegation is None and signer not in ceremony.policy.roles[role].members:
            raise NotAMemberError(f"expected a member of {role}, got {signer}")
    if decision.choice is not Choice.APPROVAL:
        return
    if decision.subjects != ceremony.request.statement.subjects:
        raise OtherSubjectsError(
            "expected an approval of exactly the artifacts of the request, got one of others",
            hint="review the ceremony again and decide on what it asks now",
        )
    passed = {check.name for check in decision.checks if check.outcome is CheckOutcome.PASS}
    for check in sorted(ceremony.checks - passed):
        raise CheckNotPassedError(
            f"expected an approval that states check {check} as passed (rule {ceremony.rule.name}), "
            "got one that does not",
            hint="do the check, or reject",
        )


def _check_not_after(decision: Decision, at: datetime) -> None:
    if decision.not_after is not None and at >= decision.not_after:
        raise NotAfterPassedError(
            f"expected a decision that stands at {instant_text(at)}, "
            f"got one that stands until {instant_text(decision.not_after)}",
            hint="decide again",
        )


def _check_stage(ceremony: Ceremony, decision: Decision, at: datetime) -> None:
    open_roles = ceremony.open_roles(at=at)
    if decision.choice is Choice.APPROVAL and not decision.roles & open_roles:
        raise OtherStageError(
            f"expected an approval in a role whose turn it is ({', '.join(sorted(open_roles))}), "
            f"got one in {', '.join(sorted(decision.roles))}"
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
