# SPDX-License-Identifier: Apache-2.0
"""The log's newest checkpoint in a file of its own: by it a database that was set back is known.

It is replaced whole and is on the disk before anything under it is acknowledged.  It says something only as
long as it is not set back together with the database: it belongs on another disk, and in no backup.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from coordinator.errors import AnchorError
from quorumseal.ceremony.policy import Log
from quorumseal.signatures import PublicKey
from quorumseal.tlog import Checkpoint, TlogError, open_checkpoint
from quorumseal.tlog.note import MAX_NOTE_BYTES

_HINT = "see that its folder is there, has room, and can be written by the coordinator's user"


class Anchor:
    """One file, written by one coordinator."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> bytes | None:
        """Return the checkpoint that was written last; none where the file is not there."""
        try:
            with self.file.open("rb") as stream:
                return stream.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnchorError(
                f"expected to read the anchor {self.file}, got {error.strerror}", hint=_HINT
            ) from None

    def open(self, note: bytes, log: Log, held: Iterable[PublicKey]) -> Checkpoint:
        """Return the checkpoint that was read; its key may have retired since, or be in no policy yet."""
        keys = (*held, *(key.key for key in log.keys))
        try:
            return open_checkpoint(note, log.origin, tuple(dict.fromkeys(keys)))
        except TlogError as refusal:
            raise AnchorError(
                f"expected a checkpoint of log {log.origin} in {self.file}, got: {refusal}",
                hint="name this log's own anchor; whoever knows that the database was not set back may put a "
                "damaged one aside",
            ) from None

    def write(self, note: bytes) -> None:
        """Replace the file; on the disk when this returns."""
        draft = self.file.with_name(f".{self.file.name}.new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(note)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self.file)
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise AnchorError(
                f"expected to write the anchor {self.file}, got {error.strerror}", hint=_HINT
            ) from None
