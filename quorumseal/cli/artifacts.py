# SPDX-License-Identifier: Apache-2.0
"""What artifacts are called: a file by its own name, each file of a folder by its path within the folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from quorumseal.cli.errors import FileError, UsageError


def name_artifacts(paths: Sequence[Path]) -> dict[str, Path]:
    """Return every file that is meant by its name; refuse two of one name, whatever its case."""
    named: dict[str, Path] = {}
    taken: set[str] = set()
    for artifact, path in (pair for given in paths for pair in _files(given)):
        if artifact.casefold() in taken:
            raise UsageError(
                f"expected artifacts of different names, got {artifact} twice",
                hint="put them into one folder under different names, and give that folder",
            )
        taken.add(artifact.casefold())
        named[artifact] = path
    return named


def _files(given: Path) -> Iterator[tuple[str, Path]]:
    if not given.is_dir():
        yield given.name, given
        return
    inside = sorted(_inside(given))
    if not inside:
        raise FileError(f"expected files in {given}, got an empty folder", hint="leave it out, or fill it")
    for path in inside:
        yield path.relative_to(given).as_posix(), path


def _inside(folder: Path) -> Iterator[Path]:
    """Yield every file of a folder; what cannot be listed or read as a file is refused, never left out."""
    folders = [folder]
    while folders:
        current = folders.pop()
        try:
            with os.scandir(current) as entries:
                found = [*entries]
        except OSError as error:
            raise FileError(f"expected to list the folder {current}, got: {error.strerror}") from None
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            else:
                what = "a symbolic link" if entry.is_symlink() else "what is no file"
                raise FileError(
                    f"expected files in {folder}, got {what}: {entry.path}", hint="put the file itself there"
                )
