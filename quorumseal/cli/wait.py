# SPDX-License-Identifier: Apache-2.0
"""Wait until a ceremony has ended and its bundle is published; made for CI, and safe to repeat.

The exit code says how it stands: 0 approved and published, 8 still pending when the time is up, 9 expired,
cancelled or superseded, 10 rejected or vetoed, 11 released provisionally by an emergency.
"""

import threading
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import timedelta

from quorumseal.ceremony.lifecycle import State
from quorumseal.cli import standing
from quorumseal.cli.desk import Desk, add_ceremony, command, now, open_desk
from quorumseal.cli.kinds import RELEASED
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.publications import FAILED, all_published, draw_publications, publications_json
from quorumseal.cli.show import next_command
from quorumseal.client.values import LoggedEntry
from quorumseal.terminal import duration_text, parse_duration
from quorumseal.verifier.outcomes import Outcome
from signer_agent.observing import Observation

_PUBLISHING_POLL = 0.5


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``wait`` takes."""
    add_ceremony(parser)
    parser.add_argument(
        "--timeout",
        type=duration,
        default=timedelta(minutes=10),
        metavar="TIME",
        help="how long, such as 60s or 2h (default: 10m)",
    )


def run(arguments: Namespace) -> int:
    """Wait, and say how it ended."""
    until = time.monotonic() + arguments.timeout.total_seconds()
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        if not is_settled(seen):
            _, text = standing.headline(seen.chain.ceremony, now())
            screen().talk(f"waiting {duration_text(arguments.timeout)} at most: {text}")
            seen = wait_for(desk, seen, until)
    ceremony = seen.chain.ceremony
    outcome = outcome_of_seen(seen)
    if arguments.json:
        print_json(
            {
                "ceremony": seen.chain.id,
                **standing.standing_json(ceremony, now()),
                "publications": publications_json(seen.publications),
                "outcome": outcome.name.lower(),
                "exit": int(outcome),
            }
        )
        return outcome
    drawn = screen()
    drawn.answer(*standing.headline(ceremony, now()))
    draw_publications(drawn, seen.publications)
    if outcome is Outcome.PENDING and ceremony.state in RELEASED:
        drawn.next(
            "Released, but not published yet; try again",
            command(arguments, "release", "publish", arguments.ceremony),
        )
    else:
        drawn.next(*next_command(ceremony, arguments.ceremony, arguments))
    return outcome


def wait_for(
    desk: Desk, seen: Observation, until: float, changed: Callable[[Observation], None] = lambda _: None
) -> Observation:
    """Look again whenever the log has a new entry of the ceremony, until it is settled or time is up."""
    ceremony, start = seen.chain.id, seen.head.checkpoint.size
    if seen.chain.ceremony.state is State.OPEN:
        with desk.connection.follow(start, ceremony=ceremony) as stream:
            left = min(max(0.0, until - time.monotonic()), threading.TIMEOUT_MAX)
            timer = threading.Timer(left, stream.close)
            timer.daemon = True
            timer.start()
            for event in stream:
                if isinstance(event, LoggedEntry):
                    seen = desk.look(ceremony)
                    changed(seen)
                if seen.chain.ceremony.state is not State.OPEN:
                    break
            timer.cancel()
    while not is_settled(seen) and time.monotonic() < until:
        time.sleep(min(_PUBLISHING_POLL, max(0.0, until - time.monotonic())))
        seen = desk.look(ceremony)
    return seen


def is_settled(seen: Observation) -> bool:
    """Whether nothing more is to be waited for."""
    if seen.chain.ceremony.state not in RELEASED:
        return seen.chain.ceremony.state is not State.OPEN
    return all(publication.state in ("published", FAILED) for publication in seen.publications)


def outcome_of_seen(seen: Observation) -> Outcome:
    """Return the exit code: what was released counts only once its bundle is published."""
    if seen.chain.ceremony.state in RELEASED and not all_published(seen.publications):
        return Outcome.PENDING
    return standing.outcome_of_state(seen.chain.ceremony.state)


def duration(text: str) -> timedelta:
    """Read a duration that somebody typed."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
