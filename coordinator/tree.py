# SPDX-License-Identifier: Apache-2.0
"""The log's tree while a batch grows it: nodes, signed checkpoints and receipts, without the database."""

from collections.abc import Sequence

from coordinator.storage import CheckpointRow, EntryRow, LogHead
from coordinator.values import Receipt
from quorumseal.signatures import PrivateKey
from quorumseal.tlog import Checkpoint, Node, frontier_nodes, leaf_hash, prove_inclusion, sign_checkpoint


class GrowingTree:
    """Every sibling of a new leaf is a node of the old right edge or a new one: receipts need no more."""

    def __init__(self, head: LogHead, origin: str, log_key: PrivateKey) -> None:
        self.frontier = head.frontier
        self.nodes: list[Node] = []
        self.checkpoints: list[CheckpointRow] = []
        self._origin = origin
        self._log_key = log_key
        self._hashes = {
            (level, index): node
            for (level, index), node in zip(frontier_nodes(head.size), head.frontier.nodes, strict=True)
        }

    def extend(self, payloads: Sequence[bytes]) -> None:
        """Add entries, and sign the checkpoint after the last."""
        self.frontier, nodes = self.frontier.extend(leaf_hash(payload) for payload in payloads)
        self.nodes += nodes
        self._hashes.update({(level, index): node for level, index, node in nodes})
        checkpoint = Checkpoint(self._origin, self.frontier.size, self.frontier.root())
        self.checkpoints.append(
            CheckpointRow(
                size=checkpoint.size,
                root=checkpoint.root,
                note=sign_checkpoint(checkpoint, self._log_key),
            )
        )

    def receipt(self, entry: EntryRow) -> Receipt:
        """Prove one of the new entries to the newest checkpoint."""
        return Receipt(
            entry=entry.payload,
            index=entry.index,
            inclusion=tuple(prove_inclusion(entry.index, self.frontier.size, self._hash)),
            checkpoint=self.checkpoints[-1].note,
        )

    def _hash(self, level: int, index: int) -> bytes:
        return self._hashes[level, index]
