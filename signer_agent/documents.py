# SPDX-License-Identifier: Apache-2.0
"""Reviews as JSON, for programs: the same verified things that the screens show."""

from collections.abc import Mapping, Sequence

from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.values import instant_text
from signer_agent.drafting import Draft
from signer_agent.inbox import Inbox
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.words import four_words

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


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
        "opened_at": instant_text(request.opened_at),
        "deadline": instant_text(request.deadline),
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
        "quorum": {"met": review.tally.quorum_met, "explained": [*explain(review.tally)]},
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


def inbox_json(inbox: Inbox) -> dict[str, Json]:
    """Return all open ceremonies."""
    return {
        "waiting": len(inbox.waiting),
        "ceremonies": [review_json(review) for review in inbox.reviews],
        "unreadable": [
            {"ceremony": bad.ceremony, "code": bad.refusal.code, "message": str(bad.refusal)}
            for bad in inbox.unreadable
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
    statement = decision.statement
    return {
        "signer": decision.signer,
        "choice": str(statement.choice),
        "roles": [*sorted(statement.roles)],
        "signed_at": instant_text(statement.context.signed_at),
        "checks": {check.name: str(check.outcome) for check in statement.checks},
        "reason": review.observation.reasons.get(statement.reason or ""),
    }
