# SPDX-License-Identifier: Apache-2.0
"""Withdraw an open ceremony.  It ends for good; the same release needs a new request."""

import sys
from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Cancellation
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import add_ceremony, command, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Mark
from signer_agent.cli.opening import add_passphrase, open_key
from signer_agent.cli.verdict import Person
from signer_agent.deciding import look
from signer_agent.requesting import cancel, write_cancellation
from signer_agent.signing import settle


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``cancel`` takes."""
    add_ceremony(parser)
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="why; signers and auditors see it, bundles do not"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)


def run(arguments: Namespace) -> int:
    """Withdraw it."""
    with open_desk(arguments) as desk:
        found = desk.look(arguments.ceremony)
        review = look(desk.agent, found.chain.id, policy=found.policy)
        what = release_name(review.ceremony)
        stored = None
        if review.pending is not None:
            stored = settle(desk.agent, review.pending, review.observation)
            review = look(desk.agent, found.chain.id, policy=found.policy)
        if stored is None or not isinstance(stored.statement, Cancellation):
            draft = write_cancellation(desk.agent, review, arguments.reason)
            ask = input if sys.stdin.isatty() and sys.stderr.isatty() else None
            question = f"{desk.agent.name}: end the ceremony of {what} for good."
            Person(ask=ask, yes=arguments.yes).confirm(question)
            key = open_key(desk.settings, arguments.passphrase_fd)
            stored = cancel(desk.agent, draft, key, review.observation.policy)
    if arguments.json:
        print_json({"ceremony": stored.ceremony, "statement": stored.digest, "state": stored.state})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{what} is {stored.state}: it is in the log, and the receipt is verified")
    drawn.next("What it looks like now", command(arguments, "show", arguments.ceremony))
    return 0
