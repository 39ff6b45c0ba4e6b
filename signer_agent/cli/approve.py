# SPDX-License-Identifier: Apache-2.0
"""Approve a release: exactly the bytes that are shown, hashed on this machine.

An approval that was signed and never acknowledged is sent again; nothing is signed twice.  With --grid all
re-approvals that wait for you are shown in one table and approved together, each by a signature of its own.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Choice
from signer_agent.cli.grid import add_grid, add_list, run_approve
from signer_agent.cli.verdict import add_approval_arguments, add_verdict_arguments, run_verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``approve`` takes."""
    add_verdict_arguments(parser, reason=False)
    add_approval_arguments(parser)
    add_grid(parser)
    add_list(parser)


def run(arguments: Namespace) -> int:
    """Approve."""
    if arguments.grid:
        return run_approve(arguments)
    return run_verdict(arguments, Choice.APPROVAL)
