# SPDX-License-Identifier: Apache-2.0
"""Show the policy in force, or another version, verified from the home's trust file."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from quorumseal.cli.desk import add_home, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.screen import draw_policy, policy_json
from quorumseal.cli.policy.versions import versions_of
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Take the version."""
    parser.add_argument(
        "version",
        nargs="?",
        type=int,
        metavar="VERSION",
        help="which one (default: the one in force)",
    )
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show it."""
    with open_desk(arguments) as desk:
        versions = versions_of(desk)
    policy = versions.numbered(arguments.version or versions.newest.policy.version)
    if arguments.json:
        print_json({"digest": policy.digest, "signers": policy.signers, "policy": policy_json(policy.policy)})
        return 0
    drawn, version = screen(), policy.policy.version
    if policy.digest == versions.newest.digest:
        drawn.answer(Mark.DONE, f"{policy.policy.organisation} is under policy version {version}")
    else:
        drawn.answer(Mark.WAITING, f"policy version {version}, which holds no more")
    drawn.facts([("  digest", policy.digest), ("  signed by", ", ".join(policy.signers))])
    draw_policy(drawn, policy.policy, at=datetime.now(UTC))
    return 0
