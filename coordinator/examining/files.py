# SPDX-License-Identifier: Apache-2.0
"""Files and directories that the settings name: who else can read them, and whether we can."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from quorumseal.examining import secret_mode
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import Finding, fine, wrong


def secret(about: str, path: Path) -> Finding:
    """Judge a file with a secret by who can read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return wrong(about, f"expected to read {path}, got {error.strerror}", "see that it is there")
    if not os.access(path, os.R_OK):
        return wrong(
            about,
            f"expected to be able to read {path}, but this user is not",
            f"run this as the coordinator's user, or give it the file: chown USER {path}",
        )
    return secret_mode(about, path, mode)


def secret_line(about: str, path: Path, read: Callable[[Path], str]) -> tuple[tuple[Finding, ...], str]:
    """Judge a file with a secret, and what is in it; return that, too, where it can be read."""
    found = secret(about, path)
    if found.mark is Mark.FAILED:
        return (found,), ""
    try:
        return (found,), read(path)
    except Refusal as refusal:
        told, named, rest = str(refusal).partition(": expected")  # the finding names the setting itself
        return (found, wrong(about, f"expected{rest}" if named else told, refusal.hint)), ""


def writable(about: str, path: Path) -> Finding:
    """Judge a directory by whether we can write there, or make it."""
    for place in (path, *path.parents):
        if place.exists():
            break
    if not place.is_dir():
        return wrong(
            about, f"expected a directory {path}, got a file at {place}", "name another, or move the file"
        )
    if not os.access(place, os.W_OK | os.X_OK):
        return wrong(
            about,
            f"expected to be able to write in {place}, but this user is not",
            "give the coordinator's user the directory, or name another",
        )
    return fine(about, f"{path} can be written" if place == path else f"{path} can be made")
