# SPDX-License-Identifier: Apache-2.0
"""Read the files that the settings name."""

from pathlib import Path

from coordinator.settings import SettingsError

LONGEST_CLIENT_SECRET, LONGEST_AUTHORIZATION = 1000, 8192


def read_named(path: Path) -> bytes:
    """Return what is in a file; say who must be able to read it where nobody can."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"expected to read {path}, got {error.strerror}",
            hint="see who owns it: the coordinator's user must be able to read it",
        ) from None


def read_secret_line(path: Path, *, setting: str, longest: int, hint: str) -> str:
    """Return the one line of printable ASCII in a file, without its end; a refusal repeats none of it."""
    try:
        line = _without_end(read_named(path)).decode("ascii")
    except UnicodeDecodeError:
        line = ""
    if not 0 < len(line) <= longest or not line.isprintable():
        raise SettingsError(
            f"{setting} ({path}): expected one line of 1 to {longest} printable ASCII characters, "
            "got another content",
            hint=hint,
        )
    return line


def read_client_secret(path: Path) -> str:
    """Return what an OpenID provider knows this coordinator by."""
    return read_secret_line(
        path,
        setting="settings.pages.sign_in.client_secret_file",
        longest=LONGEST_CLIENT_SECRET,
        hint="write the secret that the provider gave this client into the file",
    )


def read_authorization(path: Path) -> str:
    """Return what the header of a SIEM's receiver says."""
    return read_secret_line(
        path,
        setting="settings.siem.authorization_file",
        longest=LONGEST_AUTHORIZATION,
        hint="write the whole value of the header into the file: Bearer …, Splunk …",
    )


def read_passphrase(path: Path | None) -> bytes | None:
    """Return the passphrase in a file, without the end of its line; none where a key has none."""
    return None if path is None else _without_end(read_named(path))


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")
