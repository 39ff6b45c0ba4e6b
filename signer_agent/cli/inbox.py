# SPDX-License-Identifier: Apache-2.0
"""Show what waits for you, each ceremony verified on this machine."""

from argparse import ArgumentParser, Namespace

from quorumseal.terminal import Screen
from signer_agent.cli.opening import add_home, command, opened, print_json, screen
from signer_agent.documents import inbox_json
from signer_agent.inbox import Inbox, open_inbox
from signer_agent.inbox_screen import draw_inbox, handle_of
from signer_agent.review import Standing


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``inbox`` takes."""
    parser.add_argument("--all", action="store_true", help="show what needs nothing from you, too")
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show the inbox."""
    with opened(arguments) as (agent, _):
        inbox = open_inbox(agent)
    if arguments.json:
        print_json(inbox_json(inbox))
    else:
        draw(screen(), inbox, arguments)
    return 0


def draw(shown: Screen, inbox: Inbox, arguments: Namespace) -> None:
    """Draw the inbox, and what to do next."""
    draw_inbox(shown, inbox, everything=arguments.all)
    if not inbox.waiting and inbox.emergencies:
        shown.next("Look at it", command(arguments, "review", handle_of(inbox.emergencies[0])))
        return
    if not inbox.waiting:
        shown.next("To be told when something comes", command(arguments, "agent", "run"))
        return
    first = inbox.waiting[0]
    named = handle_of(first)
    if first.standing is Standing.UNSENT:
        shown.next("Send what you signed again", command(arguments, "approve", named))
    else:
        shown.next("Look at the first", command(arguments, "review", named))
