# SPDX-License-Identifier: Apache-2.0
"""Join an organisation by an invitation: make your keys here, prove that you have them, and get a home.

First the server's certificate is compared with the fingerprint of the invitation; nothing is made or sent
before that. Your keys are made here, or yours is a key that you have, and never leave this machine. The home
appears whole or not at all; where an answer was lost, run the same command again.

The invitation's code is asked for, or read from a file: it is a secret until it is used.
"""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.client.errors import ClientError
from quorumseal.client.values import Invitation
from quorumseal.signatures import Scheme, generate_key, write_key_file
from quorumseal.terminal import Foreign, Mark
from signer_agent.cli.invited import add_invitation, invitation_facts, invited
from signer_agent.cli.new_keys import chosen_key, new_passphrases
from signer_agent.cli.opening import command, now, print_json, screen
from signer_agent.cli.verdict import Person, somebody
from signer_agent.enrolling import (
    Prepared,
    SigningKey,
    discard,
    may_have_arrived,
    prepare,
    prepared_before,
    require_free,
    settle,
)
from signer_agent.home import find_home


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``agent enroll`` takes."""
    add_invitation(parser)
    parser.add_argument("--home", metavar="DIR", help="where your home is to be (default: as for every verb)")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", type=Path, metavar="FILE", help="a key that you have; it stays where it is")
    key.add_argument(
        "--scheme",
        type=Scheme,
        choices=list(Scheme),
        default=Scheme.ED25519,
        help=f"what kind of key to make (default: {Scheme.ED25519})",
    )
    passphrase = parser.add_mutually_exclusive_group()
    passphrase.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="read the key's passphrase here, now and later: agent.toml names the file; for machines",
    )
    passphrase.add_argument("--passphrase-fd", type=int, metavar="N", help="read it from this descriptor")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")


def run(arguments: Namespace) -> int:
    """Join."""
    home = find_home(arguments.home, os.environ)
    require_free(home)
    with invited(arguments) as (connection, code):
        prepared = prepared_before(home, code)
        fresh = prepared is None
        if prepared is None:
            prepared = _prepare(arguments, home, code, connection.invitation(code))
        else:
            screen().talk("going on with the keys that an earlier run made for this invitation")
        try:
            enrolled = connection.enroll(code, prepared.envelope, prepared.request)
        except ClientError as error:
            if fresh and not may_have_arrived(error):
                discard(prepared)
            raise
    settle(home, prepared, enrolled, passphrase_file=arguments.passphrase_file)
    _report(arguments, home, prepared)
    return 0


def _prepare(arguments: Namespace, home: Path, code: str, invitation: Invitation) -> Prepared:
    if not arguments.json:
        _draw_invitation(arguments, home, invitation)
    Person(ask=somebody(), yes=arguments.yes).confirm(
        f"{invitation.signer}: join {invitation.organisation}.", to="join"
    )
    signing = chosen_key(arguments.key, arguments.passphrase_fd, arguments.passphrase_file)
    if signing is None:
        passphrase = new_passphrases(arguments.passphrase_fd, arguments.passphrase_file).ask("your new key")
        key = generate_key(arguments.scheme, os.urandom)
        signing = SigningKey(key=key, made=write_key_file(key, passphrase))
    return prepare(home, code, invitation, signing, at=now(), randomness=os.urandom)


def _draw_invitation(arguments: Namespace, home: Path, invitation: Invitation) -> None:
    drawn = screen()
    drawn.answer(
        Mark.WAITING,
        Foreign(invitation.signer),
        "is invited to join",
        Foreign(invitation.organisation),
        *(["as one of its founders"] if invitation.founder else []),
    )
    drawn.facts(
        [
            *invitation_facts(arguments, invitation),
            ("  key", f"{arguments.key}, yours" if arguments.key else f"a new one, {arguments.scheme}"),
            ("  home", str(home)),
        ]
    )
    drawn.line()


def _report(arguments: Namespace, home: Path, prepared: Prepared) -> None:
    enrolment = prepared.enrolment
    if arguments.json:
        print_json(
            {
                "organisation": enrolment.organisation,
                "signer": enrolment.signer,
                "home": str(home),
                "key": enrolment.key.key_id,
                "witness": enrolment.witness.key_id,
            }
        )
        return
    drawn = screen()
    drawn.answer(Mark.DONE, f"{enrolment.signer} has joined {enrolment.organisation}: your home is {home}")
    drawn.facts(
        [
            ("  key", f"{enrolment.key.scheme} {enrolment.key.key_id}"),
            ("  witness key", enrolment.witness.key_id),
            ("  certificate", "renews itself whenever you connect in time"),
        ]
    )
    drawn.next(
        "When everybody has joined, see the first policy, and sign it if you are a founder",
        command(arguments, "org", "genesis"),
    )
