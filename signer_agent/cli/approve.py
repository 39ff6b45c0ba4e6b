# SPDX-License-Identifier: Apache-2.0
"""Approve a release: exactly the bytes that are shown, hashed on this machine.

An approval that was signed and never acknowledged is sent again; nothing is signed twice.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Choice
from signer_agent.cli.verdict import add_verdict_arguments, run_verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``approve`` takes."""
    add_verdict_arguments(parser, reason=False)
    parser.add_argument(
        "--checked",
        action="append",
        default=[],
        metavar="CHECK",
        help="state that you did this check and it passed; may be repeated",
    )
    parser.add_argument(
        "--unchecked-artifacts",
        action="store_true",
        help="approve although not every artifact was found here; the approval says so",
    )
    parser.add_argument(
        "--valid-for", metavar="DURATION", help="let the approval stand only so long (90m, 72h, 3d)"
    )


def run(arguments: Namespace) -> int:
    """Approve."""
    return run_verdict(arguments, Choice.APPROVAL)
