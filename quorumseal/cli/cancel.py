# SPDX-License-Identifier: Apache-2.0
"""Withdraw an open ceremony.  It ends for good; the same release needs a new request."""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Cancellation
from quorumseal.cli.acting import act, add_act
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import command, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Mark
from signer_agent.requesting import write_cancellation


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``cancel`` takes."""
    add_act(parser)
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="why; signers and auditors see it, bundles do not"
    )


def run(arguments: Namespace) -> int:
    """Withdraw it."""
    with open_desk(arguments) as desk:
        acted = act(
            desk,
            arguments,
            Cancellation,
            write=lambda review: write_cancellation(desk.agent, review, arguments.reason),
            ask=lambda review, _: f"end the ceremony of {release_name(review.ceremony)} for good.",
        )
    stored, what = acted.stored, release_name(acted.review.ceremony)
    if arguments.json:
        print_json({"ceremony": stored.ceremony, "statement": stored.digest, "state": stored.state})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{what} is {stored.state}: it is in the log, and the receipt is verified")
    drawn.next("What it looks like now", command(arguments, "show", arguments.ceremony))
    return 0
