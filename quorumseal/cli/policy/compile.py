# SPDX-License-Identifier: Apache-2.0
"""Write the exact bytes of a policy that are to be signed."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.files import write_new
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.files import read_source
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Take the source, and where the bytes go."""
    parser.add_argument("source", type=Path, metavar="POLICY.TOML", help="the policy as people write it")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the bytes go")


def run(arguments: Namespace) -> int:
    """Write them."""
    policy = read_source(arguments.source)
    payload = write_policy(policy)
    write_new(arguments.out, payload)
    if arguments.json:
        print_json({"digest": digest_of(payload), "file": str(arguments.out)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote {policy.organisation} version {policy.version} to {arguments.out}")
    drawn.facts([("  digest", digest_of(payload)), ("  signed", "no; these are the bytes to sign")])
    return 0
