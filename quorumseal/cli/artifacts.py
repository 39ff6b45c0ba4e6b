# SPDX-License-Identifier: Apache-2.0
"""What artifacts are called: a file by its own name, each file of a folder by its path within the folder."""

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
    for path in sorted(given.rglob("*")):
        if path.is_symlink():
            raise FileError(
                f"expected files in {given}, got a symbolic link: {path}", hint="put the file itself there"
            )
        if not path.is_dir():
            yield path.relative_to(given).as_posix(), path
