# SPDX-License-Identifier: Apache-2.0
"""How what somebody is about to sign is drawn: exactly that, then what it will do."""

from quorumseal.ceremony.breaking_glass import more_people
from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.events import (
    CeremonyRejected,
    DeadlinePassed,
    Event,
    LateDecisionRecorded,
    QuorumReached,
)
from quorumseal.ceremony.lifecycle import replay
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import CeremonyAct, Choice, Context, Decision, Delegation
from quorumseal.terminal import Mark, Screen, instant_text
from signer_agent.differences_screen import counted
from signer_agent.drafting import Draft
from signer_agent.journal import kind_of
from signer_agent.review import Review
from signer_agent.screen import Row, draw_rows, release_of

COMPLETED = {
    Kind.RELEASE: "It completes the quorum: the release is approved and published.",
    Kind.RATIFICATION: "It completes the quorum: the emergency counts like a regular release from then on.",
    Kind.RE_APPROVAL: "It completes the quorum: the release stands by these approvals, too.",
    Kind.POLICY_CHANGE: "It completes the old side: the policy holds once the new side approved it, too.",
    Kind.POLICY_ACCEPTANCE: "It completes the new side: the policy holds once the old side approved it, too.",
    Kind.REVOCATION: "It completes the quorum: the release is revoked, for good.",
}


def draw_draft(screen: Screen, review: Review, draft: Draft, events: tuple[Event, ...]) -> None:
    """Draw exactly what will be signed, and what it will do."""
    decision = draft.statement
    assert isinstance(decision, Decision)  # noqa: S101 - drawn for decisions only
    context = decision.context
    who = decider(review, draft)
    screen.heading(f"What you sign: {decision.choice} of {release_of(review)}, as {who}")
    rows: list[Row] = [
        ("counts in", ", ".join(sorted(decision.roles)), None),
        *(("states", f"{check.name}: {check.outcome}", None) for check in decision.checks),
        *_context_rows(context),
        ("request", "", decision.request),
    ]
    if (by := _delegation(review, decision)) is not None:
        rows.append(("stands in", f"for {by.signer}, who delegated that role to you", by.digest))
    if decision.replaces is not None:
        rows.append(("replaces", "your decision", decision.replaces))
    if decision.not_after is not None:
        rows.append(("stands", f"until {instant_text(decision.not_after)}", None))
    if draft.annexes:
        rows.append(("reason", "yours, below; the signature commits to it", None))
    rows.append(("statement", "", draft.digest))
    draw_rows(screen, rows)
    for annex in draft.annexes:
        screen.quote(annex.text)
    sides = review.background.sides
    if sides is not None and sides.weakening and decision.choice is Choice.APPROVAL:
        weakening = counted(sides.differences)
        screen.item(Mark.WARNING, f"You approve a policy that changes {weakening}: see ! above.")
    for sentence in consequences_text(review, events):
        screen.item(Mark.WAITING, sentence)


def draw_act(screen: Screen, review: Review, draft: Draft, sentence: str) -> None:
    """Draw exactly what will be signed that is no decision, and what it will do."""
    act = draft.statement
    assert isinstance(act, CeremonyAct)  # noqa: S101 - drawn for acts only
    screen.heading(f"What you sign: {kind_of(act)} on {release_of(review)}, as {act.context.signer}")
    rows: list[Row] = [
        *_context_rows(act.context),
        ("request", "", act.request),
        ("seen", "the newest entry of the ceremony", act.seen),
        ("text", "yours, below; the signature commits to it", None),
        ("statement", "", draft.digest),
    ]
    draw_rows(screen, rows)
    for annex in draft.annexes:
        screen.quote(annex.text)
    screen.item(Mark.WAITING, sentence)


def _context_rows(context: Context) -> list[Row]:
    return [
        ("signed at", instant_text(context.signed_at), None),
        ("log", f"{context.log}, of which you have seen {context.checkpoint.size} entries", None),
        ("policy", f"version {context.policy.version}", context.policy.digest),
    ]


def consequences_text(review: Review, events: tuple[Event, ...]) -> tuple[str, ...]:
    """Say what a decision will do."""
    if any(isinstance(event, QuorumReached) for event in events):
        sides = review.background.sides
        if sides is not None and sides.other_is_approved:
            version = sides.new.policy.version
            return (f"It completes the second of both sides: policy version {version} holds from then on.",)
        return (COMPLETED[review.request.statement.kind],)
    if any(isinstance(event, CeremonyRejected) for event in events):
        what = release_of(review) if review.request.statement.kind in GOVERNED else "release"
        return (f"It ends the ceremony: the {what} is rejected.",)
    if any(isinstance(event, DeadlinePassed | LateDecisionRecorded) for event in events):
        return ("It comes too late to count, and goes on record as late.",)
    after = replay(review.ceremony, events)
    if (ends := after.window_ends) is not None:
        met = f"The emergency's quorum is met: unless somebody vetoes it by {instant_text(ends)}"
        return (f"{met}, it is released provisionally.",)
    more = more_people(after, at=review.at)
    also = (f"Then it needs {more} more, of any role of its quorum.",) if more else ()
    missing = explain(by_name(after, after.tally(at=review.at), at=review.at))
    return (
        *(() if more and after.tally(at=review.at).quorum_met else [f"Then {s}." for s in missing]),
        *also,
    )


def decider(review: Review, draft: Draft) -> str:
    """Return who decides, and for whom, as everybody will see it."""
    decision = draft.statement
    assert isinstance(decision, Decision)  # noqa: S101 - drawn for decisions only
    by = _delegation(review, decision)
    return f"{review.signer} for {by.signer}" if by else review.signer


def _delegation(review: Review, decision: Decision) -> Signed[Delegation] | None:
    known = (*review.stand_ins, *review.ceremony.stands_for.values())
    return next((d for d in known if d.digest == decision.delegation), None)
