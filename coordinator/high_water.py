# SPDX-License-Identifier: Apache-2.0
"""How far this log has reached, as far as anything knows: a database that falls short of it is rewound.

A checkpoint that a key of this coordinator signed says what the log contained.  Where the database contains
something else, or less, it was set back: whatever were written now would give the log a second history.  So
nothing is, by any coordinator of the database, until the lost end is recovered.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from coordinator.anchor import Anchor
from coordinator.errors import RewoundError
from coordinator.log_keys import LogKeys
from coordinator.running_log import about
from coordinator.storage import CheckpointRow, LogHead, ShownRow, Storage
from quorumseal.ceremony.policy import Log
from quorumseal.tlog import Checkpoint, TlogError, hash_text, open_checkpoint

MAX_SHOWN_BYTES = 16 << 10
_FOUNDED = 1
"""So many entries has the log of an organisation that was founded and has done nothing: its first policy."""
_log = logging.getLogger(__name__)


class HighWater:
    """What this coordinator was shown of its own log.  Any thread may show; the writer keeps."""

    def __init__(
        self, storage: Storage, log_keys: LogKeys, log: Callable[[], Log], *, anchor: Anchor | None = None
    ) -> None:
        self._storage = storage
        self._log_keys = log_keys
        self._log = log
        self._anchor = anchor
        self._own: CheckpointRow | None = None
        """The largest that this process has committed itself."""
        self._unanchored: bytes | None = None
        self._refusal: RewoundError | None = None

    @property
    def rewound(self) -> RewoundError | None:
        """Why nothing is written; none while all is well."""
        return self._refusal

    def require(self) -> None:
        """Refuse where the log is rewound."""
        if self._refusal is not None:
            raise self._refusal

    def begin(self) -> None:
        """Compare the database with the anchor before anything is written."""
        self.look()
        if self._anchor is None:
            return
        note, newest = self._anchor.read(), self._storage.log.checkpoint()
        if note is None:
            self._say_missing(self._anchor.file)
        else:
            anchored = self._anchor.open(note, self._log(), self._log_keys.public)
            self._compare(anchored, note, "its own anchor")
        if self._refusal is None and newest is not None:
            self._anchor.write(newest.note)

    def _say_missing(self, file: Path) -> None:
        """A log that nothing was written to since it was founded has had no anchor yet."""
        if self._storage.log.size() <= _FOUNDED:
            _log.info("the log begins: its anchor is %s", file)
        else:
            _log.warning(
                "there was no anchor in %s: one is made; if there should have been one, see who took it away",
                file,
            )

    def show(self, note: bytes, *, by: str) -> Checkpoint | None:
        """Take in a checkpoint that somebody holds, and return it.

        One that no key of this coordinator signed says nothing, and stops nobody.
        """
        if len(note) > MAX_SHOWN_BYTES:
            return None
        try:
            checkpoint = open_checkpoint(note, self._log().origin, self._log_keys.public)
        except TlogError as refusal:
            _log.info("a checkpoint was shown that this log did not sign", extra=about(reason=refusal))
            return None
        self._compare(checkpoint, note, by)
        return checkpoint

    def check(self, head: LogHead) -> None:
        """Refuse a head that was just read and falls short of what is known."""
        own = self._own
        if own is not None and not self._contains(head.size, own.size, own.root):
            self._storage.rewound.show(ShownRow(own.size, own.root, own.note, "this coordinator"))
        self.look()
        self.require()

    def look(self) -> None:
        """See whether the log is rewound, or is not any more, whoever found out."""
        was = self._refusal
        self._refusal = rewound_in(self._storage)
        if self._refusal is not None and was is None:
            _log.critical("the log is rewound: %s", self._refusal, extra=about(reason=self._refusal))
        if was is not None and self._refusal is None:
            _log.info("the log is whole again")

    def keep(self, newest: CheckpointRow) -> None:
        """Take in what this process has just committed; it is acknowledged once it is anchored."""
        self._own = newest
        self._unanchored = newest.note
        self.require_anchored()

    def require_anchored(self) -> None:
        """Write the anchor where that has not succeeded yet."""
        if self._anchor is not None and self._unanchored is not None:
            self._anchor.write(self._unanchored)
        self._unanchored = None

    def _compare(self, checkpoint: Checkpoint, note: bytes, by: str) -> None:
        size = self._storage.log.size()
        if not self._contains(size, checkpoint.size, checkpoint.root):
            self._storage.rewound.show(ShownRow(checkpoint.size, checkpoint.root, note, by))
            self.look()

    def _contains(self, size: int, other: int, root: bytes) -> bool:
        return other <= size and self._storage.log.root_at(other) == root


def rewound_in(storage: Storage) -> RewoundError | None:
    """Return why nothing is written to a database, as it says itself; none while all is well."""
    shown = storage.rewound.shown()
    return _refusal(shown[0], storage.log.size()) if shown else None


def _refusal(shown: ShownRow, size: int) -> RewoundError:
    if shown.size > size:
        return RewoundError(
            f"expected a log of at least {shown.size} entries, of which {shown.shown_by} shows a signed "
            f"checkpoint, got one of {size}",
            hint="nothing is written until its operator has recovered it: let your agent run, it hands back",
        )
    return RewoundError(
        f"expected the log that {shown.shown_by} shows a signed checkpoint of (size {shown.size}, "
        f"root {hash_text(shown.root)}), got another under the same key",
        hint="the log signed two histories: keep all files, and call your auditor; nothing is written",
    )
