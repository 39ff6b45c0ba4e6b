# SPDX-License-Identifier: Apache-2.0
"""How the inbox is drawn: one line for each release, the one to look at first at the top."""

from collections.abc import Sequence

from quorumseal.ceremony.quorum import Tally
from quorumseal.terminal import Foreign, Mark, Screen
from signer_agent.inbox import Inbox
from signer_agent.review import Review, Standing
from signer_agent.screen import time_left

_WORDS = {
    Standing.AWAITED: "waits for you",
    Standing.UNSENT: "signed, no receipt",
    Standing.CONFLICT: "other bytes than before",
    Standing.OVERDUE: "past its deadline",
    Standing.OPEN: "your roles are filled",
    Standing.DECIDED: "you decided",
    Standing.REQUESTED: "you asked for it",
    Standing.NO_ROLE: "no role of yours",
}


def handle_of(review: Review) -> str:
    """Return what a person types to name the release."""
    request = review.request.statement
    return f"{request.product}@{request.version}"


def draw_inbox(screen: Screen, inbox: Inbox, *, everything: bool) -> None:
    """Draw the inbox without its last line."""
    waiting = inbox.waiting
    match len(waiting):
        case 0:
            screen.answer(Mark.DONE, "Nothing waits for your decision")
        case 1:
            screen.answer(Mark.WAITING, f"1 release waits for you: {time_left(waiting[0])}")
        case count:
            screen.answer(
                Mark.WAITING, f"{count} releases wait for you: {time_left(waiting[0])} for the first"
            )
    for bad in inbox.unreadable:
        screen.item(
            Mark.FAILED, f"{bad.ceremony} does not verify [{bad.refusal.code}]:", Foreign(str(bad.refusal))
        )
    shown = inbox.reviews if everything else waiting
    if shown:
        screen.line()
        _draw_table(screen, shown)
    if inbox.rest and not everything:
        count = len(inbox.rest)
        screen.line()
        screen.line(
            f"{count} more {'is' if count == 1 else 'are'} open and need{'s' if count == 1 else ''} nothing "
            "from you; --all lists everything."
        )


def _draw_table(screen: Screen, reviews: Sequence[Review]) -> None:
    """Draw one line for each; what they are to the reader only where that is not the same for all."""
    header = ["release", "left", "asked by", "still needed"]
    rows = [
        [
            handle_of(review),
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


def needed(tally: Tally) -> str:
    """Say in few words what a quorum still needs."""
    return ", ".join(f"{role.missing} {role.role}" for role in tally.roles if role.missing) or "nothing"
