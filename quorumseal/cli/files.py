# SPDX-License-Identifier: Apache-2.0
"""Files that commands read and write: bounded, never through surprises, never overwriting."""

import os
import stat
from io import FileIO
from pathlib import Path

from quorumseal.cli.errors import BundleMissingError, CommandError, FileError, OverwriteError
from quorumseal.verifier.bundle import MAX_BUNDLE_BYTES
from quorumseal.verifier.status import MAX_STATUS_BYTES
from quorumseal.verifier.trust import MAX_TRUST_BYTES, Trust, read_trust

_PUBLIC = 0o644
_WITHOUT_WAITING = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_KINDS = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
_WHERE = "compare the name and the folder that you are in"


def read_file(path: Path, what: str, most: int, missing: type[CommandError] = FileError) -> bytes:
    """Return a file's bytes, at most ``most``; refuse one that is not there or larger."""
    try:
        with open_plain(path, what) as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise missing(f"expected {what} at {path}, got no such file", hint=_WHERE) from None
    except OSError as error:
        raise FileError(f"expected {what} at {path}, got: {error.strerror}", hint=_WHERE) from None
    if len(data) > most:
        raise FileError(f"expected {what} of at most {most} bytes at {path}, got a larger file")
    return data


def open_plain(path: Path, what: str) -> FileIO:
    """Open what is a plain file; a named pipe would make the command wait for somebody to write into it."""
    descriptor = os.open(path, _WITHOUT_WAITING)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        found = next((name for is_it, name in _KINDS.items() if is_it(mode)), "a device")
        raise FileError(
            f"expected {what} at {path}, got {found}", hint="name the file itself; write it down first"
        )
    return FileIO(descriptor)


def read_bundle_file(path: Path) -> bytes:
    """Return the bytes of a bundle."""
    return read_file(path, "a bundle", MAX_BUNDLE_BYTES, BundleMissingError)


def read_trust_file(path: Path) -> Trust:
    """Return the trust that a file holds."""
    return read_trust(read_file(path, "a trust file", MAX_TRUST_BYTES))


def read_status_file(path: Path) -> bytes:
    """Return the bytes of a status file."""
    return read_file(path, "a status file", MAX_STATUS_BYTES)


def write_new(path: Path, data: bytes, *, mode: int = _PUBLIC) -> None:
    """Write a file that is not there yet; one with the same bytes may be, anything else may not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        if path.is_file() and path.read_bytes() == data:
            return
        raise OverwriteError(
            f"expected nothing at {path}, got other content", hint="choose another place, or move it away"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Put other bytes in a file's place, whole or not at all."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    write_new(scratch, data, mode=path.stat().st_mode & 0o777)
    scratch.replace(path)


def write_over(path: Path, data: bytes) -> None:
    """Write a file in the place of the one before: whole, or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_new(draft, data)
    draft.replace(path)
