# SPDX-License-Identifier: Apache-2.0
"""Read the files that the settings name."""

from pathlib import Path

from coordinator.settings import SettingsError


def read_named(path: Path) -> bytes:
    """Return what is in a file; say who must be able to read it where nobody can."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"expected to read {path}, got {error.strerror}",
            hint="see who owns it: the coordinator's user must be able to read it",
        ) from None


def read_passphrase(path: Path | None) -> bytes | None:
    """Return the passphrase in a file, without the end of its line; none where a key has none."""
    return None if path is None else read_named(path).removesuffix(b"\n").removesuffix(b"\r")
