# SPDX-License-Identifier: Apache-2.0
"""Where a new key's passphrase comes from, and how a key is picked that somebody has."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from signer_agent.cli.opening import screen
from signer_agent.enrolling import SigningKey
from signer_agent.errors import PassphraseError
from signer_agent.key_sources import Passphrases, open_key_file


def terminal() -> Callable[[str], str] | None:
    """Return how to ask for a secret; none where nobody sits at a terminal."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return (lambda question: getpass.getpass(question, sys.stderr)) if on_terminal else None


def new_passphrases(descriptor: int | None, file: Path | None) -> Passphrases:
    """Return where the passphrase of a new key comes from; whoever types it types it twice."""
    ask = terminal()

    def twice(question: str) -> str:
        assert ask is not None  # noqa: S101 - it is called only where there is a terminal
        first = ask(question)
        if ask("Once more: ") != first:
            raise PassphraseError("expected the same passphrase twice, got two", hint="start again")
        return first

    return Passphrases(descriptor=descriptor, file=file, prompt=None if ask is None else twice)


def chosen_key(
    key_file: Path | None, descriptor: int | None, passphrase_file: Path | None
) -> SigningKey | None:
    """Open the key that somebody has; none where they want a new one."""
    if key_file is None:
        return None
    key_file = key_file.absolute()
    passphrases = Passphrases(
        descriptor=descriptor, file=passphrase_file, prompt=terminal(), complain=screen().warn
    )
    return SigningKey(key=open_key_file(key_file, passphrases), file=key_file)
