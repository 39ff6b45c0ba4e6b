# SPDX-License-Identifier: Apache-2.0
"""Which program runs: the installed command, or the single-file verifier that comes with a pack."""

import sys
from importlib.metadata import version
from pathlib import Path


def program_version() -> str:
    """Return the version of quorumseal that runs."""
    return version("quorumseal")


def program_file() -> bytes:
    """Return the single-file verifier of the version that runs: this very file, where it is that."""
    archive = getattr(globals().get("__loader__"), "archive", None)
    if archive is not None:
        return Path(archive).read_bytes()
    # The single file does not hold what makes it.
    from quorumseal.cli.audit.single_file import single_file

    return single_file(program_version())


def verify_words() -> list[str]:
    """Return the words by which whoever runs this verifies a pack."""
    name = Path(sys.argv[0])
    return ["python", "-I", str(name)] if name.suffix == ".pyz" else ["quorumseal", "audit", "verify"]
