# SPDX-License-Identifier: Apache-2.0
"""Break the glass, stop who does, and tell afterwards what happened.

What a request of this kind needs beyond the usual is found out here: how many people, as the log says; until
when, as the rule says.  What the rules would refuse is refused before anything is signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from quorumseal.ceremony.emergencies import PastEmergency, admit_emergency
from quorumseal.ceremony.emergency import PEOPLE_AFTER_TROUBLE, SHORTEST_WHY, BreakGlass
from quorumseal.ceremony.errors import CeremonyEndedError, NoEmergencyError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind, Rule
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import EmergencyError, EmergencyPeopleError
from quorumseal.ceremony.statements import Emergency, Mode, Request
from quorumseal.ceremony.values import instant_text
from signer_agent.agent import Agent
from signer_agent.background import past_emergencies
from signer_agent.deadlines import resolve_until
from signer_agent.drafting import (
    Draft,
    consequences,
    draft_report,
    draft_request,
    draft_veto,
    make_context,
    make_reason,
)
from signer_agent.observing import observe_head
from signer_agent.requesting import Wanted, new_ceremony_id
from signer_agent.review import Review

USUAL_TIME = timedelta(hours=4)
"""How long people have to join where nobody says otherwise; the veto window comes on top of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What somebody says who breaks the glass."""

    reason: str
    """One of the codes that the rule lists."""
    why: str
    incident: str
    impact: str
    people: int | None = None
    """How many are needed; as many as the rules demand now, unless more are asked for."""
    provisional: timedelta | None = None
    """How long its bundle may be accepted; as long as the rule allows where it is left out."""
    ratify: timedelta | None = None
    """How long it may be ratified; as long as the rule allows where it is left out."""


def write_emergency(
    agent: Agent,
    policy: SignedPolicy,
    wanted: Wanted,
    alarm: Alarm,
    *,
    past: Sequence[PastEmergency] | None = None,
) -> Draft:
    """Write a request that breaks the glass, or refuse one that goes past the limits.

    The limits are the whole organisation's: its earlier emergencies are asked of the log unless ``past`` says
    what is known of them without one.
    """
    rule = policy.policy.rule_for(wanted.product, Kind.RELEASE)
    allowed = require_break_glass(rule)
    fewest = sum(threshold.count for threshold in allowed.quorum)
    if alarm.people is not None and alarm.people < fewest:
        raise EmergencyError(
            f"expected an emergency that needs its quorum's {fewest} people or more, got {alarm.people}",
            hint="leave --people out, and as many are needed as the rules demand",
        )
    why = make_reason(alarm.why, agent.randomness, what="why", least=SHORTEST_WHY)
    impact = make_reason(alarm.impact, agent.randomness, what="impact")
    if past is None:
        past = past_emergencies(agent, policy, superseded=wanted.supersedes)
    context = make_context(policy, agent.name, observe_head(agent, policy).seen, at=agent.now())
    opened = context.signed_at
    provisional_until = opened + (alarm.provisional or allowed.provisional)
    ratify_by = opened + (alarm.ratify or allowed.ratify)
    latest = min(opened + rule.longest, policy.policy.expires, provisional_until, ratify_by)
    deadline = min(opened + allowed.veto_window + USUAL_TIME, latest)
    if wanted.deadline is not None:
        deadline = resolve_until(wanted.deadline, policy.policy.calendar, at=opened)
    emergency = Emergency(
        reason=alarm.reason,
        incident=alarm.incident,
        impact=impact.commitment,
        people=alarm.people or fewest,
        provisional_until=provisional_until,
        ratify_by=ratify_by,
    )
    request = Request(
        context=context,
        ceremony=new_ceremony_id(agent),
        product=wanted.product,
        version=wanted.version,
        kind=Kind.RELEASE,
        mode=Mode.BREAK_GLASS,
        subjects=wanted.subjects,
        deadline=deadline,
        hard_stop=max(deadline, latest),
        on_behalf_of=wanted.on_behalf_of,
        supersedes=wanted.supersedes,
        ticket=wanted.ticket,
        evidence=tuple(wanted.evidence),
        locators=tuple(wanted.locators),
        why=why.commitment,
        emergency=emergency,
    )
    return draft_request(_with_enough_people(request, emergency, past, asked=alarm.people), why, impact)


def require_break_glass(rule: Rule) -> BreakGlass:
    """Return what a rule asks for in an emergency, or refuse one that has none."""
    if rule.emergency is None:
        raise EmergencyError(
            f"expected a rule with break_glass, got {rule.name}, which has none",
            hint="start an ordinary ceremony; break-glass is prepared in the policy, before it is needed",
        )
    return rule.emergency


def write_veto(agent: Agent, review: Review, reason: str) -> Draft:
    """Write the veto of an open emergency, or refuse where this signer may not."""
    require_emergency(review)
    if review.ceremony.state is not State.OPEN:
        ended = review.ceremony.ended_at
        raise CeremonyEndedError(
            f"expected an open emergency, got one that is {review.ceremony.state}"
            + (f" since {instant_text(ended)}" if ended else ""),
            hint="what was released is taken back with release revoke"
            if review.ceremony.state is State.PROVISIONAL
            else "it has ended already",
        )
    draft = draft_veto(review, make_reason(reason, agent.randomness))
    consequences(review, draft)
    return draft


def write_report(agent: Agent, review: Review, text: str) -> Draft:
    """Write the report on an emergency, or refuse where this signer may not."""
    require_emergency(review)
    if review.ceremony.state is not State.PROVISIONAL:
        raise NoEmergencyError(
            f"expected an emergency that was released, got one that is {review.ceremony.state}",
            hint="only what was released is reported on",
        )
    draft = draft_report(review, make_reason(text, agent.randomness, what="report", least=SHORTEST_WHY))
    consequences(review, draft)
    return draft


def require_emergency(review: Review) -> None:
    """Refuse what is no emergency."""
    request = review.request.statement
    if request.mode is not Mode.BREAK_GLASS:
        raise NoEmergencyError(
            f"expected an emergency, got a {request.kind} in mode {request.mode} "
            f"({request.product} {request.version})",
            hint="name the emergency by its id; `quorumseal list` shows what there is",
        )


def _with_enough_people(
    request: Request, emergency: Emergency, past: Sequence[PastEmergency], *, asked: int | None
) -> Request:
    """Return the request with as many people as the log's earlier emergencies make it need."""
    at = request.opened_at
    try:
        admit_emergency(request, emergency, past, at=at)
    except EmergencyPeopleError:
        if asked is not None:
            raise
        return replace(request, emergency=replace(emergency, people=PEOPLE_AFTER_TROUBLE))
    return request
