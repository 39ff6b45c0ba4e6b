# SPDX-License-Identifier: Apache-2.0
"""The two sides of a policy change, for whoever decides on one: what changes, and how the other side stands.

Everything is recomputed from signed bytes: the policy in force from its chain, the proposed one from the
opening of its change, and the other side's ceremony like any other.
"""

from dataclasses import dataclass

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import POLICY, Kind
from quorumseal.ceremony.policy_differences import Difference, differences
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy
from quorumseal.ceremony.request_errors import ProposalError
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import ceremony_id
from quorumseal.signatures import PublicKey
from signer_agent.agent import Agent
from signer_agent.history import observe_history
from signer_agent.new_keys import unexplained_keys
from signer_agent.observing import Observation, observe

SIDES = {Kind.POLICY_CHANGE: "old side", Kind.POLICY_ACCEPTANCE: "new side"}
OTHER = {
    Kind.POLICY_CHANGE: Kind.POLICY_ACCEPTANCE,
    Kind.POLICY_ACCEPTANCE: Kind.POLICY_CHANGE,
}
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySides:
    """The policy that would be left, the one that would come, and the other side's ceremony."""

    old: SignedPolicy
    new: SignedPolicy
    other: Observation | None
    """None where nobody has asked the other side yet."""
    unexplained: tuple[tuple[str, PublicKey], ...] = ()
    """The new keys of which no evidence shows that they are their signer's."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What changes."""
        return differences(self.old.policy, self.new.policy)

    @property
    def other_is_approved(self) -> bool:
        """Whether only this side is missing."""
        return self.other is not None and self.other.chain.ceremony.state is State.APPROVED

    @property
    def weakening(self) -> int:
        """How much of it weakens."""
        return sum(difference.weakens for difference in self.differences)


def sides_of(agent: Agent, observation: Observation) -> PolicySides:
    """Return both sides of the change that a ceremony is part of, or refuse one that follows nothing."""
    request = observation.chain.ceremony.request.statement
    proposed = observation.chain.ceremony.proposed
    if proposed is not None:
        old, new = observation.policy, adopted_policy(proposed, ("", ""))
    else:
        old, new = _before(agent, observation.policy), observation.policy
    return PolicySides(
        old=old,
        new=new,
        other=_other(agent, request, observation.newest),
        unexplained=unexplained_keys(agent, old.policy, new.policy, request.evidence),
    )


def proposals(agent: Agent, version: int, newest: SignedPolicy) -> tuple[Observation, ...]:
    """Return the ceremonies about a policy version, newest first, each verified."""
    page = agent.connection.list_ceremonies(product=POLICY, version=str(version), page_size=_LOOKED_AT)
    return tuple(observe(agent, ceremony_id(each.ceremony), newest) for each in page.ceremonies[:_LOOKED_AT])


def _before(agent: Agent, policy: SignedPolicy) -> SignedPolicy:
    for earlier in observe_history(agent).policies:
        if earlier.digest == policy.policy.previous:
            return earlier
    raise ProposalError(
        f"expected a policy that follows one that was in force, got version {policy.policy.version} "
        f"after {policy.policy.previous}",
        hint="it follows no policy of this organisation: reject it, and ask who proposed it",
    )


def _other(agent: Agent, request: Request, newest: SignedPolicy) -> Observation | None:
    """Return the latest ceremony of the other side about the same bytes."""
    for seen in proposals(agent, int(request.version), newest):
        found = seen.chain.ceremony.request.statement
        if found.kind is OTHER[request.kind] and found.subjects == request.subjects:
            return seen
    return None
