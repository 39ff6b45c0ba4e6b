# SPDX-License-Identifier: Apache-2.0
"""Say what a policy.toml means, or why it cannot be a policy."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.files import read_source
from quorumseal.cli.policy.screen import draw_policy, policy_json
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Take the source."""
    parser.add_argument("source", type=Path, metavar="POLICY.TOML", help="the policy as people write it")


def run(arguments: Namespace) -> int:
    """Say it."""
    policy = read_source(arguments.source)
    digest = digest_of(write_policy(policy))
    if arguments.json:
        print_json({"digest": digest, "policy": policy_json(policy)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.source} is a policy: {policy.organisation} version {policy.version}")
    drawn.facts([("  digest", digest)])
    draw_policy(drawn, policy, at=datetime.now(UTC))
    compiled = f"policy-{policy.version}.json"
    drawn.next(
        "Write the bytes to be signed",
        ["quorumseal", "policy", "compile", str(arguments.source), "--out", compiled],
    )
    return 0
