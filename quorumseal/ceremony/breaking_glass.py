# SPDX-License-Identifier: Apache-2.0
"""The course of an emergency: a quorum opens a window, in which any member of any role may veto."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from quorumseal.ceremony import budget
from quorumseal.ceremony.budget import MOST_DELIVERIES
from quorumseal.ceremony.checking import (
    check_about,
    check_key,
    check_open,
    check_signed_in_time,
    check_trusted,
)
from quorumseal.ceremony.emergency import PEOPLE_AFTER_TROUBLE, floor_met
from quorumseal.ceremony.errors import NoEmergencyError, ReportNotAllowedError, VetoNotAllowedError
from quorumseal.ceremony.events import (
    CeremonyRejected,
    CeremonyVetoed,
    Event,
    NoticeDelivered,
    ReportFiled,
    WindowBroken,
    WindowOpened,
)
from quorumseal.ceremony.lifecycle import Ceremony, require
from quorumseal.ceremony.quorum import Need, quorum_met, seat
from quorumseal.ceremony.request_errors import EmergencyPeopleError
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Decision, Emergency, Report, Request, Veto
from quorumseal.ceremony.timing import check_not_ahead


def check_vetoes(request: Request, vetoed_by: Collection[str]) -> None:
    """Refuse an opening that takes the veto from somebody without asking for more people in return."""
    if vetoed_by and (request.emergency is None or request.emergency.people < PEOPLE_AFTER_TROUBLE):
        got = f"one of {request.emergency.people}" if request.emergency else "a regular ceremony"
        raise EmergencyPeopleError(
            f"expected an emergency of {PEOPLE_AFTER_TROUBLE} people, "
            f"since {' and '.join(sorted(vetoed_by))} vetoed one for this release, got {got}",
            hint=f"start with --people {PEOPLE_AFTER_TROUBLE}",
        )


def missing_people(emergency: Emergency, needs: Iterable[Need]) -> str:
    """Say that fewer people could join than the request asks for; empty where there are enough."""
    joining = frozenset[str]().union(*(need.members for need in needs))
    if emergency.people <= len(joining):
        return ""
    return f"it needs {emergency.people} people, but only {', '.join(sorted(joining))} can join"


def window(ceremony: Ceremony, latest: Decision, at: datetime) -> tuple[Event, ...]:
    """In an emergency a rejection is a veto, and a quorum opens a window instead of concluding."""
    if latest.choice is Choice.REJECTION and latest.context.signer not in ceremony.vetoed_by:
        return (CeremonyRejected(at),)
    met = emergency_met(ceremony, at=at)
    if met and ceremony.window_ends is None:
        return (WindowOpened(at, ceremony.seats(at=at)),)
    return () if met or ceremony.window_ends is None else (WindowBroken(at),)


def emergency_met(ceremony: Ceremony, *, at: datetime) -> bool:
    """Whether an emergency has its quorum, as many people as it said, and never less than the floor."""
    emergency = ceremony.request.statement.emergency
    assert emergency is not None  # noqa: S101 - the caller knows that it is one
    needs, consents = ceremony.needs, ceremony.consents(at=at)
    return (
        quorum_met(needs, consents)
        and len(joined(ceremony, at=at)) >= emergency.people
        and floor_met(seat(needs, consents), ceremony.policy.guardians)
    )


def joined(ceremony: Ceremony, *, at: datetime) -> frozenset[str]:
    """Return whose approvals count at an instant, those beyond the thresholds among them."""
    needs, consents = ceremony.needs, ceremony.consents(at=at)
    return frozenset(p for p, roles in consents.items() if _counts(needs, p, roles))


def more_people(ceremony: Ceremony, *, at: datetime) -> int:
    """Return how many people an emergency needs beyond those whose roles are still to be filled."""
    emergency = ceremony.request.statement.emergency
    if emergency is None:
        return 0
    seats = sum(role.missing for role in ceremony.tally(at=at).roles)
    return max(0, emergency.people - len(joined(ceremony, at=at)) - seats)


def awaited(ceremony: Ceremony, *, at: datetime) -> tuple[str, ...]:
    """Return everybody whose approval would bring the end nearer: for a role, or as one person more."""
    count = ceremony.tally(at=at)
    if not more_people(ceremony, at=at):
        return count.awaited
    able = frozenset[str]().union(*(need.members for need in ceremony.needs))
    return tuple(sorted(able - ceremony.decisions.keys() - ceremony.silenced(at=at)))


def _counts(needs: Sequence[Need], person: str, roles: frozenset[str]) -> bool:
    return any(need.role in roles and person in need.members for need in needs)


def stop(ceremony: Ceremony, veto: Signed[Veto], at: datetime) -> tuple[Event, ...]:
    """Let a member of any role end it."""
    check_about(ceremony, veto)
    if ceremony.emergency is None:
        raise NoEmergencyError("expected an emergency to veto, got an ordinary ceremony")
    check_open(ceremony)
    signer = veto.signer
    if not any(signer in role.members for role in ceremony.policy.roles.values()):
        raise VetoNotAllowedError(
            f"expected a veto by a member of any role, got one by {signer}",
            hint="ask a member of a role to veto",
        )
    if signer in ceremony.vetoed_by:
        raise VetoNotAllowedError(
            f"expected a veto by somebody who has not vetoed this release before, got one by {signer}",
            hint="nobody stops the same release twice alone; convince somebody else",
        )
    check_signed_in_time(ceremony, veto, at)
    return (CeremonyVetoed(at, veto),)


def file_report(ceremony: Ceremony, report: Signed[Report], at: datetime) -> tuple[Event, ...]:
    """Take the report of somebody who took no part."""
    check_about(ceremony, report)
    if ceremony.emergency is None:
        raise NoEmergencyError("expected an emergency to report on, got an ordinary ceremony")
    if report.digest in ceremony.reports:
        return ()
    require(ceremony, ReportFiled)
    _check_reporter(ceremony, report.signer)
    check_key(report, at)
    check_trusted(ceremony, report, at)
    check_not_ahead(report.statement.context.signed_at, skew=ceremony.policy.clock_skew, at=at)
    budget.check_decision(ceremony.size, report.envelope)
    return (ReportFiled(at, report),)


def _check_reporter(ceremony: Ceremony, signer: str) -> None:
    represented = {delegation.signer for delegation in ceremony.stands_for.values()}
    if signer in ceremony.request.statement.requesters | ceremony.decisions.keys() | represented:
        raise ReportNotAllowedError(f"expected a report by somebody who took no part, got one by {signer}")
    if signer in ceremony.policy.machines:
        raise ReportNotAllowedError(f"expected a report by a person, got one by the machine {signer}")


def deliver(ceremony: Ceremony, delivered: NoticeDelivered) -> tuple[Event, ...]:
    """Note that somebody was told, as long as there is room for it."""
    if ceremony.emergency is None:
        raise NoEmergencyError("expected the deliveries of an emergency only, got an ordinary ceremony's")
    told = delivered.recipient, delivered.channel, delivered.notice
    return () if told in ceremony.told or len(ceremony.told) >= MOST_DELIVERIES else (delivered,)
