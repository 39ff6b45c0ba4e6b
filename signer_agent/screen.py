# SPDX-License-Identifier: Apache-2.0
"""How a review is drawn: the answer first, the artifacts with full digests, the next command last.

What others wrote stands apart, each under its author's name, and is said to be no part of the signature.
"""

from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.breaking_glass import more_people
from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.falling import losses
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.quorum import RoleTally, Tally
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import CheckOutcome, Choice, Decision
from quorumseal.terminal import Cell, Foreign, Mark, Screen, distance_text, duration_text, instant_text
from quorumseal.terminal.words import four_words
from signer_agent.about_screen import draw_about
from signer_agent.emergency_screen import draw_banner, draw_emergency, quorum_text
from signer_agent.review import Review, Standing
from signer_agent.revision_screen import draw_revision
from signer_agent.sides_screen import draw_sides

CHOICE_MARKS = {Choice.APPROVAL: Mark.DONE, Choice.REJECTION: Mark.FAILED, Choice.ABSTENTION: Mark.WAITING}
ENDED_MARKS = {State.APPROVED: Mark.DONE, State.PROVISIONAL: Mark.WARNING}
VERBS = {Choice.APPROVAL: "approves", Choice.REJECTION: "rejects", Choice.ABSTENTION: "abstains"}
YOU = {Choice.APPROVAL: "approved", Choice.REJECTION: "rejected", Choice.ABSTENTION: "abstained from"}
_NOUNS = {
    Kind.RATIFICATION: "ratification",
    Kind.RE_APPROVAL: "re-approval",
    Kind.REVOCATION: "revocation",
    Kind.POLICY_CHANGE: "change to",
    Kind.POLICY_ACCEPTANCE: "acceptance of",
}
Row = tuple[str, Cell, str | None]
NOT_SIGNED = "Written by others, and not signed by your decision"


def release_of(review: Review) -> str:
    """Return what a ceremony is about, in few words."""
    return name_of(review.ceremony)


def name_of(ceremony: Ceremony) -> str:
    """Return what a ceremony is about: a release or an emergency, or what became of one later."""
    request = ceremony.request.statement
    release = f"{request.product} {request.version}"
    if request.emergency is not None:
        return f"EMERGENCY {release}"
    if request.kind in GOVERNED:
        return f"{_NOUNS[request.kind]} policy version {request.version}"
    return release if request.kind is Kind.RELEASE else f"{_NOUNS[request.kind]} of {release}"


def draw_review(screen: Screen, review: Review) -> None:
    """Draw everything that there is to know before deciding."""
    screen.answer(*headline(review))
    draw_banner(screen, review.ceremony)
    _draw_warnings(screen, review)
    draw_about(screen, review)
    draw_sides(screen, review)
    if review.ceremony.emergency is not None:
        draw_emergency(screen, review.ceremony, review.observation.reasons, at=review.at)
        _draw_people(screen, review)
    if review.request.statement.kind is not Kind.REVOCATION:
        _draw_artifacts(screen, review)
    draw_revision(screen, review)
    _draw_request(screen, review)
    _draw_quorum(screen, review)
    _draw_changes(screen, review)
    _draw_foreign(screen, review)


def headline(review: Review) -> tuple[Mark, str]:
    """Return the first line: what the ceremony is to this signer now."""
    what, left = release_of(review), time_left(review)
    match review.standing:
        case Standing.AWAITED:
            return Mark.WAITING, f"{what} waits for your decision{_in_place_of(review)}: {left}"
        case Standing.OPEN:
            return Mark.WAITING, f"{what} is open, but your roles are filled: {left}"
        case Standing.DECIDED:
            assert review.own is not None  # noqa: S101 - what the standing means
            return Mark.DONE, f"You {YOU[review.own.statement.choice]} {what}; it is open: {left}"
        case Standing.UNSENT:
            return Mark.WARNING, f"What you signed about {what} has no receipt yet: {left}"
        case Standing.REQUESTED:
            return Mark.WAITING, f"{what} is open: you asked for it, so others decide: {left}"
        case Standing.NO_ROLE:
            return Mark.WAITING, f"{what} is open: no role of yours decides on it: {left}"
        case Standing.SUSPENDED:
            until = instant_text(review.ceremony.suspended[review.signer].until)
            return Mark.WARNING, f"{what} is open, but you are suspended until {until}: {left}"
        case Standing.OVERDUE:
            return Mark.WARNING, f"{what} is past its deadline: {left}"
        case Standing.CONFLICT:
            return Mark.WARNING, f"{what} is asked for with other bytes than you approved before"
        case Standing.ENDED:
            mark = ENDED_MARKS.get(review.ceremony.state, Mark.FAILED)
            ended = review.ceremony.ended_at
            return (
                mark,
                f"{what} {ended_text(review.ceremony)} {distance_text(ended or review.at, review.at)}",
            )


