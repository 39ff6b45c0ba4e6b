# SPDX-License-Identifier: Apache-2.0
"""Ask those again whose decision a ceremony waits for.

The coordinator tells them as it told them of the request, once an hour at most.  Nothing of it is in the log.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import add_ceremony, command, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Mark, instant_text


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``nudge`` takes."""
    add_ceremony(parser)


def run(arguments: Namespace) -> int:
    """Ask for it."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        nudged = desk.connection.nudge(seen.chain.id)
    if arguments.json:
        print_json({"ceremony": seen.chain.id, "told": list(nudged.told), "next_at": exact(nudged.next_at)})
        return 0
    drawn = screen()
    what = release_name(seen.chain.ceremony)
    drawn.answer(Mark.DONE, f"asked again to review {what}: {', '.join(nudged.told)}")
    drawn.line(f"This ceremony may be nudged again from {instant_text(nudged.next_at)} on.")
    drawn.next("What is missing", command(arguments, "why", arguments.ceremony))
    return 0
