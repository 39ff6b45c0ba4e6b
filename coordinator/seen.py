# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that statements name must be this log's own, or no bundle with them could be verified."""

from collections import OrderedDict

from coordinator.errors import SeenCheckpointError
from coordinator.storage import Storage
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.tlog import EMPTY_ROOT

_MOST_KEPT = 4096


class SeenCheckpoints:
    """Checks against what this log has signed; used by several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._roots: OrderedDict[int, bytes] = OrderedDict({0: EMPTY_ROOT})

    def check(self, seen: SeenCheckpoint) -> None:
        """Refuse a statement whose agent has verified another log's checkpoint."""
        root = self._roots.get(seen.size) or self._find(seen.size)
        if root is None or seen.root != "sha256:" + root.hex():
            raise SeenCheckpointError(
                f"expected a checkpoint that this log signed for size {seen.size}, got root {seen.root}",
                hint="either this coordinator lost entries, or it shows people different logs: "
                "compare checkpoints before anybody signs",
            )

    def _find(self, size: int) -> bytes | None:
        row = self._storage.log.checkpoint(size)
        if row is None:
            return None
        self._roots[size] = row.root
        while len(self._roots) > _MOST_KEPT:
            self._roots.popitem(last=False)
        return row.root
