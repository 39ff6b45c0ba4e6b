# SPDX-License-Identifier: Apache-2.0
"""Publish into a directory: whole or not at all, durable, and never over other bytes."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coordinator.errors import DestinationError
from quorumseal.verifier.bundle import same_core
from quorumseal.verifier.timestamping import MOST_STAMPS_BYTES
from quorumseal.verifier.witnessing import MOST_WITNESSED_BYTES

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Directory:
    """A directory of bundles.  All that happens in it is relative to the directory once opened."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()

    @property
    def name(self) -> str:
        """What the outbox calls it."""
        return f"directory:{self._path}"

    def publish(self, name: str, data: bytes) -> str:
        """Write a bundle unless it is there, and read it back; return its path.

        One that differs in its timestamps alone is the same bundle, and stays as it was published.
        """
        with self._working(name) as directory:
            if _read(directory, name, len(data)) is None:
                _write(directory, name, data)
            found = _read(directory, name, len(data) + MOST_STAMPS_BYTES + MOST_WITNESSED_BYTES)
        if found is None or not (found == data or same_core(found, data)):
            raise DestinationError(
                f"expected {self._path / name} to hold this bundle, got other bytes under that name",
                hint="nothing published is ever overwritten: find out what the file is, and move it away; "
                "where case is ignored, it may be a version that differs in case alone",
            )
        return str(self._path / name)

    def renew(self, name: str, data: bytes) -> str:
        """Put a file in the place of the one of that name; for what says of when it is."""
        with self._working(name) as directory:
            _write(directory, name, data, over=True)
        return str(self._path / name)

    @contextmanager
    def _working(self, name: str) -> Iterator[int]:
        if name != os.path.basename(name) or name.startswith(".") or not name:  # noqa: PTH119 - a name, not a path
            raise ValueError(f"{name!r} is no plain file name")
        try:
            with _opened(self._path) as directory:
                yield directory
        except OSError as error:
            raise DestinationError(
                f"expected to publish {name} in {self._path}, got {error.strerror}",
                hint="see that the directory exists, has room, and that the coordinator may write there",
            ) from None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.mkdir(parents=True, exist_ok=True)
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


def _write(directory: int, name: str, data: bytes, *, over: bool = False) -> None:
    """Make the file under a name that nobody can guess, then give it its own: a link never replaces."""
    draft = f".{name}.{secrets.token_hex(8)}"
    file = os.open(draft, _NEW, 0o644, dir_fd=directory)
    try:
        with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if over:
            os.replace(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            with suppress(FileExistsError):  # somebody else was faster; what is there is compared
                os.link(draft, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=directory)
    os.fsync(directory)


def _read(directory: int, name: str, expected: int) -> bytes | None:
    """Return a regular file's bytes, and no more than say that they are others; None where there is none."""
    try:
        file = os.open(name, _READ, dir_fd=directory)
    except FileNotFoundError:
        return None
    with open(file, "rb") as stream:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise DestinationError(f"expected {name} to be a file, got something else under that name")
        return stream.read(expected + 1)
