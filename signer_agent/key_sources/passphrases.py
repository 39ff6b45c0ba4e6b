# SPDX-License-Identifier: Apache-2.0
"""Where a passphrase comes from: a file descriptor, a credentials file, or whoever sits at the terminal."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from signer_agent.errors import ExposedFileError, PassphraseError

LONGEST_PASSPHRASE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Passphrases:
    """The ways to ask for a passphrase, the first that is there counts."""

    descriptor: int | None = None
    file: Path | None = None
    prompt: Callable[[str], str] | None = None
    """Asks on a terminal without showing the answer; None where there is no terminal."""
    complain: Callable[[str], None] = lambda _: None
    """Says on that terminal that an answer was wrong, before it is asked for again."""

    def ask(self, what: str) -> bytes:
        """Return the passphrase of ``what``."""
        if self.descriptor is not None:
            return _from_descriptor(self.descriptor)
        if self.file is not None:
            return _first_line(read_private(self.file), str(self.file))
        if self.prompt is not None:
            return _first_line(self.prompt(f"Passphrase of {what}: ").encode(), "the prompt")
        raise PassphraseError(
            f"expected a way to ask for the passphrase of {what}, got no terminal",
            hint="use --passphrase-fd N, or passphrase_file in agent.toml",
        )


def read_private(file: Path, *, most: int = LONGEST_PASSPHRASE) -> bytes:
    """Return the bytes of a file that only its owner can read, who is us; refuse any other."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as reason:
        raise PassphraseError(
            f"expected a file with a secret at {file}, got: {reason.strerror}",
            hint="compare the path with agent.toml or the command; only its owner may be able to read it",
        ) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise PassphraseError(f"expected {file} to be a plain file, found something else")
        if found.st_mode & 0o077 or found.st_uid not in (os.geteuid(), 0):
            raise ExposedFileError(
                f"expected {file} to be readable by its owner alone (0600), "
                f"got mode {stat.S_IMODE(found.st_mode):04o} of user {found.st_uid}",
                hint=f"run: chmod 600 {file}, and think about who may have read it",
            )
        return os.read(handle, most + 1)
    finally:
        os.close(handle)


def _from_descriptor(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return _first_line(stream.read(LONGEST_PASSPHRASE + 1), f"descriptor {descriptor}")
    except OSError as reason:
        raise PassphraseError(
            f"expected to read a passphrase from descriptor {descriptor}: {reason.strerror}",
            hint="open it for this process, for example: --passphrase-fd 3 3<FILE",
        ) from None


def _first_line(data: bytes, source: str) -> bytes:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    if not line or len(line) > LONGEST_PASSPHRASE:
        raise PassphraseError(f"expected a passphrase of 1 to {LONGEST_PASSPHRASE} bytes from {source}")
    return line
