# SPDX-License-Identifier: Apache-2.0
"""Propose the next policy: ask the old policy's governance for the change, the new one's for its acceptance.

Whatever is open already about the same bytes is found and not asked for again, so that this may be repeated,
and so that the other side's half may be asked for by somebody whom the new policy knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.changing import check_proposal
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.opening import open_ceremony, opened
from quorumseal.ceremony.policy import POLICY, Kind, Policy
from quorumseal.ceremony.policy_differences import Difference, differences
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy, write_policy
from quorumseal.ceremony.request_errors import ProposalError
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.spans import Until
from quorumseal.ceremony.statements import Evidence, Mode, Request, Subject
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.signatures import Envelope, PrivateKey
from signer_agent.agent import Agent
from signer_agent.deadlines import default_deadline, resolve_until
from signer_agent.drafting import Draft, draft_request, key_at, make_context
from signer_agent.observing import observe_head, observe_policy
from signer_agent.policy_sides import proposals
from signer_agent.requesting import new_ceremony_id, pending_request, resume, start


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody says who proposes a policy."""

    deadline: Until | None = None
    """When both ceremonies expire, or after how long; governance's own deadline where it is left out."""
    ticket: str | None = None
    evidence: Sequence[Evidence] = ()
    supersede: bool = False
    """Whether to take the place of another proposal that is still open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two ceremonies: to be asked for, there already, or for somebody else to ask for."""

    kind: Kind
    policy: SignedPolicy
    """The one that it is decided under."""
    draft: Draft | None = None
    ceremony: Ceremony | None = None
    refusal: CeremonyError | None = None
    """Why this signer may not ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A policy to follow the one in force, and its two sides."""

    current: SignedPolicy
    proposed: SignedPolicy
    change: Side
    acceptance: Side

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What it changes."""
        return differences(self.current.policy, self.proposed.policy)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, in the order in which they are asked for."""
        return self.change, self.acceptance


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What was asked for."""

    change: str
    acceptance: str | None
    """None where somebody else has to ask for it."""
    created: tuple[Kind, ...]
    """Which of the two were opened by this."""


def write_proposal(agent: Agent, new: Policy, asked: Asked | None = None) -> Proposal:
    """Write both requests, or refuse what the rules would refuse; nothing is signed."""
    asked = asked or Asked()
    current = observe_policy(agent)
    proposed = adopted_policy(write_policy(new), ("", ""))
    change = _request(agent, Kind.POLICY_CHANGE, current, proposed, asked)
    check_proposal(change, proposed.payload, current.policy)
    earlier = _earlier(agent, proposed, current)
    sides = [
        _side(agent, request, policy, proposed, earlier, asked)
        for request, policy in (
            (change, current),
            (_request(agent, Kind.POLICY_ACCEPTANCE, proposed, proposed, asked), proposed),
        )
    ]
    if sides[0].refusal is not None:
        raise sides[0].refusal
    return Proposal(current=current, proposed=proposed, change=sides[0], acceptance=sides[1])


def propose(agent: Agent, proposal: Proposal, key: Callable[[SignedPolicy], PrivateKey]) -> Proposed:
    """Ask for both ceremonies, the change first; ``key`` opens the signer's key that a policy knows."""
    agent.home.keep_proposal(proposal.proposed.digest, proposal.proposed.payload)
    ceremonies: list[str | None] = []
    created: list[Kind] = []
    for side in proposal.sides:
        if side.ceremony is not None:
            ceremonies.append(side.ceremony.request.statement.ceremony)
        elif side.draft is not None:
            ceremony, new = _ask(agent, side.draft, side.policy, key)
            ceremonies.append(ceremony)
            created += [side.kind] if new else []
        else:
            ceremonies.append(None)
    change, acceptance = ceremonies
    assert change is not None  # noqa: S101 - there is no proposal without one
    return Proposed(change=change, acceptance=acceptance, created=tuple(created))


def _ask(
    agent: Agent, draft: Draft, policy: SignedPolicy, key: Callable[[SignedPolicy], PrivateKey]
) -> tuple[str, bool]:
    stored = pending_request(agent, draft)
    try:
        if stored is not None:
            found = resume(agent, stored, policy)
        else:
            found = start(agent, draft, key(policy), policy)
    except CoordinatorRefusedError as refusal:
        if not refusal.retryable:
            agent.journal.make_void(stored.digest if stored else draft.digest, refusal.code)
        raise
    return found.ceremony, found.created


def _request(agent: Agent, kind: Kind, under: SignedPolicy, proposed: SignedPolicy, asked: Asked) -> Request:
    policy, rule = under.policy, under.policy.governance_rule
    context = make_context(under, agent.name, observe_head(agent, under).seen, at=agent.now())
    at = context.signed_at
    latest = min(at + rule.longest, policy.expires)
    if latest <= at:
        raise ProposalError(
            f"expected a policy version {policy.version} that has not expired, got one that did",
            hint="nothing can be decided under it any more",
        )
    deadline = (
        min(default_deadline(rule, policy.calendar, at=at), latest)
        if asked.deadline is None
        else resolve_until(asked.deadline, policy.calendar, at=at)
    )
    return Request(
        context=context,
        ceremony=new_ceremony_id(agent),
        product=POLICY,
        version=str(proposed.policy.version),
        kind=kind,
        mode=Mode.REGULAR,
        subjects=(Subject(name=POLICY, digest=proposed.digest),),
        deadline=deadline,
        hard_stop=max(deadline, latest),
        ticket=asked.ticket,
        evidence=tuple(asked.evidence),
    )


def _earlier(agent: Agent, proposed: SignedPolicy, current: SignedPolicy) -> dict[Kind, Ceremony]:
    """Return the latest ceremony of each kind about this version."""
    found = [seen.chain.ceremony for seen in proposals(agent, proposed.policy.version, current)]
    return {ceremony.request.statement.kind: ceremony for ceremony in reversed(found)}


def _side(
    agent: Agent,
    request: Request,
    policy: SignedPolicy,
    proposed: SignedPolicy,
    earlier: dict[Kind, Ceremony],
    asked: Asked,
) -> Side:
    latest = earlier.get(request.kind)
    if latest is not None:
        same = latest.request.statement.subjects == request.subjects
        if same and latest.state in (State.OPEN, State.APPROVED):
            return Side(kind=request.kind, policy=policy, ceremony=latest)
        if not same and (asked.supersede or latest.state is not State.OPEN):
            request = replace(request, supersedes=latest.request.digest)
    try:
        _judge(agent, request, policy, proposed.payload if request.kind is Kind.POLICY_CHANGE else None)
    except CeremonyError as refusal:
        return Side(kind=request.kind, policy=policy, refusal=refusal)
    return Side(kind=request.kind, policy=policy, draft=draft_request(request))


def _judge(agent: Agent, request: Request, policy: SignedPolicy, proposed: bytes | None) -> None:
    """Refuse a request as the rules would, but unsigned."""
    draft, at = draft_request(request), agent.now()
    unsigned = Signed(
        request,
        Envelope(payload=draft.payload, signature=b""),
        key_at(policy, agent.name, at),
        draft.digest,
    )
    when: datetime = max(at, request.opened_at)
    opened(policy.policy, open_ceremony(policy.policy, unsigned, at=when, proposed=proposed))
