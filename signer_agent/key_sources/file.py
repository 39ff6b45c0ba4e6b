# SPDX-License-Identifier: Apache-2.0
"""A signing key in a file of its own: encrypted PKCS#8, readable by its owner alone."""

from pathlib import Path

from quorumseal.signatures import PassphraseNeededError, PrivateKey, WrongPassphraseError
from quorumseal.signatures.key_files import read_key_file
from signer_agent.key_sources.passphrases import Passphrases, read_private

_MAX_KEY_FILE_BYTES = 64 << 10
_TRIES = 3


def open_key_file(file: Path, passphrases: Passphrases) -> PrivateKey:
    """Return the key in ``file``; whoever mistypes its passphrase at a prompt may try again."""
    return open_with_passphrase(file, passphrases)[0]


def open_witness_key(file: Path) -> PrivateKey:
    """Return a witness key, which never approves and has no passphrase: nobody is there to be asked."""
    return read_key_file(read_private(file, most=_MAX_KEY_FILE_BYTES), None)


def open_with_passphrase(file: Path, passphrases: Passphrases) -> tuple[PrivateKey, bytes | None]:
    """Return the key in ``file`` and what opened it, for another key that is to lie beside it."""
    pem = read_private(file, most=_MAX_KEY_FILE_BYTES)
    try:
        return read_key_file(pem, None), None
    except PassphraseNeededError:
        pass
    asked = passphrases.descriptor is None and passphrases.file is None
    for _ in range(_TRIES - 1 if asked else 0):
        try:
            passphrase = passphrases.ask(file.name)
            return read_key_file(pem, passphrase), passphrase
        except WrongPassphraseError:
            passphrases.complain(f"that does not open {file.name}; try again")
    passphrase = passphrases.ask(file.name)
    return read_key_file(pem, passphrase), passphrase
