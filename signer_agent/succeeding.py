# SPDX-License-Identifier: Apache-2.0
"""Ask for a ceremony about an earlier one: make an emergency permanent, approve anew, or take back.

What it is about was verified before, entry by entry; what is signed names it by digest and hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.policy import Kind, Policy, Rule
from quorumseal.ceremony.request_document import REQUEST
from quorumseal.ceremony.request_errors import RatificationError
from quorumseal.ceremony.spans import Until
from quorumseal.ceremony.statements import Concluded, Evidence, Mode, Request, Subject
from quorumseal.ceremony.values import instant_text, whole_milliseconds
from signer_agent.agent import Agent
from signer_agent.background import refusal_about
from signer_agent.deadlines import default_deadline, resolve_until
from signer_agent.drafting import Draft, draft_request, make_context, make_reason
from signer_agent.observing import Observation, observe_head
from signer_agent.requesting import new_ceremony_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What somebody says who asks for a ceremony about an earlier one."""

    deadline: Until | None = None
    """When it expires, or after how long; the rule's own deadline where it is left out."""
    on_behalf_of: str | None = None
    ticket: str | None = None
    evidence: Sequence[Evidence] = ()
    supersedes: str | None = None


def write_ratification(agent: Agent, emergency: Observation, asked: Succession) -> Draft:
    """Write the request to ratify an emergency, exactly as the log has it."""
    release = emergency.chain.ceremony.request.statement
    ratify_by, now = None, whole_milliseconds(agent.now())
    if release.emergency is not None:
        ratify_by = release.emergency.ratify_by
        if now >= ratify_by:
            raise RatificationError(
                f"expected a ratification that ends by {instant_text(ratify_by)}, "
                f"it is {instant_text(now)}: the emergency has lapsed",
                hint="release the same bytes by a regular ceremony under another version",
            )
    request = replace(
        _again(agent, emergency, asked, Kind.RATIFICATION, ends_by=ratify_by),
        ratified=_concluded(emergency),
    )
    return _checked(request, draft_request(request), emergency)


def write_reapproval(agent: Agent, release: Observation, asked: Succession) -> Draft:
    """Write the request to approve a release anew, exactly as the log has it."""
    request = replace(_again(agent, release, asked, Kind.RE_APPROVAL), reapproved=_concluded(release))
    return _checked(request, draft_request(request), release)


def write_revocation(agent: Agent, release: Observation, why: str, asked: Succession) -> Draft:
    """Write the request to take a release back."""
    text = make_reason(why, agent.randomness, what="why")
    subject = Subject(name=REQUEST, digest=release.chain.ceremony.request.digest)
    request = _request(agent, release, asked, Kind.REVOCATION)
    request = replace(request, subjects=(subject,), why=text.commitment)
    return _checked(request, draft_request(request, text), release)


def _concluded(earlier: Observation) -> Concluded:
    """Return what names a ceremony for good."""
    chain, request = earlier.chain, earlier.chain.ceremony.request
    return Concluded(
        ceremony=chain.id,
        request=request.digest,
        conclusion=chain.conclusion or chain.hashes[-1],
        requesters=request.statement.requesters,
    )


def _again(
    agent: Agent, earlier: Observation, asked: Succession, kind: Kind, *, ends_by: datetime | None = None
) -> Request:
    """Write what a request says that asks for the same bytes once more."""
    release = earlier.chain.ceremony.request.statement
    return replace(
        _request(agent, earlier, asked, kind, ends_by=ends_by),
        ticket=asked.ticket or release.ticket,
        evidence=(*release.evidence, *asked.evidence),
        locators=release.locators,
    )


def _request(
    agent: Agent, earlier: Observation, asked: Succession, kind: Kind, *, ends_by: datetime | None = None
) -> Request:
    """Write what requests of either kind say of the release that they are about."""
    signed, release = earlier.newest, earlier.chain.ceremony.request.statement
    policy, rule = signed.policy, signed.policy.rule_for(release.product, kind)
    context = make_context(signed, agent.name, observe_head(agent, signed).seen, at=agent.now())
    opened = context.signed_at
    latest = min(opened + rule.longest, policy.expires, ends_by or policy.expires)
    deadline = _deadline(asked, rule, policy, opened, latest)
    return Request(
        context=context,
        ceremony=new_ceremony_id(agent),
        product=release.product,
        version=release.version,
        kind=kind,
        mode=Mode.REGULAR,
        subjects=release.subjects,
        deadline=deadline,
        hard_stop=max(deadline, latest),
        on_behalf_of=asked.on_behalf_of,
        supersedes=asked.supersedes,
        ticket=asked.ticket,
        evidence=tuple(asked.evidence),
    )


def _deadline(asked: Succession, rule: Rule, policy: Policy, at: datetime, latest: datetime) -> datetime:
    if asked.deadline is None:
        return min(default_deadline(rule, policy.calendar, at=at), latest)
    return resolve_until(asked.deadline, policy.calendar, at=at)


def _checked(request: Request, draft: Draft, about: Observation) -> Draft:
    """Return the draft, or refuse it as the rules would, before anything is signed."""
    refusal = refusal_about(request, about)
    if refusal is not None:
        raise refusal
    return draft
