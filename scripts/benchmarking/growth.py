# SPDX-License-Identifier: Apache-2.0
"""What one entry more, and one proof, cost in a log of 100,000 and of a million, over one of a thousand."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

from coordinator.founding import found
from coordinator.storage import Append, EntryRow, LogHead, Storage
from coordinator.tree import GrowingTree
from quorumseal.tlog import consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion
from scripts.benchmarking.figures import Figures, spread
from tests.organisation import NOW, Organisation

SIZES = {"1k": 1_000, "100k": 100_000, "1m": 1_000_000}
ROUNDS = 60
_BATCH = 5_000
_PAYLOAD = 400
_SEED = 5


def measure(folder: Path, figures: Figures, scale: int) -> None:
    """Fill three logs, then append and prove in each by turns."""
    logs = {name: _Log(folder / f"{name}.db") for name in SIZES}
    for name, log in logs.items():
        began = time.monotonic()
        log.fill(max(SIZES[name] // scale, 1_000))
        print(f"  {log.size} entries written in {time.monotonic() - began:.0f} s", flush=True)
    chosen = random.Random(_SEED)  # noqa: S311 - which proofs are asked for, repeatably
    work: dict[str, Callable[[_Log], None]] = {
        "append": lambda log: log.append(1),
        "inclusion": lambda log: log.prove_inclusion(chosen),
        "consistency": lambda log: log.prove_consistency(chosen),
    }
    for what, act in work.items():
        times: dict[str, list[float]] = {name: [] for name in logs}
        for _ in range(ROUNDS):
            for name, log in logs.items():
                began = time.perf_counter()
                act(log)
                times[name].append((time.perf_counter() - began) * 1e6)
        for name in ("100k", "1m"):
            ratio = median(times[name]) / median(times["1k"])
            note = f"{spread(times['1k'], 'us')} at 1k, {spread(times[name], 'us')} at {name}"
            figures.add(f"{what}_{name}_over_1k", ratio, note)
    for log in logs.values():
        log.storage.close()


class _Log:
    """A log whose entries say nothing: what they say costs the same at every size."""

    def __init__(self, path: Path) -> None:
        self._organisation = Organisation()
        found(f"sqlite:///{path}", self._organisation.log_key, self._organisation.policy, at=NOW)
        self.storage = Storage(f"sqlite:///{path}")
        self._head = self.storage.log.head()

    @property
    def size(self) -> int:
        return self._head.size

    def fill(self, size: int) -> None:
        while self.size < size:
            self.append(min(_BATCH, size - self.size))

    def append(self, count: int) -> None:
        """Append as the writer does: the tree grows, a checkpoint is signed, one transaction."""
        entries = [self._entry(self.size + number) for number in range(count)]
        tree = GrowingTree(self._head, self._organisation.origin, self._organisation.log_key)
        tree.extend([entry.payload for entry in entries])
        after = LogHead(
            frontier=tree.frontier,
            root=tree.checkpoints[-1].root,
            at=self._head.at + timedelta(milliseconds=1),
        )
        self.storage.append(
            Append(
                before=self._head,
                after=after,
                entries=entries,
                nodes=tree.nodes,
                checkpoints=tree.checkpoints,
                opened=[],
                moved=[],
                annexes=[],
                outbox=[],
            )
        )
        self._head = after

    def prove_inclusion(self, chosen: random.Random) -> None:
        index = chosen.randrange(self.size)
        node = self.storage.log.nodes(inclusion_nodes(index, self.size))
        prove_inclusion(index, self.size, node)

    def prove_consistency(self, chosen: random.Random) -> None:
        old = chosen.randrange(1, self.size)
        node = self.storage.log.nodes(consistency_nodes(old, self.size))
        prove_consistency(old, self.size, node)

    def _entry(self, index: int) -> EntryRow:
        payload = (sha256(str(index).encode()).hexdigest() * 8)[:_PAYLOAD].encode()
        return EntryRow(index, "decided", f"ceremony-{index // 8}", index % 8, payload)
