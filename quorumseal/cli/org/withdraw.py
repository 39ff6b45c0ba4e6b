# SPDX-License-Identifier: Apache-2.0
"""Take back the invitations of somebody that nobody has used."""

from argparse import ArgumentParser, Namespace

from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_name, add_settings, own_coordinator
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org withdraw`` takes."""
    add_name(parser, "whose invitations")
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """Withdraw."""
    with own_coordinator(arguments) as (_, door):
        count = door.inviting().withdraw(arguments.name)
    if arguments.json:
        print_json({"signer": arguments.name, "withdrawn": count})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{count} invitation{'s' if count > 1 else ''} of {arguments.name} withdrawn")
    drawn.next(
        "Invite them again, if they are to join after all",
        ["quorumseal", "org", "invite", arguments.name, "--settings", str(arguments.settings)],
    )
    return 0
