# SPDX-License-Identifier: Apache-2.0
"""The next command for the same coordinator, as its operator types it."""

from pathlib import Path

from quorumseal.terminal import paste


def next_command(settings: Path | None, *words: str) -> str:
    """Return a command of the coordinator with its settings, ready for a shell."""
    named = () if settings is None else ("--settings", str(settings))
    return paste(["quorumseal", "coordinator", *words, *named])
