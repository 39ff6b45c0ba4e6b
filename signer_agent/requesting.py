# SPDX-License-Identifier: Apache-2.0
"""The release manager's half of the agent: ask for a release, and withdraw what was asked.

The same home, keys and journal as for decisions: a request is on record before it is sent, and one without
a receipt is sent again instead of a second one being signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorumseal.ceremony.admission import identity
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.spans import Until
from quorumseal.ceremony.statements import Evidence, Locator, Mode, Request, Subject
from quorumseal.signatures import PrivateKey
from signer_agent.agent import Agent
from signer_agent.deadlines import default_deadline, resolve_until
from signer_agent.drafting import (
    Draft,
    consequences,
    draft_cancellation,
    draft_request,
    make_context,
    make_reason,
)
from signer_agent.observing import observe, observe_head
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.signing import send, sign_and_store, submit_request, verify_opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a release manager asks for."""

    product: str
    version: str
    subjects: tuple[Subject, ...]
    deadline: Until | None = None
    """When it expires, or after how long; the rule's own deadline where it is left out."""
    on_behalf_of: str | None = None
    supersedes: str | None = None
    """The digest of the request whose place this one takes."""
    ticket: str | None = None
    evidence: Sequence[Evidence] = ()
    locators: Sequence[Locator] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The ceremony that a request opened, or that the same one had opened before."""

    ceremony: str
    created: bool


def write_request(agent: Agent, policy: SignedPolicy, wanted: Wanted) -> Draft:
    """Write the request, resolve its instants by the policy, and bind it to the newest checkpoint."""
    at = agent.now()
    rule = policy.policy.rule_for(wanted.product, Kind.RELEASE)
    context = make_context(policy, agent.name, observe_head(agent, policy).seen, at=at)
    calendar, opened = policy.policy.calendar, context.signed_at
    if wanted.deadline is None:
        deadline = default_deadline(rule, calendar, at=opened)
    else:
        deadline = resolve_until(wanted.deadline, calendar, at=opened)
    return draft_request(
        Request(
            context=context,
            ceremony=new_ceremony_id(agent),
            product=wanted.product,
            version=wanted.version,
            kind=Kind.RELEASE,
            mode=Mode.REGULAR,
            subjects=wanted.subjects,
            deadline=deadline,
            hard_stop=max(deadline, min(opened + rule.longest, policy.policy.expires)),
            on_behalf_of=wanted.on_behalf_of,
            supersedes=wanted.supersedes,
            ticket=wanted.ticket,
            evidence=tuple(wanted.evidence),
            locators=tuple(wanted.locators),
        )
    )


def pending_request(agent: Agent, draft: Draft) -> Stored | None:
    """Return a request for the same thing that was signed before and has no receipt."""
    assert isinstance(draft.statement, Request)  # noqa: S101 - what a request's draft is
    wanted = identity(draft.statement)
    for stored in agent.journal.pending():
        if isinstance(stored.statement, Request) and identity(stored.statement) == wanted:
            return stored
    return None


def start(agent: Agent, draft: Draft, key: PrivateKey, policy: SignedPolicy) -> Opened:
    """Sign a request and open its ceremony; ask ``pending_request`` first."""
    return resume(agent, sign_and_store(agent, draft, key, policy), policy)


def resume(agent: Agent, stored: Stored, policy: SignedPolicy) -> Opened:
    """Send a stored request; the coordinator may know the same one from before, which then is the one."""
    started = submit_request(agent, stored)
    if started.created or started.ceremony == stored.ceremony:
        return Opened(ceremony=send(agent, stored, policy).ceremony, created=started.created)
    verify_opening(started.receipt, started.ceremony, stored, policy)
    observe(agent, started.ceremony, policy)
    agent.journal.make_void(stored.digest, f"the same as {started.ceremony}")
    return Opened(ceremony=started.ceremony, created=False)


def write_cancellation(agent: Agent, review: Review, reason: str) -> Draft:
    """Write the withdrawal of an open ceremony, or refuse where this signer may not."""
    draft = draft_cancellation(review, make_reason(reason, agent.randomness))
    consequences(review, draft)
    return draft


def cancel(agent: Agent, draft: Draft, key: PrivateKey, policy: SignedPolicy) -> Stored:
    """Sign a cancellation and send it."""
    return send(agent, sign_and_store(agent, draft, key, policy), policy)


def new_ceremony_id(agent: Agent) -> str:
    """Make a UUIDv7 (RFC 9562, section 5.7) of the agent's instant and randomness."""
    milliseconds = int(agent.now().timestamp() * 1000)
    number = milliseconds << 80 | int.from_bytes(agent.randomness(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
