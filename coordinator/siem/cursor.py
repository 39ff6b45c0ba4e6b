# SPDX-License-Identifier: Apache-2.0
"""How far the export is: the index of the next entry, and the hash of the last one, in a file of its own.

A database that was restored is behind it: then nothing is handed on until the log has caught up.  A log that
has another entry there is another log, and nothing of it is.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from coordinator.siem.errors import CursorError
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields, read, write

FORMAT: Final = 0
_LARGEST: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Everything before ``next`` was handed on; ``last`` is the hash of the entry before it, if any."""

    next: int = 0
    last: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it; without a file nothing was handed on."""
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise _unreadable(path, error.strerror or "an error") from None
        try:
            fields = Fields(read(data), "cursor")
            fields.constant("format", FORMAT)
            found = cls(next=fields.integer("next"), last=fields.text("last"))
            fields.done()
        except Refusal as refusal:
            raise _unreadable(path, str(refusal)) from None
        return found

    def save(self, path: Path) -> None:
        """Write it in one step, for good."""
        data = write({"format": FORMAT, "last": self.last, "next": self.next})
        fresh = path.with_name(f"{path.name}.new")
        try:
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            raise CursorError(
                f"expected to write {path}, got {error.strerror}",
                hint="give the coordinator's user the folder, or name another in siem.cursor",
            ) from None


def _unreadable(path: Path, got: str) -> CursorError:
    return CursorError(
        f"expected to read how far the export is in {path}, got {got}",
        hint="restore the file, or remove it: then everything is handed on again",
    )
