# SPDX-License-Identifier: Apache-2.0
"""``SHA256SUMS``: many artifacts in one file, as ``sha256sum`` writes it.

Each line is 64 lower-case hexadecimal digits, a space, a space or an asterisk, and a name relative to the
manifest.  Nothing else is read: no comments, no escaped names, no path that leaves the folder.
"""

import re
from pathlib import Path

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.values import subject_name
from quorumseal.cli.errors import ManifestBytesError, ManifestError
from quorumseal.cli.files import read_file

MAX_MANIFEST_BYTES = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)", re.ASCII)


def read_manifest(path: Path) -> dict[str, str]:
    """Return the digest of every artifact that a manifest lists, by its name."""
    try:
        text = read_file(path, "a manifest", MAX_MANIFEST_BYTES).decode()
    except UnicodeDecodeError:
        raise ManifestError(f"expected text in {path}, got other bytes") from None
    digests: dict[str, str] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        try:
            if match is None or subject_name(match[2]) in digests:
                raise ValueFormatError("")
        except ValueFormatError:
            raise ManifestError(
                f"expected lines such as <64 hexadecimal digits>  <name>, each name once, "
                f"got {line[:80]!a} in line {number} of {path}",
                hint="make the manifest with: sha256sum FILE...",
            ) from None
        digests[match[2]] = f"sha256:{match[1]}"
    return digests


def check_manifest(listed: dict[str, str], hashed: dict[str, str]) -> None:
    """Refuse a file that is not the one that the manifest lists."""
    for name, digest in listed.items():
        if hashed[name] != digest:
            raise ManifestBytesError(
                f"expected {name} to be {digest}, as the manifest says, got {hashed[name]}",
                hint="the file is not the one that was listed: fetch it again, and do not use this one",
            )
