# SPDX-License-Identifier: Apache-2.0
"""The certificate authority of an organisation made with --local: in a folder apart, under a passphrase.

No settings name it, so that no coordinator can open it.  Whoever issues by it gives the passphrase.
"""

import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass
from pathlib import Path

from coordinator.certificates import Authority
from coordinator.enrolment_errors import NoAuthorityError
from coordinator.letting_in import open_authority, read_authority
from coordinator.settings import Settings

FOLDER, CERTIFICATE, KEY = "authority", "ca.pem", "ca.key.pem"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe where the authority is, for settings that name none."""
    parser.add_argument(
        "--authority",
        type=Path,
        metavar="DIR",
        help=f"the folder of {CERTIFICATE} and {KEY}, where the settings name no [authority] "
        f"(default: {FOLDER}/ beside the coordinator's folder, where org init --local makes it)",
    )
    passphrase = parser.add_mutually_exclusive_group()
    passphrase.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help=f"read the passphrase of that {KEY} here"
    )
    passphrase.add_argument(
        "--passphrase-fd", type=int, metavar="N", help="read it from this file descriptor"
    )


def authority_of(arguments: Namespace, settings: Settings) -> Authority:
    """Open the authority of the settings; in its folder, where one is given or the settings name none."""
    if arguments.authority is None and settings.enrolment.authority is not None:
        return read_authority(settings.enrolment.authority, settings.organisation)
    folder = arguments.authority or arguments.settings.absolute().parents[1] / FOLDER
    certificate, key = folder / CERTIFICATE, folder / KEY
    for file in (certificate, key):
        if not file.is_file():
            raise NoAuthorityError(
                f"expected [authority] in the settings, or {file}, got neither",
                hint=f"name the folder that has {CERTIFICATE} and {KEY} with --authority DIR",
            )
    passphrase = _passphrase(arguments, key)
    return open_authority(certificate, key, passphrase, settings.organisation, where="--authority")


def _passphrase(arguments: Namespace, key: Path) -> bytes:
    from signer_agent.errors import PassphraseError
    from signer_agent.key_sources import Passphrases

    if arguments.passphrase_fd is None and arguments.passphrase_file is None and not sys.stdin.isatty():
        raise PassphraseError(
            f"expected the passphrase of {key}, got no terminal to ask for it",
            hint="add --passphrase-file FILE: it is the one that `quorumseal org init` was given",
        )
    source = Passphrases(descriptor=arguments.passphrase_fd, file=arguments.passphrase_file, prompt=getpass)
    return source.ask(str(key))
