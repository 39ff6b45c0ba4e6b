# SPDX-License-Identifier: Apache-2.0
"""Reviews as JSON, for programs: the same verified things that the screens show."""

from collections.abc import Mapping
from datetime import datetime

from quorumseal.ceremony.breaking_glass import joined
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.values import instant_text
from quorumseal.terminal.words import four_words
from signer_agent.drafting import Draft
from signer_agent.inbox import Inbox
from signer_agent.json_shape import Json
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.revisions import Difference, Revision
from signer_agent.sides_screen import sides_json

__all__ = ["Json", "draft_json", "emergency_json", "inbox_json", "review_json", "stored_json"]


def review_json(review: Review) -> dict[str, Json]:
    """Return everything that a review shows."""
    request, policy = review.request.statement, review.observation.policy
    return {
        "ceremony": request.ceremony,
        "standing": str(review.standing),
        "state": str(review.ceremony.state),
        "product": request.product,
        "version": request.version,
        "kind": str(request.kind),
        "mode": str(request.mode),
        "request": review.request.digest,
        "four_words": four_words(review.request.digest),
        "requester": request.context.signer,
        "on_behalf_of": request.on_behalf_of,
        "supersedes": request.supersedes,
        "revision": _revision_json(review.revision),
        "opened_at": instant_text(request.opened_at),
        "deadline": instant_text(review.ceremony.deadline),
        "emergency": emergency_json(review.ceremony, review.observation.reasons, at=review.at),
        "about": _about_json(review),
        "policy_change": sides_json(review),
        "why": review.observation.reasons.get(request.why or ""),
        "refusal": {"code": refusal.code, "message": str(refusal)}
        if (refusal := review.background.refusal)
        else None,
        "artifacts": [
            {
                "name": subject.name,
                "digest": subject.digest,
                "found": found.digest if (found := review.findings.found.get(subject.name)) else None,
                "source": found.source if found else None,
            }
            for subject in request.subjects
        ],
        "policy": {"version": policy.policy.version, "digest": policy.digest, "rule": review.rule.name},
        "changes": None if review.changes is None else [*review.changes],
        "roles": [*sorted(review.roles)],
        "stand_ins": [
            {"member": each.signer, "role": each.statement.role, "delegation": each.digest}
            for each in review.stand_ins
        ],
        "quorum": {
            "met": review.tally.quorum_met,
            "explained": [*review.explained],
        },
        "decisions": [
            _decision_json(decision, review)
            for decision in ((review.own,) if review.own else ()) + review.others
        ],
        "not_signed": {
            "ticket": request.ticket,
            "locators": [{"name": locator.name, "uri": locator.uri} for locator in request.locators],
            "evidence": [
                {"kind": e.kind, "name": e.name, "media_type": e.media_type, "digest": e.digest}
                for e in request.evidence
            ],
        },
    }


def emergency_json(ceremony: Ceremony, texts: Mapping[str, str], *, at: datetime) -> Json:
    """Return what an emergency says and where it stands; nothing for an ordinary ceremony."""
    emergency, allowed = ceremony.request.statement.emergency, ceremony.emergency
    if emergency is None or allowed is None:
        return None
    then = ceremony.ended_at or at
    return {
        "drill": ceremony.policy.drill,
        "reason": emergency.reason,
        "incident": emergency.incident,
        "why": texts.get(ceremony.request.statement.why or ""),
        "impact": texts.get(emergency.impact),
        "people": emergency.people,
        "joined": [*sorted(joined(ceremony, at=then))],
        "quorum": {threshold.role: threshold.count for threshold in allowed.quorum},
        "instead_of": {threshold.role: threshold.count for threshold in ceremony.rule.quorum},
        "veto_window_seconds": int(allowed.veto_window.total_seconds()),
        "window_ends": instant_text(ceremony.window_ends) if ceremony.window_ends else None,
        "provisional_until": instant_text(emergency.provisional_until),
        "ratify_by": instant_text(emergency.ratify_by),
        "vetoed_by": ceremony.stopped_by,
        "vetoed_before_by": [*sorted(ceremony.vetoed_by)],
        "report_due": instant_text(ceremony.report_due) if ceremony.report_due else None,
        "reports": len(ceremony.reports),
    }


def _about_json(review: Review) -> Json:
    about = review.background.about
    if about is None:
        return None
    ceremony = about.chain.ceremony
    request = ceremony.request.statement
    return {
        "ceremony": request.ceremony,
        "request": ceremony.request.digest,
        "conclusion": about.chain.conclusion,
        "state": str(ceremony.state),
        "kind": str(request.kind),
        "mode": str(request.mode),
        "requester": request.context.signer,
        "artifacts": [{"name": subject.name, "digest": subject.digest} for subject in request.subjects],
        "emergency": emergency_json(ceremony, about.reasons, at=review.at),
    }


def inbox_json(inbox: Inbox) -> dict[str, Json]:
    """Return all open ceremonies."""
    return {
        "waiting": len(inbox.waiting),
        "ceremonies": [review_json(review) for review in inbox.reviews],
        "unreadable": [
            {"ceremony": bad.ceremony, "code": bad.refusal.code, "message": str(bad.refusal)}
            for bad in inbox.unreadable
        ],
        "ending": [
            {"what": str(each.what), "name": each.name, "key": each.key_id, "ends": instant_text(each.ends)}
            for each in inbox.ending
        ],
    }


def draft_json(draft: Draft) -> dict[str, Json]:
    """Return what would be signed, byte for byte."""
    return {"statement": draft.digest, "payload": draft.payload.decode()}


def stored_json(stored: Stored) -> dict[str, Json]:
    """Return what became of something that was signed."""
    return {
        "ceremony": stored.ceremony,
        "statement": stored.digest,
        "fate": str(stored.fate),
        "state": stored.state,
    }


def _decision_json(decision: Signed[Decision], review: Review) -> dict[str, Json]:
    statement, used = decision.statement, review.ceremony.stands_for.get(decision.signer)
    return {
        "signer": decision.signer,
        "choice": str(statement.choice),
        "in_the_place_of": used.signer if used else None,
        "roles": [*sorted(statement.roles)],
        "signed_at": instant_text(statement.context.signed_at),
        "checks": {check.name: str(check.outcome) for check in statement.checks},
        "reason": review.observation.reasons.get(statement.reason or ""),
    }


def _revision_json(revision: Revision | None) -> Json:
    """Return what changed, for programs."""
    if revision is None:
        return None
    return {
        "ceremony": revision.earlier.ceremony,
        "artifacts": _difference_json(revision.subjects),
        "evidence": _difference_json(revision.evidence),
        "policy": [*revision.policy],
    }


def _difference_json(difference: Difference) -> Json:
    return {
        "added": [*difference.added],
        "removed": [*difference.removed],
        "changed": dict(difference.changed),
    }
