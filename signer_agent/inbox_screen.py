# SPDX-License-Identifier: Apache-2.0
"""How the inbox is drawn: one line for each release, the one to look at first at the top."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.quorum import Tally
from quorumseal.examining import end
from quorumseal.terminal import Foreign, Mark, Screen, distance_text
from quorumseal.terminal.findings import draw_findings
from signer_agent.emergency_screen import course, draw_banner
from signer_agent.inbox import URGENT, Inbox
from signer_agent.review import Review, Standing
from signer_agent.revision_screen import revision_text
from signer_agent.screen import release_of, time_left

_WORDS = {
    Standing.AWAITED: "waits for you",
    Standing.UNSENT: "signed, no receipt",
    Standing.CONFLICT: "other bytes than before",
    Standing.OVERDUE: "past its deadline",
    Standing.OPEN: "your roles are filled",
    Standing.DECIDED: "you decided",
    Standing.REQUESTED: "you asked for it",
    Standing.NO_ROLE: "no role of yours",
    Standing.SUSPENDED: "you are suspended",
}


def handle_of(review: Review) -> str:
    """Return what a person types to name a ceremony: its release, where that cannot mean another one."""
    request = review.request.statement
    ordinary = request.kind is Kind.RELEASE
    return f"{request.product}@{request.version}" if ordinary else request.ceremony


def _what(waiting: Sequence[Review]) -> str:
    """Return what waits, in one word: releases, unless one of them is about a policy."""
    word = "request" if any(each.request.statement.kind in GOVERNED for each in waiting) else "release"
    return word if len(waiting) == 1 else f"{word}s"


def draw_inbox(screen: Screen, inbox: Inbox, *, everything: bool) -> None:
    """Draw the inbox without its last line."""
    waiting = inbox.waiting
    match len(waiting):
        case 0 if inbox.emergencies:
            screen.answer(Mark.WARNING, "Nothing waits for your decision, but an emergency is open")
        case 0:
            screen.answer(Mark.DONE, "Nothing waits for your decision")
        case 1:
            screen.answer(Mark.WAITING, f"1 {_what(waiting)} waits for you: {time_left(waiting[0])}")
        case count:
            screen.answer(
                Mark.WAITING, f"{count} {_what(waiting)} wait for you: {time_left(waiting[0])} for the first"
            )
    for review in inbox.emergencies:
        draw_banner(screen, review.ceremony)
        for sentence in course(review.ceremony, at=review.at):
            screen.item(Mark.WARNING, f"{release_of(review)}: {sentence}")
    for bad in inbox.unreadable:
        screen.item(
            Mark.FAILED, f"{bad.ceremony} does not verify [{bad.refusal.code}]:", Foreign(str(bad.refusal))
        )
    shown = [each for each in inbox.reviews if everything or _matters(each)]
    if shown:
        screen.line()
        _draw_table(screen, shown)
    for review in shown:
        if review.revision is not None:
            screen.item(
                Mark.WARNING,
                f"{handle_of(review)} takes an earlier request's place: {revision_text(review.revision)}",
            )
    if inbox.rest and not everything:
        count = len(inbox.rest)
        screen.line()
        screen.line(
            f"{count} more {'is' if count == 1 else 'are'} open and need{'s' if count == 1 else ''} nothing "
            "from you; --all lists everything."
        )


def draw_endings(screen: Screen, inbox: Inbox, *, at: datetime) -> None:
    """Say what ends soon of what this signer needs, where anything does."""
    draw_findings(screen, [end(each, at=at) for each in inbox.ending])


def draw_reminder(screen: Screen, inbox: Inbox, reminders: Mapping[str, datetime]) -> None:
    """Say when the signer hears of something next, and of what."""
    due = [(reminders.get(each.request.statement.ceremony), each) for each in inbox.waiting]
    first = min(((at, review) for at, review in due if at), key=lambda pair: pair[0], default=None)
    if first is not None:
        at, review = first
        screen.line()
        screen.line(f"You are reminded next {distance_text(at, review.at)}, of {handle_of(review)}.")


def _draw_table(screen: Screen, reviews: Sequence[Review]) -> None:
    """Draw one line for each; what they are to the reader only where that is not the same for all."""
    header = ["release", "left", "asked by", "still needed"]
    rows = [
        [
            _named(review),
            time_left(review).removesuffix(" left"),
            review.request.signer,
            needed(review.tally),
        ]
        for review in reviews
    ]
    if any(review.standing is not Standing.AWAITED for review in reviews):
        header.append("for you")
        rows = [[*row, _WORDS[review.standing]] for row, review in zip(rows, reviews, strict=True)]
    screen.table(header, rows)


def _matters(review: Review) -> bool:
    """Whether something may be asked of the reader: of an emergency, to veto it."""
    return review.standing in URGENT or review.ceremony.emergency is not None


def _named(review: Review) -> str:
    ordinary = review.request.statement.kind is Kind.RELEASE and review.ceremony.emergency is None
    return handle_of(review) if ordinary else release_of(review)


def needed(tally: Tally) -> str:
    """Say in few words what a quorum still needs."""
    return ", ".join(f"{role.missing} {role.role}" for role in tally.roles if role.missing) or "nothing"
