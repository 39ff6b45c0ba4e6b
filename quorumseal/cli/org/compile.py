# SPDX-License-Identifier: Apache-2.0
"""Compile policy.toml and the keys that people enrolled to the first policy, for its founders to sign.

The coordinator does this by itself when everybody has enrolled. Run it after you have changed policy.toml.
Once a founder has signed, that is refused: --again keeps their signatures on record, where they count for
nothing, and asks every founder again.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.policy_document import read_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_settings, own_coordinator
from quorumseal.terminal import Mark
from quorumseal.terminal.words import four_words


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org compile`` takes."""
    parser.add_argument(
        "--again", action="store_true", help="also where somebody has signed; they all sign again"
    )
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """Compile."""
    with own_coordinator(arguments, with_log_keys=True) as (_, door):
        payload = door.founders().compile(again=arguments.again)
        record = door.founders().look()
    policy, digest = read_policy(payload), digest_of(payload)
    if arguments.json:
        print_json({"organisation": policy.organisation, "policy": digest, "missing": list(record.missing)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"the first policy of {policy.organisation} is made, for its founders to sign")
    drawn.facts(
        [
            ("  digest", digest),
            ("  four words", f"{four_words(digest)} (founders compare them aloud)"),
            ("  to sign", ", ".join(record.missing)),
        ]
    )
    drawn.next("Each founder, on their own machine", ["quorumseal", "org", "genesis"])
    return 0
