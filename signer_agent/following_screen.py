# SPDX-License-Identifier: Apache-2.0
"""How ``agent run`` speaks: one line for each thing that happened, with its time."""

from collections.abc import Callable, Sequence

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import StandingAct
from quorumseal.ceremony.values import instant_text
from quorumseal.terminal import Foreign, Mark, Screen
from signer_agent.away_screen import act_text
from signer_agent.documents import Json, stored_json
from signer_agent.inbox_screen import draw_endings, handle_of
from signer_agent.notices import Notice, Told
from signer_agent.screen import headline, release_of, time_left


class RunningScreen:
    """Draws what the agent says, as it says it."""

    def __init__(
        self, screen: Screen, name: str, coordinator: str, *, review: Callable[[str], Sequence[str]]
    ) -> None:
        """``review`` is the command that shows a release to the person."""
        self._screen = screen
        self._review = review
        self._name = name
        self._coordinator = coordinator
        self._witnessing = False

    def tell(self, told: Told) -> None:
        """Draw one notice."""
        if told.inbox is not None:
            waiting = len(told.inbox.waiting)
            what = (
                f"{waiting} wait{'s' if waiting == 1 else ''} for you" if waiting else "nothing waits for you"
            )
            self._screen.answer(Mark.DONE, f"Watching {self._coordinator} as {self._name}: {what}")
            draw_endings(self._screen, told.inbox, at=told.at)
            return
        if told.cosigned is not None:
            if self._witnessing:  # once a minute is for programs; people hear that it began
                return
            self._witnessing = True
        mark, *parts = _line(told)
        self._screen.item(mark, f"{told.at.astimezone():%H:%M:%S}", *parts)
        if told.notice in (Notice.WAITS, Notice.DEADLINE) and told.review is not None:
            self._screen.command(self._review(handle_of(told.review)), indent=6)
        if told.refusal is not None and told.refusal.hint:
            self._screen.line("     ", Foreign(told.refusal.hint, 400))
        if told.notice in (Notice.HANDED_BACK, Notice.SHORTER):
            self._screen.line(
                "      nothing is signed until it is whole again; then this agent goes on by itself"
            )


def told_json(told: Told) -> dict[str, Json]:
    """Return one notice for programs."""
    document: dict[str, Json] = {"at": instant_text(told.at), "notice": str(told.notice)}
    if told.review is not None:
        request = told.review.request.statement
        document |= {
            "ceremony": request.ceremony,
            "product": request.product,
            "version": request.version,
            "standing": str(told.review.standing),
            "state": str(told.review.ceremony.state),
            "deadline": instant_text(told.review.ceremony.deadline),
        }
    if told.inbox is not None:
        document["waiting"] = len(told.inbox.waiting)
    if told.stored is not None:
        document |= stored_json(told.stored)
    if told.cosigned is not None:
        document |= {"log": told.cosigned.checkpoint.origin, "size": told.cosigned.size}
    if told.returned is not None:
        document |= {
            "from": told.returned.start,
            "to": told.returned.end,
            "entries": told.returned.entries,
            "texts": told.returned.texts,
        }
    if told.refusal is not None:
        document |= {"code": told.refusal.code, "message": str(told.refusal)}
    return document


def _line(told: Told) -> tuple[Mark, str] | tuple[Mark, str, Foreign]:
    review = told.review
    match told.notice:
        case Notice.WAITS | Notice.ENDED if review is not None:
            return headline(review)
        case Notice.MOVED if review is not None:
            return (
                Mark.WAITING,
                f"{release_of(review)}: {'; '.join(review.explained)}",
            )
        case Notice.DEADLINE if review is not None:
            return Mark.WARNING, f"{release_of(review)} still waits for you: {time_left(review)}"
        case Notice.DECIDED if review is not None:
            return (
                Mark.DONE,
                f"{release_of(review)}: every artifact matches, and this machine has approved it",
            )
        case Notice.NOT_DECIDED if review is not None:
            return Mark.WARNING, f"{release_of(review)}: this machine does not approve it"
        case Notice.SENT if told.stored is not None and isinstance(told.stored.statement, StandingAct):
            return Mark.DONE, f"it has its receipt: {act_text(told.stored.statement)}"
        case Notice.SENT if told.stored is not None:
            ended = told.stored.state not in (State.OPEN, State.APPROVED)
            mark = Mark.WARNING if ended else Mark.DONE
            return (
                mark,
                f"what you signed in {told.stored.ceremony} has its receipt; it is {told.stored.state}",
            )
        case Notice.COSIGNED if told.cosigned is not None:
            return Mark.DONE, f"your witness key vouches for the log: {told.cosigned.size} entries"
        case Notice.HANDED_BACK if told.returned is not None:
            start, end, entries = told.returned.start, told.returned.end, told.returned.entries
            lost = f"the coordinator's log has lost entries {start} to {end - 1}"
            return Mark.WARNING, f"{lost}: this agent handed back {entries} of {end - start}"
        case Notice.RECOVERED:
            return Mark.DONE, "the coordinator's log has all again that this agent has seen"
        case Notice.BACK:
            return Mark.DONE, "connected again"
        case Notice.BROKEN:
            return Mark.WARNING, "connection lost, trying again:", Foreign(str(told.refusal), 200)
        case _:
            code = told.refusal.code if told.refusal else told.notice
            return Mark.FAILED, f"[{code}]", Foreign(str(told.refusal or ""), 600)
