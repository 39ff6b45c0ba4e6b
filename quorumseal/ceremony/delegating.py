# SPDX-License-Identifier: Apache-2.0
"""Who may stand in for whom.  A deputy is listed in the policy; a delegation only activates one.

A delegated seat uses up both people: neither counts anywhere else in the ceremony.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from quorumseal.ceremony.checking import check_counts, check_key
from quorumseal.ceremony.commands import Begin, End
from quorumseal.ceremony.errors import (
    DelegationMissingError,
    DelegationNotAllowedError,
    DelegationUnknownError,
    StandingOrderError,
    StandingTimeError,
    UsedUpError,
)
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.quorum import Tally, Threshold
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Choice,
    Decision,
    Delegation,
    Mode,
    Request,
    StandingAct,
    Withdrawal,
)
from quorumseal.ceremony.timing import check_not_ahead
from quorumseal.ceremony.values import instant_text


def check_delegation(delegation: Delegation, policy: Policy) -> None:
    """Refuse a delegation that the policy does not foresee."""
    member, deputy = delegation.context.signer, delegation.deputy
    role = policy.roles.get(delegation.role)
    if role is None or member not in role.members:
        raise DelegationNotAllowedError(
            f"expected a delegation by a member of {delegation.role}, got one by {member}",
            hint="delegate a role that you hold",
        )
    if deputy == member:
        raise DelegationNotAllowedError(
            f"expected a delegation to somebody else, got one of {member} to {deputy}"
        )
    if deputy not in role.deputies or policy.signer(deputy).kind is not SignerKind.PERSON:
        listed = ", ".join(sorted(role.deputies)) or "none are listed"
        raise DelegationNotAllowedError(
            f"expected a deputy whom the policy lists for {role.name} ({listed}), got {deputy}",
            hint="delegate to one of them, or add a deputy by a policy change",
        )


def check_delegations(
    delegations: Sequence[Signed[Delegation]], request: Request, policy: Policy, *, at: datetime
) -> None:
    """Refuse an opening that names delegations which are not live, or two of one role by one member."""
    for delegation in delegations:
        check_begin(delegation, request, policy, at=at)
    about = [(delegation.signer, delegation.statement.role) for delegation in delegations]
    if len(set(about)) != len(about):
        raise StandingOrderError("expected one live delegation of a role by a member, got two")


def check_begin(delegation: Signed[Delegation], request: Request, policy: Policy, *, at: datetime) -> None:
    """Refuse a delegation that can count for nothing in a ceremony from an instant on."""
    statement = delegation.statement
    check_delegation(statement, policy)
    check_key(delegation, at)
    check_not_ahead(statement.context.signed_at, skew=policy.clock_skew, at=at)
    if statement.until <= at:
        raise StandingTimeError(
            f"expected a delegation that ends after {instant_text(at)}, got one until "
            f"{instant_text(statement.until)}",
            hint="choose a later end",
        )
    for signer in (delegation.signer, statement.deputy):
        if signer in request.excluded:
            raise DelegationNotAllowedError(
                f"expected a delegation between people who did not ask for the release, "
                f"got one with {signer}",
                hint="whoever asks does not decide, nor anybody for them",
            )


def check_number(ceremony: Ceremony, act: Signed[Delegation] | Signed[Withdrawal]) -> None:
    """Refuse an act that a later one of the same member about the same role has replaced."""
    highest = ceremony.numbers.get((act.signer, act.statement.role or ""), 0)
    if act.statement.number <= highest:
        raise StandingOrderError(
            f"expected number {highest + 1} or higher for role {act.statement.role} of {act.signer}, "
            f"got {act.statement.number}"
        )


def check_end(ceremony: Ceremony, withdrawal: Signed[Withdrawal], *, at: datetime) -> None:
    """Refuse the withdrawal of what is not delegated in this ceremony, or one that was replaced."""
    role = withdrawal.statement.role
    if (withdrawal.signer, role) not in ceremony.delegations:
        raise DelegationMissingError(
            f"expected a delegation of {role or 'a role'} by {withdrawal.signer}, got none"
        )
    check_number(ceremony, withdrawal)
    check_key(withdrawal, at)
    check_not_ahead(withdrawal.statement.context.signed_at, skew=ceremony.policy.clock_skew, at=at)


def touches(delegation: Delegation, request: Request, quorum: Sequence[Threshold]) -> bool:
    """Whether a delegation may count in a ceremony: made under its policy, for a role that it asks for."""
    return (
        delegation.context.policy == request.context.policy
        and any(threshold.role == delegation.role for threshold in quorum)
        and not {delegation.context.signer, delegation.deputy} & request.excluded
    )


def handed_on(ceremony: Ceremony, act: Signed[StandingAct]) -> Begin | End | None:
    """Return what a standing act means for an open ceremony; none where it does not touch it."""
    match act.statement:
        case Delegation() as delegation:
            if touches(delegation, ceremony.request.statement, ceremony.quorum):
                return Begin(Signed(delegation, act.envelope, act.key, act.digest))
        case Withdrawal() as withdrawal:
            if (
                withdrawal.context.policy == ceremony.request.statement.context.policy
                and (act.signer, withdrawal.role) in ceremony.delegations
            ):
                return End(Signed(withdrawal, act.envelope, act.key, act.digest))
    return None


def live_for(
    request: Request, policy: Policy, live: Iterable[Signed[Delegation]]
) -> tuple[Signed[Delegation], ...]:
    """Return which of the live delegations an opening holds."""
    rule = policy.rule_for(request.product, request.kind)
    broken = rule.emergency if request.mode is Mode.BREAK_GLASS else None
    quorum = broken.quorum if broken else rule.quorum
    return tuple(delegation for delegation in live if touches(delegation.statement, request, quorum))


def check_stand_in(ceremony: Ceremony, decision: Signed[Decision], *, at: datetime) -> None:
    """Refuse a decision through a delegation that is not there, or by which somebody would count twice."""
    signer, statement = decision.signer, decision.statement
    for deputy, used in ceremony.stands_for.items():
        if used.signer == signer and deputy != signer:
            raise UsedUpError(
                f"expected a decision by somebody for whom nobody decided yet, got one by {signer}, "
                f"for whom {deputy} did"
            )
    held = ceremony.stands_for.get(signer)
    if statement.delegation is None or (
        statement.choice is Choice.ABSTENTION and held is not None and held.digest == statement.delegation
    ):  # to step back is possible at any time
        return
    live = [d for d in ceremony.delegations.values() if d.digest == statement.delegation]
    if not live:
        raise DelegationUnknownError(
            f"expected a delegation that is live in this ceremony, got {statement.delegation}"
        )
    delegation = live[0].statement
    member = live[0].signer
    if delegation.deputy != signer or statement.roles != {delegation.role}:
        raise DelegationUnknownError(
            f"expected a decision by {delegation.deputy} in {delegation.role} alone, for {member}, "
            f"got one by {signer} in {', '.join(sorted(statement.roles))}"
        )
    if not delegation.since <= at < delegation.until:
        raise DelegationUnknownError(
            f"expected a delegation that is live at {instant_text(at)}, got one from "
            f"{instant_text(delegation.since)} to {instant_text(delegation.until)}"
        )
    check_counts(ceremony, member, at)
    others = {used.signer for deputy, used in ceremony.stands_for.items() if deputy != signer}
    if member in others | ceremony.decisions.keys():
        raise UsedUpError(f"expected to stand in for somebody who does not count yet, got {member}, who does")


def usable(ceremony: Ceremony, deputy: str, *, at: datetime) -> tuple[Signed[Delegation], ...]:
    """Return the delegations by which a deputy may decide now, in the order of member and role."""
    others = {used.signer for person, used in ceremony.stands_for.items() if person != deputy}
    return tuple(
        delegation
        for (member, _), delegation in sorted(ceremony.delegations.items())
        if delegation.statement.deputy == deputy
        and delegation.statement.since <= at < delegation.statement.until
        and not ceremony.is_suspended(member, at=at)
        and member not in others | ceremony.decisions.keys()
    )


def known_as(ceremony: Ceremony, signer: str) -> str:
    """Return how somebody who decided is shown: ``dana for erin`` where they stand in."""
    used = ceremony.stands_for.get(signer)
    return signer if used is None else f"{signer} for {used.signer}"


def by_name(ceremony: Ceremony, count: Tally, *, at: datetime) -> Tally:
    """Return a count with people as they are shown: who stands in for whom, and who could."""

    def awaited(member: str, role: str) -> str:
        delegation = ceremony.delegations.get((member, role))
        if delegation is None or delegation not in usable(ceremony, delegation.statement.deputy, at=at):
            return member
        deputy = delegation.statement.deputy
        return member if deputy in ceremony.decisions else f"{member} (or {deputy})"

    roles = (
        replace(
            role,
            seated=tuple(known_as(ceremony, person) for person in role.seated),
            helpful=tuple(awaited(person, role.role) for person in role.helpful),
        )
        for role in count.roles
    )
    return replace(count, roles=tuple(roles))
