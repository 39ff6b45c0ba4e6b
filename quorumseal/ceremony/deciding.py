# SPDX-License-Identifier: Apache-2.0
"""What a command does to a ceremony: events, or a refusal.  Everybody who judges asks here.

``decide`` never changes anything; ``lifecycle.apply`` folds the events that it returns.
"""

from datetime import datetime
from typing import assert_never

from quorumseal.ceremony import budget
from quorumseal.ceremony.breaking_glass import deliver, emergency_met, file_report, stop
from quorumseal.ceremony.checking import check_about, check_open, check_signed_in_time, check_trusted
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
from quorumseal.ceremony.decisions import record_decision
from quorumseal.ceremony.delegating import check_begin, check_end, check_number
from quorumseal.ceremony.errors import CancellationNotAllowedError, NarrowedBeforeError, NotDueError
from quorumseal.ceremony.events import (
    CeremonyCancelled,
    CeremonyExtended,
    CeremonySuperseded,
    DeadlinePassed,
    DelegationBegan,
    DelegationEnded,
    Event,
    NoticeDelivered,
    RosterNarrowed,
    WindowBroken,
    WindowPassed,
)
from quorumseal.ceremony.extending import check_extension
from quorumseal.ceremony.falling import revoke, suspend
from quorumseal.ceremony.lifecycle import Ceremony, State, apply, replay, require
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Cancellation, Delegation, Extension
from quorumseal.ceremony.values import instant_text


def decide(ceremony: Ceremony, command: Command, *, at: datetime) -> tuple[Event, ...]:
    """Return what ``command`` causes at an instant of the log: events, none for a repetition, or a refusal.

    What the clock has brought goes first, whatever the command was: the end of a veto window, the deadline.
    """
    due = _due(ceremony, at)
    ceremony = replay(ceremony, due)
    if due and (isinstance(command, Expire) or ceremony.state is not State.OPEN):
        if isinstance(command, Record) and ceremony.state is State.EXPIRED:
            return (*due, *record_decision(ceremony, command, at))
        return due
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


def _decide(ceremony: Ceremony, command: Command, at: datetime) -> tuple[Event, ...]:
    match command:
        case Record():
            return record_decision(ceremony, command, at)
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
            check_trusted(ceremony, withdrawal, at)
            check_end(ceremony, withdrawal, at=at)
            budget.check_decision(ceremony.size, withdrawal.envelope)
            return (DelegationEnded(at, withdrawal),)
        case Narrow(narrowing):
            require(ceremony, RosterNarrowed)
            newest = max(ceremony.narrowed, default=ceremony.policy.version)
            if narrowing.policy.version <= newest:
                raise NarrowedBeforeError(
                    f"expected what a policy after version {newest} takes away, "
                    f"got that of version {narrowing.policy.version}"
                )
            return (RosterNarrowed(at, narrowing),)
        case Revoke(revoked):
            return revoke(ceremony, revoked, at)
        case Suspend(suspended):
            return suspend(ceremony, suspended, at)
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
    check_trusted(ceremony, delegation, at)
    check_begin(delegation, ceremony.request.statement, ceremony.policy, at=at)
    check_number(ceremony, delegation)
    budget.check_decision(ceremony.size, delegation.envelope)
    return (DelegationBegan(at, delegation),)