def ended_text(ceremony: Ceremony) -> str:
    """Say how a ceremony ended."""
    if ceremony.stopped_by is not None:
        return f"was vetoed by {ceremony.stopped_by}"
    how = {State.EXPIRED: "expired", State.PROVISIONAL: "was released provisionally"}
    return how.get(ceremony.state, f"was {ceremony.state}")


def _in_place_of(review: Review) -> str:
    """Name those for whom a deputy without a role of their own may decide."""
    members = dict.fromkeys(delegation.signer for delegation in review.stand_ins)
    return f" in the place of {' or '.join(members)}" if members and not review.roles else ""


def time_left(review: Review) -> str:
    """Say how long a ceremony is still open."""
    deadline = review.ceremony.deadline
    if review.at >= deadline:
        return f"its deadline was {distance_text(deadline, review.at)}"
    return f"{duration_text(deadline - review.at)} left"


def _draw_warnings(screen: Screen, review: Review) -> None:
    if (refusal := review.background.refusal) is not None:
        screen.item(Mark.FAILED, f"Do not approve this [{refusal.code}]:", Foreign(str(refusal), 600))
    for sentence in losses(review.ceremony, at=review.at, say=instant_text):
        screen.item(Mark.WARNING, sentence)
    if review.foreign_own:
        screen.item(
            Mark.WARNING,
            "The log has a decision of yours that is not in this journal. If you did not make it on another "
            "machine, somebody else has your key: tell your security team.",
        )
    if (conflict := review.conflict) is not None:
        final = conflict.end is EntryType.APPROVED
        who, named = "A quorum" if final else "You", conflict.request
        what = f"{named.product} {named.version} (ceremony {named.ceremony})"
        screen.item(Mark.WARNING, f"{who} approved these bytes as {what}:")
        for subject in conflict.request.subjects:
            screen.facts([(f"    {subject.name}", subject.digest)])
        if final:
            screen.line("    An approved version is final: no other bytes can take its place.")
        elif conflict.end is None:
            screen.line("    That ceremony is not shown to have ended.")
        else:
            screen.line("    This request does not say that it supersedes that one.")


def _draw_people(screen: Screen, review: Review) -> None:
    """Say whether as many people are needed as the log's earlier emergencies demand."""
    if review.background.refusal is not None:
        return
    if not review.background.asked:
        screen.item(Mark.WARNING, "whether that many people are enough could not be asked of the log")
        return
    before = " and ".join(sorted(review.background.vetoed_by))
    because = f"; {before} vetoed this release before" if before else ""
    screen.item(Mark.DONE, f"by the log, that many people are enough{because}")


def _draw_artifacts(screen: Screen, review: Review) -> None:
    screen.heading("Artifacts")
    for subject in review.request.statement.subjects:
        found = review.findings.found.get(subject.name)
        if found is None:
            screen.item(Mark.WAITING, f"{subject.name}: not checked on this machine")
            screen.line(f"    {subject.digest}")
        elif found.matches:
            screen.item(Mark.DONE, f"{subject.name}: the same bytes as", Foreign(found.source))
            screen.line(f"    {subject.digest}")
        else:
            screen.item(Mark.FAILED, f"{subject.name}: OTHER BYTES than", Foreign(found.source))
            screen.facts([("    asked for", subject.digest), ("    found", found.digest)])


def _draw_request(screen: Screen, review: Review) -> None:
    request = review.request.statement
    deadline, behind = review.ceremony.deadline, request.on_behalf_of
    by = request.context.signer + (f", a machine, which says that it asks for {behind}" if behind else "")
    policy, deadline = review.observation.policy, review.ceremony.deadline
    words = four_words(review.request.digest)
    rows: list[Row] = [
        ("asked by", by, None),
        ("asked at", instant_text(request.opened_at), None),
        ("deadline", f"{instant_text(deadline)}, {distance_text(deadline, review.at)}", None),
        ("kind", f"{request.kind}, {request.mode}", None),
        (
            "rule",
            f"{review.rule.name}: {quorum_text(review.ceremony.quorum)}",
            None,
        ),
        ("policy", f"version {policy.policy.version}", policy.digest),
        ("request", f"{words} (to compare aloud; no security check)", review.request.digest),
    ]
    if request.supersedes is not None:
        rows.append(("supersedes", "another request", request.supersedes))
    if review.rule.checks:
        rows.append(("checks", "every approval must state " + ", ".join(sorted(review.rule.checks)), None))
    screen.heading("Request")
    draw_rows(screen, rows)
    for evidence in request.evidence:
        screen.item(Mark.WAITING, f"evidence {evidence.kind}: {evidence.name}")
        screen.line(f"    {evidence.digest}")


