# SPDX-License-Identifier: Apache-2.0
"""Who may stand in for whom.  A deputy is listed in the policy; a delegation only activates one.

A delegated seat uses up both people: neither counts anywhere else in the ceremony.
"""

from datetime import datetime

from quorumseal.ceremony.errors import DelegationNotAllowedError, DelegationUnknownError, UsedUpError
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, Delegation
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


def check_stand_in(ceremony: Ceremony, decision: Signed[Decision], *, at: datetime) -> None:
    """Refuse a decision through a delegation that is not there, or by which somebody would count twice."""
    signer, statement = decision.signer, decision.statement
    for deputy, used in ceremony.stands_for.items():
        if used.signer == signer and deputy != signer:
            raise UsedUpError(
                f"expected a decision by somebody for whom nobody decided yet, got one by {signer}, "
                f"for whom {deputy} did"
            )
    if statement.delegation is None:
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
    if member in ceremony.request.statement.requesters:
        raise DelegationUnknownError(
            f"expected a delegation by somebody who did not ask for the release, got one by {member}"
        )
    others = {used.signer for deputy, used in ceremony.stands_for.items() if deputy != signer}
    if member in others | ceremony.decisions.keys():
        raise UsedUpError(f"expected to stand in for somebody who does not count yet, got {member}, who does")
