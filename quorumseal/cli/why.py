# SPDX-License-Identifier: Apache-2.0
"""Say in sentences why a ceremony is not approved: what is missing, who can still help, until when."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Cancellation, Veto
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli import standing
from quorumseal.cli.desk import Desk, add_ceremony, command, now, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.prospects import (
    Prospects,
    draw_forecast,
    foresee,
    next_reminder_text,
    prospects_json,
)
from quorumseal.terminal import Mark, Screen, distance_text, instant_text
from signer_agent.background import followers
from signer_agent.documents import emergency_json
from signer_agent.emergency_screen import course, draw_banner
from signer_agent.observing import Observation


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended a ceremony, and what was written about it."""

    sentence: str = ""
    by: str = ""
    text: str = ""


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``why`` takes."""
    add_ceremony(parser)


def run(arguments: Namespace) -> int:
    """Say it."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        ended = _ending(desk, seen)
        after = followers(desk.agent, seen)
        ceremony, at = seen.chain.ceremony, now()
        is_open = ceremony.state is State.OPEN
        present = sorted({each.signer for each in desk.connection.presence()}) if is_open else []
        ahead = foresee(desk, ceremony, present, at=at) if is_open else None
    if arguments.json:
        awaited = standing.awaited_of(ceremony, at)
        print_json(
            {
                "ceremony": seen.chain.id,
                **standing.standing_json(ceremony, at),
                "ended": ended.sentence,
                "reason": ended.text,
                "emergency": emergency_json(ceremony, seen.reasons, at=at),
                "followed_by": [standing.follower_json(each) for each in after],
                "connected": [name for name in present if name in awaited],
                "deadline": exact(ceremony.deadline),
                **prospects_json(ahead),
            }
        )
        return 0
    drawn = screen()
    drawn.answer(*standing.headline(ceremony, at))
    draw_banner(drawn, ceremony)
    standing.draw_followers(drawn, after, at)
    if ceremony.emergency is not None:
        ratified = standing.ratification_among(after) is not None
        for sentence in course(ceremony, at=at, ratified=ratified):
            drawn.item(Mark.WARNING, sentence)
    if ahead is not None:
        _draw_open(drawn, seen, at, present, ahead)
        drawn.next("See it happen", command(arguments, "watch", arguments.ceremony))
    else:
        _draw_ended(drawn, seen, at, ended)
    return 0


def _draw_open(
    drawn: Screen, seen: Observation, at: datetime, present: Sequence[str], ahead: Prospects
) -> None:
    ceremony = seen.chain.ceremony
    deadline = ceremony.deadline
    for sentence in standing.missing(ceremony, at):
        drawn.item(Mark.WAITING, sentence)
    standing.draw_losses(drawn, ceremony, at)
    draw_forecast(drawn, ahead)
    _draw_reasons(drawn, seen)
    drawn.line()
    drawn.line(
        f"It expires {instant_text(deadline)}, {distance_text(deadline, at)}; then nothing more counts."
    )
    reminder = next_reminder_text(ahead, at=at)
    if reminder:
        drawn.line(reminder)
    near = [name for name in standing.awaited_of(ceremony, at) if name in present]
    if near:
        drawn.line("Connected now, as the coordinator says:", ", ".join(near))


def _draw_ended(drawn: Screen, seen: Observation, at: datetime, ended: Ending) -> None:
    ceremony = seen.chain.ceremony
    if ceremony.state in (State.APPROVED, State.PROVISIONAL):
        for sentence in explain(by_name(ceremony, standing.tally_of(ceremony, at), at=at)):
            drawn.item(Mark.DONE, sentence)
        return
    if ended.sentence:
        drawn.item(Mark.FAILED, ended.sentence)
    if ended.text:
        drawn.line(f"  {ended.by} wrote:")
        drawn.quote(ended.text)
    for signer in sorted(ceremony.rejecters):
        drawn.item(Mark.FAILED, f"{signer} rejected it")
    _draw_reasons(drawn, seen)
    drawn.line()
    drawn.line("When it ended:")
    standing.draw_lanes(drawn, ceremony, at)


def _draw_reasons(drawn: Screen, seen: Observation) -> None:
    for signer in sorted(seen.chain.ceremony.rejecters):
        text = seen.reasons.get(seen.chain.ceremony.decisions[signer].statement.reason or "")
        if text is not None:
            drawn.line(f"  {signer} wrote:")
            drawn.quote(text)


def _ending(desk: Desk, seen: Observation) -> Ending:
    """Say who or what ended a ceremony, where its decisions do not show that."""
    state = seen.chain.ceremony.state
    if state is State.EXPIRED:
        deadline = seen.chain.ceremony.deadline
        return Ending(f"its deadline passed {instant_text(deadline)}")
    for veto in seen.signed(Veto):
        by = veto.context.signer
        return Ending(f"{by} vetoed it", by, seen.reasons.get(veto.reason, ""))
    if state in (State.CANCELLED, State.SUPERSEDED):
        entries, texts = desk.entries(seen)
        for entry in entries:
            if entry.type is EntryType.SUPERSEDED:
                return Ending(f"a later request took its place: {entry.body['by']}")
            if entry.type is EntryType.CANCELLED:
                cancellation = read_statement(entry.envelope.payload)
                assert isinstance(cancellation, Cancellation)  # noqa: S101 - the rules saw to that
                by = cancellation.context.signer
                return Ending(f"{by} cancelled it", by, texts.get(cancellation.reason, ""))
    return Ending()
