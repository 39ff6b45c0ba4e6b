# SPDX-License-Identifier: Apache-2.0
"""What a decision does to a ceremony: whose counts, and what follows from the last one."""

from datetime import datetime

from quorumseal.ceremony import budget
from quorumseal.ceremony.breaking_glass import window
from quorumseal.ceremony.checking import check_about, check_open, check_signed_in_time, check_trusted
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.delegating import check_stand_in
from quorumseal.ceremony.errors import (
    CheckNotPassedError,
    NotAfterPassedError,
    NotAMemberError,
    OtherStageError,
    OtherSubjectsError,
    ReplacesError,
    RequesterDecidesError,
    RequestKeyRevokedError,
    TooManyDecisionsError,
    UnknownRoleError,
)
from quorumseal.ceremony.events import (
    CeremonyRejected,
    DecisionRecorded,
    Event,
    LateDecisionRecorded,
    QuorumReached,
)
from quorumseal.ceremony.lifecycle import Ceremony, State, apply
from quorumseal.ceremony.quorum import quorum_met
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import CheckOutcome, Choice, Decision
from quorumseal.ceremony.timestamping import check_stamp
from quorumseal.ceremony.values import instant_text

MOST_DECISIONS = 8


def record_decision(ceremony: Ceremony, command: Record, at: datetime) -> tuple[Event, ...]:
    """Take a decision and what follows from it; one that comes late is on record, and is not counted."""
    decision, timestamp = command.decision, command.timestamp
    proved_at = timestamp.latest if timestamp else None
    check_about(ceremony, decision)
    if decision.digest in ceremony.recorded:
        return ()
    check_stamp(timestamp, decision, ceremony.policy, at)
    if ceremony.state is State.EXPIRED and decision.signer not in ceremony.late:
        _check_eligible(ceremony, decision.statement, decision.signer)
        check_trusted(ceremony, decision, at, proved_at=proved_at)
        check_stand_in(ceremony, decision, at=at)
        budget.check_decision(ceremony.size, decision.envelope, timestamp)
        return (LateDecisionRecorded(at, decision, timestamp),)
    check_open(ceremony)
    _check_eligible(ceremony, decision.statement, decision.signer)
    check_signed_in_time(ceremony, decision, at, proved_at=proved_at)
    _check_request(ceremony, decision.statement)
    _check_not_after(decision.statement, at)
    check_stand_in(ceremony, decision, at=at)
    _check_stage(ceremony, decision.statement, at)
    _check_count(ceremony, decision.signer)
    _check_replaces(ceremony, decision)
    budget.check_decision(ceremony.size, decision.envelope, timestamp)
    recorded = DecisionRecorded(at, decision, timestamp)
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


def _check_eligible(ceremony: Ceremony, decision: Decision, signer: str) -> None:
    if signer in ceremony.request.statement.excluded:
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


def _check_request(ceremony: Ceremony, decision: Decision) -> None:
    if ceremony.request_fell and decision.choice is Choice.APPROVAL:
        key = ceremony.request.key.key.key_id
        raise RequestKeyRevokedError(
            f"expected a request by a key that signed rightly, got one by {key}, "
            f"revoked since {instant_text(ceremony.revoked[key].since)}"
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
