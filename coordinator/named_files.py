# SPDX-License-Identifier: Apache-2.0
"""Read the files that the settings name."""

from pathlib import Path

from coordinator.settings import SettingsError

LONGEST_CLIENT_SECRET = 1000


def read_named(path: Path) -> bytes:
    """Return what is in a file; say who must be able to read it where nobody can."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"expected to read {path}, got {error.strerror}",
            hint="see who owns it: the coordinator's user must be able to read it",
        ) from None


def read_client_secret(path: Path) -> str:
    """Return what an OpenID provider knows this coordinator by, without the end of its line."""
    try:
        secret = read_named(path).removesuffix(b"\n").removesuffix(b"\r").decode("ascii")
    except UnicodeDecodeError:
        secret = ""
    if not 0 < len(secret) <= LONGEST_CLIENT_SECRET or not secret.isprintable():
        raise SettingsError(
            f"settings.pages.sign_in.client_secret_file ({path}): expected one line of 1 to "
            f"{LONGEST_CLIENT_SECRET} printable ASCII characters, got another content",
            hint="write the secret that the provider gave this client into the file",
        )
    return secret


def read_passphrase(path: Path | None) -> bytes | None:
    """Return the passphrase in a file, without the end of its line; none where a key has none."""
    return None if path is None else read_named(path).removesuffix(b"\n").removesuffix(b"\r")
