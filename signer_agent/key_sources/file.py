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
    pem = read_private(file, most=_MAX_KEY_FILE_BYTES)
    try:
        return read_key_file(pem, None)
    except PassphraseNeededError:
        pass
    asked = passphrases.descriptor is None and passphrases.file is None
    for _ in range(_TRIES - 1 if asked else 0):
        try:
            return read_key_file(pem, passphrases.ask(file.name))
        except WrongPassphraseError:
            passphrases.complain(f"that does not open {file.name}; try again")
    return read_key_file(pem, passphrases.ask(file.name))
