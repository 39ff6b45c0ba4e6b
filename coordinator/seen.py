# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that statements name must be this log's own.

A bundle proves that its log extends every checkpoint that its statements name.  One statement that names
another log's would make that impossible, and its ceremony could never be published: it is turned away.
"""

import base64
from collections import OrderedDict
from typing import Protocol

from coordinator.errors import SeenCheckpointError
from coordinator.storage import Storage
from quorumseal.ceremony.statements import Context, SeenCheckpoint
from quorumseal.tlog import EMPTY_ROOT, Checkpoint, hash_from_text, hash_text, note_with

_MOST_KEPT = 4096


class Shown(Protocol):
    """Whoever takes in a signed checkpoint that the log does not contain."""

    def __call__(self, note: bytes, *, by: str) -> object:
        """Take it in."""


def nobody_cares(note: bytes, *, by: str) -> None:
    """Take it in, and do nothing."""


def note_of(context: Context) -> bytes | None:
    """Put together the note that the signer of a statement had seen, where it holds the log's signature."""
    seen = context.checkpoint
    if not seen.signature:
        return None
    text = Checkpoint(context.log, seen.size, hash_from_text(seen.root)).text
    return note_with(text, context.log, base64.b64decode(seen.signature))


class SeenCheckpoints:
    """Checks against what this log has signed."""

    def __init__(self, storage: Storage, *, keep: int = _MOST_KEPT) -> None:
        self._storage = storage
        self._keep = keep
        self._roots: OrderedDict[int, bytes] = OrderedDict()

    def check(self, seen: SeenCheckpoint) -> None:
        """Refuse a statement whose agent has verified a checkpoint that this log never signed."""
        root = self._root(seen.size)
        if root is None or seen.root != hash_text(root):
            expected = "none was signed" if root is None else f"root {hash_text(root)}"
            raise SeenCheckpointError(
                f"expected a checkpoint that this log signed (for size {seen.size}: {expected}), "
                f"got root {seen.root}",
                hint="delete nothing: look at the fork warning of the agent that signed this, and compare "
                "checkpoints with the others; this coordinator lost entries, or somebody shows two logs",
            )

    def _root(self, size: int) -> bytes | None:
        if size == 0:
            return EMPTY_ROOT
        known = self._roots.get(size)
        if known is not None:
            return known
        row = self._storage.log.checkpoint(size)
        if row is None:  # not kept: another coordinator may sign it in the next moment
            return None
        self._roots[size] = row.root
        while len(self._roots) > self._keep:
            self._roots.popitem(last=False)
        return row.root
