# SPDX-License-Identifier: Apache-2.0
"""What verbs share that use an invitation: where it leads, its code, the one certificate that is believed."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quorumseal.ceremony.enrolment import read_code
from quorumseal.ceremony.values import digest
from quorumseal.client.enrolment import EnrolmentConnection, fetch_certificate, fingerprint
from quorumseal.client.values import Invitation
from quorumseal.refusal import Refusal
from quorumseal.terminal import Cell, instant_text
from quorumseal.terminal.words import four_words
from signer_agent.cli.new_keys import terminal
from signer_agent.enrolling import require_fingerprint
from signer_agent.errors import UsageError
from signer_agent.key_sources import Passphrases


def add_invitation(parser: ArgumentParser) -> None:
    """Let a verb be told which invitation to use; its code is never an argument."""
    parser.add_argument("coordinator", metavar="HOST:PORT", help="where the invitation says")
    parser.add_argument(
        "--fingerprint",
        type=_fingerprint,
        required=True,
        metavar="SHA256",
        help="the coordinator's, in the invitation",
    )
    code = parser.add_mutually_exclusive_group()
    code.add_argument("--code-file", type=Path, metavar="FILE", help="read the invitation's code here")
    code.add_argument("--code-fd", type=int, metavar="N", help="read it from this file descriptor")


@contextmanager
def invited(arguments: Namespace) -> Iterator[tuple[EnrolmentConnection, str]]:
    """Compare the fingerprint, then ask for the code; whoever answers sees nothing before."""
    certificate = fetch_certificate(arguments.coordinator)
    require_fingerprint(fingerprint(certificate), arguments.fingerprint)
    code = read_code(_code(arguments))
    with EnrolmentConnection(arguments.coordinator, certificate) as connection:
        yield connection, code


def invitation_facts(arguments: Namespace, invitation: Invitation) -> list[tuple[str, Cell]]:
    """Return what whoever is invited compares."""
    return [
        ("  coordinator", arguments.coordinator),
        ("  fingerprint", arguments.fingerprint),
        ("  four words", f"{four_words(arguments.fingerprint)} (compare them aloud)"),
        ("  expires", instant_text(invitation.expires)),
    ]


def _fingerprint(text: str) -> str:
    try:
        return digest(text.strip().lower())
    except Refusal as refusal:
        raise ArgumentTypeError(str(refusal)) from None


def _code(arguments: Namespace) -> str:
    ask = terminal()
    if arguments.code_fd is None and arguments.code_file is None and ask is None:
        raise UsageError(
            "expected somebody at a terminal to type the invitation's code, found nobody",
            hint="for scripts: --code-file FILE, which only you can read, or --code-fd N",
        )
    prompt = None if ask is None else (lambda _: ask("The invitation's code: "))
    source = Passphrases(descriptor=arguments.code_fd, file=arguments.code_file, prompt=prompt)
    return source.ask("the invitation").decode(errors="replace")
