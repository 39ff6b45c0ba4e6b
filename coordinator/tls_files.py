# SPDX-License-Identifier: Apache-2.0
"""A server's side of mTLS, read from its files, and again whenever they change."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from coordinator.settings import SettingsError

_log = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int, int], ...]
_Read = TypeVar("_Read")


class Reloading(Generic[_Read]):
    """What the files hold, unless that cannot be used: then what they held before goes on."""

    def __init__(self, files: tuple[Path, ...], read: Callable[[], _Read]) -> None:
        self._files = files
        self._read = read
        self._turn = threading.Lock()
        self._stamp = self._look()
        self.current = read()

    def renewed(self) -> _Read | None:
        """Return what is new since the last time, or None; asked at every handshake, by any thread."""
        with self._turn:
            stamp = self._look()
            if stamp == self._stamp:
                return None
            self._stamp = stamp
            try:
                self.current = self._read()
            except SettingsError as refusal:
                _log.warning("new certificates cannot be used, those before go on: %s", refusal)
                return None
            _log.info("the certificates were read again")
            return self.current

    def _look(self) -> _Stamp:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:  # between two names of a file that is replaced
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
