# SPDX-License-Identifier: Apache-2.0
"""Ask the full quorum of the rule to make permanent what an emergency released.

The artifacts, where to fetch them and the evidence are those of the emergency.  Whoever asked for it does not
decide on it.  Without a ratification in time the emergency lapses by itself.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.cli.following_up import add_following, follow_up
from quorumseal.cli.kinds import was_used
from signer_agent.succeeding import write_ratification


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``ratify`` takes."""
    add_following(parser)


def run(arguments: Namespace) -> int:
    """Ask."""
    return follow_up(
        arguments, was_used, lambda desk, about, asked: write_ratification(desk.agent, about, asked)
    )
