# SPDX-License-Identifier: Apache-2.0
"""Reject a release, and say why; where the rule gives you the veto, that ends the ceremony."""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Choice
from signer_agent.cli.verdict import add_verdict_arguments, run_verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``reject`` takes."""
    add_verdict_arguments(parser, reason=True)


def run(arguments: Namespace) -> int:
    """Reject."""
    return run_verdict(arguments, Choice.REJECTION)
