# SPDX-License-Identifier: Apache-2.0
"""Whether a request opens a ceremony, and which ceremony that is.

What other ceremonies there are is not asked here: that is ``admission``.
"""

from dataclasses import replace
from datetime import datetime

from quorumseal.ceremony import budget
from quorumseal.ceremony.breaking_glass import check_vetoes, missing_people
from quorumseal.ceremony.changing import check_proposal
from quorumseal.ceremony.checking import check_key
from quorumseal.ceremony.delegating import check_delegations
from quorumseal.ceremony.events import CeremonyOpened
from quorumseal.ceremony.falling import check_asking, check_in_force
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import GOVERNED, Kind, Policy, SignerKind
from quorumseal.ceremony.quorum import shortage
from quorumseal.ceremony.request_errors import (
    OnBehalfOfError,
    ProposalError,
    QuorumUnreachableError,
    RequesterNotAllowedError,
)
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Delegation, Request
from quorumseal.ceremony.suspending import Suspended
from quorumseal.ceremony.timing import check_emergency, check_opening


def open_ceremony(
    policy: Policy,
    request: Signed[Request],
    *,
    at: datetime,
    delegations: tuple[Signed[Delegation], ...] = (),
    vetoed_by: frozenset[str] = frozenset(),
    proposed: bytes | None = None,
    revoked: tuple[Revoked, ...] = (),
    suspended: tuple[Suspended, ...] = (),
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
    check_in_force(revoked, suspended, policy, at=at)
    check_asking(request, revoked, suspended, delegations)
    check_opening(statement, rule, policy, at=at)
    quorum, excluded = rule.quorum, statement.excluded
    if statement.emergency is not None:
        quorum = check_emergency(statement, statement.emergency, rule).quorum
        excluded |= policy.machines
    check_vetoes(statement, vetoed_by)
    if (proposed is not None) != (statement.kind is Kind.POLICY_CHANGE):
        raise ProposalError(f"expected a proposed policy in a {Kind.POLICY_CHANGE} and nowhere else")
    if proposed is not None:
        check_proposal(statement, proposed, policy)
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
    return CeremonyOpened(at, request, delegations, vetoed_by, proposed, revoked, suspended)


def opened(policy: Policy, event: CeremonyOpened) -> Ceremony:
    """Return the ceremony that an opening makes."""
    statement = event.request.statement
    ceremony = Ceremony(
        policy=policy,
        rule=policy.rule_for(statement.product, statement.kind),
        request=event.request,
        logged_at=event.at,
        vetoed_by=event.vetoed_by,
        delegations={(d.signer, d.statement.role): d for d in event.delegations},
        numbers={(d.signer, d.statement.role): d.statement.number for d in event.delegations},
        proposed=event.proposed,
        revoked={each.key: each for each in event.revoked},
        suspended={each.person: each for each in event.suspended},
    )
    envelopes = [
        event.request.envelope,
        *(delegation.envelope for delegation in event.delegations),
        *(envelope for each in event.revoked for envelope in each.envelopes),
        *(envelope for each in event.suspended for envelope in each.envelopes),
    ]
    size = budget.taken_before(governed=statement.kind in GOVERNED) + sum(map(budget.cost, envelopes))
    return replace(ceremony, size=size)


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