def _draw_quorum(screen: Screen, review: Review) -> None:
    screen.heading("Quorum")
    tally = review.tally
    width = max(len(role.role) for role in tally.roles)
    for role in tally.roles:
        screen.item(
            Mark.WAITING if role.missing else Mark.DONE, f"{role.role:<{width}} ", _role_text(role, review)
        )
    if more := more_people(review.ceremony, at=review.ceremony.ended_at or review.at):
        screen.item(Mark.WAITING, f"and {more} more, of any of these roles")
    for sentence in _why_elsewhere(tally):
        screen.line(f"    {sentence}")
    for delegation in review.stand_ins if review.own is None else ():
        instead = f"{delegation.signer} as {delegation.statement.role}"
        until = instant_text(delegation.statement.until)
        screen.item(Mark.WAITING, f"you may decide in the place of {instead}, until {until}")
    for decision in (*((review.own,) if review.own else ()), *review.others):
        _draw_decision(screen, review, decision)


def _draw_decision(screen: Screen, review: Review, decision: Signed[Decision]) -> None:
    statement = decision.statement
    who = known_as(review.ceremony, decision.signer)
    who = f"{who} (you)" if decision.signer == review.signer else who
    checks = "".join(
        f"; {check.name}: {check.outcome}"
        for check in statement.checks
        if check.outcome is not CheckOutcome.PASS
    )
    stands = _stands_text(statement, review)
    screen.item(
        CHOICE_MARKS[statement.choice],
        f"{who} {VERBS[statement.choice]} for {', '.join(sorted(statement.roles))}, "
        f"{distance_text(statement.context.signed_at, review.at)}{checks}{stands}",
    )


def _stands_text(decision: Decision, review: Review) -> str:
    """Say until when a decision stands, where that matters to somebody."""
    if decision.not_after is None:
        return ""
    if not _stands(decision, review.at):
        return "; no longer stands"
    is_open = review.ceremony.state is State.OPEN and decision.not_after < review.ceremony.deadline
    return f"; stands for {duration_text(decision.not_after - review.at)}" if is_open else ""


def _draw_changes(screen: Screen, review: Review) -> None:
    last = review.recollection.last
    product = review.request.statement.product
    if review.request.statement.kind in GOVERNED:
        return
    screen.heading("Since your last decision")
    if last is None or review.changes is None:
        screen.line(f"  None on {product} with this agent yet: read the rule with care.")
        return
    context = last.decision.context
    when = f"policy version {context.policy.version}, {distance_text(context.signed_at, review.at)}"
    if not review.changes:
        screen.item(Mark.DONE, f"Policy and rule for {product} are as they were ({when}).")
        return
    screen.item(Mark.WARNING, f"What {product} needs has changed ({when}):")
    for change in review.changes:
        screen.line(f"    {change}")


def _draw_foreign(screen: Screen, review: Review) -> None:
    request = review.request.statement
    texts = [(d, t) for d in review.others if (t := review.observation.reasons.get(d.statement.reason or ""))]
    if not (request.ticket or request.evidence or request.locators or texts):
        return
    screen.heading(NOT_SIGNED)
    if request.ticket is not None:
        screen.line(f"  ticket, by {request.context.signer}:")
        screen.quote(request.ticket)
    for locator in request.locators:
        screen.line(f"  where {locator.name} may be, by {request.context.signer}:")
        screen.quote(locator.uri)
    for decision, text in texts:
        screen.line(f"  {decision.signer} {VERBS[decision.statement.choice]}, and says:")
        screen.quote(text)


def draw_rows(screen: Screen, rows: Sequence[Row]) -> None:
    """Draw facts in two columns; a digest has a line of its own, so that it is whole on a narrow terminal."""
    width = max(len(label) for label, _, _ in rows)
    for label, value, digest in rows:
        screen.facts([(f"  {label:<{width}}", value)])
        if digest is not None:
            screen.line(f"    {digest}")


def _role_text(role: RoleTally, review: Review) -> str:
    filled = ", ".join(known_as(review.ceremony, person) for person in role.seated) or "nobody yet"
    text = f"{len(role.seated)} of {role.threshold}: {filled}"
    if role.missing and role.helpful and review.ceremony.state is State.OPEN:
        text += f"; awaited: {', '.join('you' if p == review.signer else p for p in role.helpful)}"
    return text


def _why_elsewhere(tally: Tally) -> list[str]:
    return [
        f"{person} also belongs to {role.role}, and already counts for {other}"
        for role in tally.roles
        for person, other in role.elsewhere
    ]


def _stands(decision: Decision, at: datetime) -> bool:
    return decision.not_after is None or at < decision.not_after
