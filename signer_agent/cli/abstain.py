# SPDX-License-Identifier: Apache-2.0
"""Abstain: say that you have looked and do not decide; it never counts."""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Choice
from signer_agent.cli.verdict import add_verdict_arguments, run_verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``abstain`` takes."""
    add_verdict_arguments(parser, reason=False)


def run(arguments: Namespace) -> int:
    """Abstain."""
    return run_verdict(arguments, Choice.ABSTENTION)
