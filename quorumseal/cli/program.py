# SPDX-License-Identifier: Apache-2.0
"""Which program runs: the installed command, or the single-file verifier that comes with a pack."""

import sys
from importlib.metadata import version
from pathlib import Path


def program_version() -> str:
    """Return the version of quorumseal that runs."""
    return version("quorumseal")


def verify_words() -> list[str]:
    """Return the words by which whoever runs this verifies a pack."""
    name = Path(sys.argv[0])
    return ["python", "-I", str(name)] if name.suffix == ".pyz" else ["quorumseal", "audit", "verify"]
