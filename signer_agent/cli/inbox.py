# SPDX-License-Identifier: Apache-2.0
"""Show what waits for you, each ceremony verified on this machine."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from quorumseal.ceremony.values import instant_text as exact
from quorumseal.terminal import Screen
from signer_agent.cli.opening import add_home, command, now, opened, print_json, screen
from signer_agent.documents import inbox_json
from signer_agent.inbox import Inbox, open_inbox
from signer_agent.inbox_screen import draw_endings, draw_inbox, draw_reminder, handle_of
from signer_agent.reminders import next_reminders
from signer_agent.review import Standing


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``inbox`` takes."""
    parser.add_argument("--all", action="store_true", help="show what needs nothing from you, too")
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show the inbox."""
    with opened(arguments) as (agent, _):
        inbox = open_inbox(agent)
        reminders = next_reminders(agent, inbox.waiting)
    if arguments.json:
        ahead = {ceremony: exact(at) for ceremony, at in reminders.items()}
        print_json({**inbox_json(inbox), "reminders": ahead})
    else:
        draw(screen(), inbox, reminders, arguments)
    return 0


def draw(shown: Screen, inbox: Inbox, reminders: Mapping[str, datetime], arguments: Namespace) -> None:
    """Draw the inbox, when the next reminder comes, and what to do next."""
    draw_inbox(shown, inbox, everything=arguments.all)
    draw_reminder(shown, inbox, reminders)
    draw_endings(shown, inbox, at=now())
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
