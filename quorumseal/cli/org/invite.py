# SPDX-License-Identifier: Apache-2.0
"""Invite somebody to join from their own machine, once, by a code that is shown here and kept nowhere.

Run it where the coordinator runs. Give the command to whoever is invited, the code by another way, and read
the four words to them: the command compares the whole fingerprint before it makes a key or sends the code.

While the organisation is founded, people are named in policy.toml; --founder are those who sign it. Later on
anybody may be invited, and a policy change takes them in.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import timedelta

from coordinator.inviting import Invited
from coordinator.letting_in import own_fingerprint, port_of
from coordinator.settings import Settings
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.own_coordinator import add_name, add_settings, own_coordinator
from quorumseal.terminal import Mark, instant_text, parse_duration
from quorumseal.terminal.words import four_words

LONGEST = timedelta(days=30)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org invite`` takes."""
    add_name(parser, "who is invited; nobody else can use the invitation")
    parser.add_argument("--founder", action="store_true", help="they are to sign the first policy")
    parser.add_argument(
        "--expires",
        type=_lasting,
        default="3d",
        metavar="TIME",
        help="for how long (default: 3d; 30d at most)",
    )
    add_settings(parser)


def run(arguments: Namespace) -> int:
    """Invite."""
    with own_coordinator(arguments) as (settings, door):
        port = port_of(settings)
        shown = own_fingerprint(port)
        invited = door.inviting().invite(arguments.name, founder=arguments.founder, lasts=arguments.expires)
    command = ["quorumseal", "agent", "enroll", port.address, "--fingerprint", shown]
    if arguments.json:
        print_json(
            {
                "organisation": settings.organisation,
                "signer": invited.signer,
                "founder": invited.founder,
                "code": invited.code,
                "expires": exact(invited.expires),
                "coordinator": port.address,
                "fingerprint": shown,
                "words": four_words(shown),
                "command": command,
            }
        )
        return 0
    _draw(settings, invited, shown, command)
    return 0


def _draw(settings: Settings, invited: Invited, shown: str, command: list[str]) -> None:
    drawn = screen()
    role = " as one of its founders" if invited.founder else ""
    drawn.answer(Mark.DONE, f"{invited.signer} is invited to {settings.organisation}{role}")
    drawn.facts(
        [
            ("  code", f"{invited.code} (a secret; it can be used once)"),
            ("  four words", f"{four_words(shown)} (read them aloud: {invited.signer} sees the same)"),
            ("  fingerprint", shown),
            ("  expires", instant_text(invited.expires)),
        ]
    )
    drawn.next(f"Then {invited.signer}, on a machine of their own, who is asked for the code", command)


def _lasting(text: str) -> timedelta:
    try:
        lasts = parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if not timedelta() < lasts <= LONGEST:
        raise ArgumentTypeError(f"expected more than nothing and at most 30d, got {text}")
    return lasts
