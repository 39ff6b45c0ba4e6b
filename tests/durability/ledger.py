# SPDX-License-Identifier: Apache-2.0
"""What a coordinator has told its callers; all of it can be held against its log."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.values import digest_of
from quorumseal.client.values import Receipt
from quorumseal.tlog import Checkpoint, leaf_hash, verify_inclusion
from quorumseal.verifier.part import open_log_checkpoint


@dataclass
class Ledger:
    """Everything acknowledged and refused, by the digest of the statement.  Used by all threads of a crew."""

    log: Log
    acknowledged: dict[str, Receipt] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    resent: int = 0
    repeated: int = 0
    """Acknowledged at the second attempt or later: an entry may have been there already."""
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self, kind: str, statement: str, receipt: Receipt) -> Checkpoint:
        """Verify a receipt as an agent does, compare it with an earlier one, and keep it."""
        checkpoint = self.see(receipt.checkpoint)
        leaf = leaf_hash(receipt.entry)
        verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.inclusion, checkpoint.root)
        about = digest_of(read_entry(receipt.entry).envelope.payload)
        with self._lock:
            if about != statement:
                self.problems.append(f"{kind} {statement}: entry {receipt.index} holds {about}")
            first = self.acknowledged.setdefault(statement, receipt)
            self.kinds[kind] += first is receipt
            self.resent += first is not receipt
            if (first.entry, first.index) != (receipt.entry, receipt.index):
                self.problems.append(f"{kind} {statement}: {first.entry!r}, then {receipt.entry!r}")
        return checkpoint

    def refuse(self, statement: str, code: str) -> None:
        """Keep a refusal; what was acknowledged before must not be refused."""
        with self._lock:
            if statement in self.acknowledged:
                self.problems.append(f"{statement}: acknowledged, then refused ({code})")
            self.refused[statement] = code

    def see(self, note: bytes) -> Checkpoint:
        """Open a checkpoint; one size has one root."""
        checkpoint = open_log_checkpoint(note, self.log)
        with self._lock:
            if self.checkpoints.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
                self.problems.append(f"two roots for size {checkpoint.size}")
        return checkpoint
