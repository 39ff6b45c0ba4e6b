# SPDX-License-Identifier: Apache-2.0
"""Everything that a signer is shown about a ceremony, and nothing else.

A ``Review`` is a function of the request's bytes, the verified entries, the texts that they commit to, what
the agent itself found of the artifacts, and its journal.  The decision is made from the same ``Signed``
request: there is no second fetch and no second parse between what is shown and what is signed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.breaking_glass import awaited
from quorumseal.ceremony.delegating import by_name, usable
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Rule
from quorumseal.ceremony.quorum import Tally, explain
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, Delegation, Request
from signer_agent.artifacts import Findings
from signer_agent.background import Background
from signer_agent.changes import changes_between
from signer_agent.observing import Observation
from signer_agent.recollection import Known, Recollection, Stored
from signer_agent.revisions import Revision, revision_between


@unique
class Standing(StrEnum):
    """What a ceremony is to this signer now."""

    AWAITED = "awaited"
    """Their approval would bring the quorum nearer."""
    OPEN = "open"
    """They may decide, but nothing hangs on it: their roles are filled."""
    DECIDED = "decided"
    UNSENT = "unsent"
    """They signed, and neither a receipt nor the log has it."""
    REQUESTED = "requested"
    """They asked for the release, or a machine asked for them."""
    NO_ROLE = "no-role"
    SUSPENDED = "suspended"
    """They do not count for a while, as two guardians said."""
    OVERDUE = "overdue"
    """The deadline has passed by this machine's clock; the log has not said so yet."""
    CONFLICT = "conflict"
    """Other bytes count under this version, by their own approval or by a quorum's."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One ceremony, as one signer should see it at one instant."""

    observation: Observation
    signer: str
    at: datetime
    recollection: Recollection = field(default_factory=Recollection)
    findings: Findings = field(default_factory=Findings)
    background: Background = field(default_factory=Background)

    @property
    def ceremony(self) -> Ceremony:
        """The ceremony, replayed."""
        return self.observation.chain.ceremony

    @property
    def request(self) -> Signed[Request]:
        """The request: shown and decided on, the same object."""
        return self.ceremony.request

    @property
    def rule(self) -> Rule:
        """The rule that the ceremony runs under."""
        return self.ceremony.rule

    @property
    def roles(self) -> frozenset[str]:
        """The roles of its quorum that this signer holds."""
        roles = self.ceremony.policy.roles
        return frozenset(t.role for t in self.ceremony.quorum if self.signer in roles[t.role].members)

    @property
    def stand_ins(self) -> tuple[Signed[Delegation], ...]:
        """The delegations by which this signer may decide for somebody."""
        return usable(self.ceremony, self.signer, at=self.at)

    @property
    def tally(self) -> Tally:
        """The count: now, or when the ceremony ended."""
        return self.ceremony.tally(at=self.ceremony.ended_at or self.at)

    @property
    def explained(self) -> tuple[str, ...]:
        """What the quorum still needs, in sentences."""
        return explain(by_name(self.ceremony, self.tally, at=self.at))

    @property
    def own(self) -> Signed[Decision] | None:
        """This signer's standing decision, by the log."""
        return self.ceremony.decisions.get(self.signer)

    @property
    def others(self) -> tuple[Signed[Decision], ...]:
        """What others decided, in the order of their signing."""
        decisions = [d for signer, d in self.ceremony.decisions.items() if signer != self.signer]
        return tuple(sorted(decisions, key=lambda d: (d.statement.context.signed_at, d.signer)))

    @property
    def pending(self) -> Stored | None:
        """What this signer signed here that has no receipt."""
        return self.recollection.pending

    @property
    def foreign_own(self) -> bool:
        """Whether the log holds a decision of this signer that this agent did not make."""
        known = {stored.digest for stored in self.recollection.own}
        return self.own is not None and self.own.digest not in known

    @property
    def changes(self) -> tuple[str, ...] | None:
        """What changed in the rules since this signer's last decision on the product, if there was one."""
        last = self.recollection.last
        if last is None:
            return None
        request = self.request.statement
        if last.policy.version == self.ceremony.policy.version or request.product not in last.policy.products:
            return ()
        return changes_between(
            last.policy, self.ceremony.policy, product=request.product, kind=request.kind, signer=self.signer
        )

    @property
    def revision(self) -> Revision | None:
        """What changed since the request that this one supersedes, if this agent was shown that."""
        request = self.request.statement
        earlier = self.recollection.superseded_by(request)
        if earlier is None:
            return None
        return revision_between(
            earlier.request,
            request,
            before=earlier.policy,
            after=self.ceremony.policy,
            signer=self.signer,
        )

    @property
    def conflict(self) -> Known | None:
        """What counts under this version, is about other bytes, and is not superseded by this."""
        return self.recollection.conflict(self.request.statement)

    @property
    def standing(self) -> Standing:
        """What the ceremony is to this signer."""
        if self.ceremony.state is not State.OPEN:
            return Standing.ENDED
        if self.pending is not None and self.pending.digest not in self.observation.chain.statements:
            return Standing.UNSENT
        if self.signer in self.request.statement.excluded:
            return Standing.REQUESTED
        if not self.roles and not self.stand_ins and self.own is None:
            return Standing.NO_ROLE
        if self.at >= self.ceremony.deadline:
            return Standing.OVERDUE
        if self.ceremony.is_suspended(self.signer, at=self.at):
            return Standing.SUSPENDED
        if self.own is not None:
            return Standing.DECIDED
        if self.conflict is not None:
            return Standing.CONFLICT
        awaited_now = awaited(self.ceremony, at=self.at)
        seats = {self.signer, *(delegation.signer for delegation in self.stand_ins)}
        return Standing.AWAITED if seats.intersection(awaited_now) else Standing.OPEN
