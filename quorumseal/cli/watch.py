# SPDX-License-Identifier: Apache-2.0
"""Watch a ceremony as it happens: a lane for each role, who is awaited, how much time is left.

On a terminal it is a live screen, elsewhere one line for each thing that happens.  It ends when the ceremony
has ended and its bundle is published, with the exit code that `wait` has.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import timedelta

from quorumseal.ceremony.lifecycle import State
from quorumseal.cli import standing
from quorumseal.cli.desk import Desk, add_ceremony, now, open_desk
from quorumseal.cli.happenings import happenings
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.prospects import look_ahead
from quorumseal.cli.publications import draw_publications, publications_json
from quorumseal.cli.show import next_command
from quorumseal.cli.wait import duration, outcome_of_seen, wait_for
from signer_agent.observing import Observation

_FOREVER = timedelta(days=365)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``watch`` takes."""
    add_ceremony(parser)
    parser.add_argument(
        "--timeout",
        type=duration,
        default=_FOREVER,
        metavar="TIME",
        help="stop watching after this, such as 2h",
    )


def run(arguments: Namespace) -> int:
    """Watch until it is settled."""
    until = time.monotonic() + arguments.timeout.total_seconds()
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        live = sys.stdout.isatty() and not arguments.json
        seen = (_watch_live if live else _watch_plainly)(desk, seen, until)
    outcome, ceremony = outcome_of_seen(seen), seen.chain.ceremony
    if arguments.json:
        quorum = standing.standing_json(ceremony, now())
        print_json(
            {"ceremony": seen.chain.id, **quorum, "publications": publications_json(seen.publications)}
        )
        return outcome
    drawn = screen()
    drawn.answer(*standing.headline(ceremony, now()))
    standing.draw_lanes(drawn, ceremony, now())
    draw_publications(drawn, seen.publications)
    drawn.next(*next_command(ceremony, arguments.ceremony, arguments))
    return outcome


def _watch_plainly(desk: Desk, seen: Observation, until: float) -> Observation:
    """Say each thing that happens on standard error, as a line that stays."""
    talk = screen().talk
    talk(standing.headline(seen.chain.ceremony, now())[1])
    before = seen

    def changed(after: Observation) -> None:
        nonlocal before
        for happened in happenings(before, after):
            talk(happened)
        if after.chain.ceremony.state is State.OPEN:
            talk(standing.headline(after.chain.ceremony, now())[1])
        before = after

    return wait_for(desk, seen, until, changed)


def _watch_live(desk: Desk, seen: Observation, until: float) -> Observation:
    from quorumseal.cli.live_screen import LiveScreen

    def changed(after: Observation) -> None:
        live.show(after, look_ahead(desk, after.chain.ceremony))

    with LiveScreen(seen, screen().look, look_ahead(desk, seen.chain.ceremony)) as live:
        return wait_for(desk, seen, until, changed)
