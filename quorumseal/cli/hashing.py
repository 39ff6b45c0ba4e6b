# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of many files at once; hashing lets go of the interpreter, so threads use every processor."""

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from quorumseal.cli.errors import FileError
from quorumseal.cli.files import open_plain
from quorumseal.refusal import Refusal

CHUNK: Final = 1 << 17
_WORTH_SHOWING: Final = 256 << 20
_TICK: Final = 0.2


class Hashing:
    """Hashes files in threads from the moment it is made; ``digests`` waits for them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.total = sum(_size(path) for path in files.values())
        self.done = 0
        self._files = files
        self._left = sorted(files.items(), key=lambda item: _size(item[1]))
        self._digests: dict[str, str] = {}
        self._refusal: Refusal | None = None
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(min(len(files), os.cpu_count() or 1))
        ]
        for thread in self._threads:
            thread.start()

    def digests(self) -> dict[str, str]:
        """Return the digest of every file by its name, in the order in which they were given."""
        report = _reporter(self.total)
        try:
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(_TICK)
                    report(self.done)
        finally:
            report(-1)
        if self._refusal is not None:
            raise self._refusal
        return {name: self._digests[name] for name in self._files}

    def _work(self) -> None:
        buffer = memoryview(bytearray(CHUNK))
        while (item := self._take()) is not None:
            name, path = item
            try:
                self._digests[name] = self._hash(path, buffer)
            except FileError as refusal:
                self._refusal = refusal
            except OSError as error:
                self._refusal = FileError(
                    f"expected a file at {path}, got: {error.strerror}",
                    hint="compare the name and the folder that you are in",
                )

    def _take(self) -> tuple[str, Path] | None:
        """Return the largest file that nobody took, none once one could not be read."""
        with self._lock:
            return self._left.pop() if self._left and self._refusal is None else None

    def _hash(self, path: Path, buffer: memoryview) -> str:
        digest = hashlib.sha256()
        with open_plain(path, "a file") as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                with self._lock:
                    self.done += count
        return "sha256:" + digest.hexdigest()


def hash_files(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the digest of every file by its name, with progress on a terminal where it takes long."""
    return Hashing(files).digests()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reporter(total: int) -> Callable[[int], None]:
    """Return what draws the progress: on a terminal, and only where there is much to hash."""
    if total < _WORTH_SHOWING or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return lambda _: None

    def report(done: int) -> None:
        line = (
            f"hashing: {done / 1e9:.1f} of {total / 1e9:.1f} GB, {done * 100 // total} %" if done >= 0 else ""
        )
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    return report
