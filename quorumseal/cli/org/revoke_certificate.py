# SPDX-License-Identifier: Apache-2.0
"""Let nobody in any more by somebody's client certificates; what they have open ends within a second or two.

This is about connections only: their keys and what they signed stand. For a key that may be in other hands
there is `quorumseal key revoke`.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_name, add_settings, own_coordinator
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org revoke-certificate`` takes."""
    add_name(parser, "whose certificates")
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """Revoke."""
    with own_coordinator(arguments) as (_, door):
        serials = door.inviting().revoke_certificates(arguments.name)
    if arguments.json:
        print_json({"signer": arguments.name, "revoked": serials})
        return 0
    drawn = screen()
    many = "certificates of" if len(serials) > 1 else "certificate of"
    drawn.answer(Mark.DONE, f"{len(serials)} {many} {arguments.name} revoked")
    drawn.facts([("  serial number", serial) for serial in serials])
    drawn.next(
        "Only a new invitation lets them in again",
        ["quorumseal", "org", "invite", arguments.name, "--settings", str(arguments.settings)],
    )
    return 0
