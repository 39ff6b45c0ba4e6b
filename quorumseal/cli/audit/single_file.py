# SPDX-License-Identifier: Apache-2.0
"""``verify.pyz``: the verifier of packs as one file, which needs Python and ``cryptography`` alone.

It is a zip of this package's own sources, as they are installed: the packages that judge, the screen, and the
one command.  Stored without compression and without times, so the same version gives the same bytes.
"""

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from quorumseal.audit.pack.texts import named_in_verifier

_PACKAGES: Final = ("audit", "ceremony", "signatures", "strict_json", "terminal", "tlog", "verifier")
_COMMANDS: Final = (
    "__init__",
    "audit/__init__",
    "audit/defects",
    "audit/pack_reading",
    "audit/verify",
    "errors",
    "files",
    "main",
    "output",
    "parsing",
    "program",
    "progress",
    "table",
)
_LEFT_OUT: Final = frozenset({"quorumseal/signatures/sodium.py"})
"""Without it the verifier runs on ``cryptography``, whatever else a machine has."""
_BEGINNING: Final = b"#!/usr/bin/env python3\n"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE: Final = 0o100644 << 16
_MAIN: Final = """\
# SPDX-License-Identifier: Apache-2.0
\"\"\"Verify an audit pack: python -I verify.pyz FOLDER [--policy DIGEST].\"\"\"

import sys

if sys.version_info < (3, 11):
    sys.exit("expected Python 3.11 or newer; run this with another python3")
try:
    import cryptography
except ModuleNotFoundError:
    sys.exit("expected the Python package cryptography: install it with python -m pip install cryptography")

from quorumseal.cli.main import main

sys.exit(main(["audit", "verify", *sys.argv[1:]]))
"""


def single_file(version: str) -> bytes:
    """Return the bytes of the program, made of what is installed here."""
    written = io.BytesIO(_BEGINNING)
    written.seek(0, io.SEEK_END)
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(_contents(version)):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr = 3, _PLAIN_FILE
            archive.writestr(entry, data)
    return written.getvalue()


def _contents(version: str) -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    yield (
        named_in_verifier(version).decode(),
        f"Metadata-Version: 2.1\nName: quorumseal\nVersion: {version}\n".encode(),
    )
    root = files("quorumseal")
    for file in root.iterdir():
        if file.name.endswith(".py"):
            yield f"quorumseal/{file.name}", file.read_bytes()
    for package in _PACKAGES:
        yield from _sources(root / package, f"quorumseal/{package}")
    for command in _COMMANDS:
        yield f"quorumseal/cli/{command}.py", (root / "cli" / f"{command}.py").read_bytes()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        name = f"{path}/{each.name}"
        if each.is_dir() and each.name != "__pycache__":
            yield from _sources(each, name)
        elif each.name.endswith(".py") and name not in _LEFT_OUT:
            yield name, each.read_bytes()
