# SPDX-License-Identifier: Apache-2.0
"""What an auditor holds of a log: its entries, or those of a period with the proof that none is missing.

A copy of a period begins at ``first``.  The frontier stands for everything before; with it the entries hash
to the root that the checkpoint names, so none of them is missing.  What they refer to from before the period
is beside them, each entry with its own proof.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quorumseal.ceremony.annex import Annex
from quorumseal.tlog import Frontier, frontier_nodes, leaf_hash, prove_inclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An entry from before the period, and the proof that the log has it."""

    index: int
    payload: bytes
    inclusion: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCopy:
    """Entries, and the signed checkpoint that covers them; nothing is verified yet."""

    entries: Sequence[bytes]
    checkpoint: bytes
    """The log's note on the size after the last entry."""
    first: int = 0
    """The index of the first entry."""
    frontier: tuple[bytes, ...] = ()
    """The complete subtrees that cover everything before it, left to right."""
    earlier: Sequence[Earlier] = ()
    annexes: Mapping[str, tuple[Annex, ...]] = field(default_factory=dict)
    """Texts that statements commit to, by ceremony, where they were asked for."""
    held: tuple[bytes, ...] = ()
    """Other checkpoints of this log that somebody holds."""

    @property
    def size(self) -> int:
        """How many entries the log has, as far as this copy goes."""
        return self.first + len(self.entries)

    def indexed(self) -> Iterator[tuple[int, bytes]]:
        """Give every entry that is here with its index, in the order of the log."""
        yield from ((each.index, each.payload) for each in self.earlier)
        yield from enumerate(self.entries, start=self.first)


def cut(whole: LogCopy, first: int, keep: Iterable[int]) -> LogCopy:
    """Return the copy from an index on, with some of the entries before it; of a copy that begins at 0."""
    if whole.first:
        raise ValueError("only a copy from the first entry on has what a cut needs")
    if not 0 <= first <= whole.size:
        raise ValueError(f"a log of {whole.size} entries is not cut at {first}")
    _, nodes = Frontier().extend(leaf_hash(payload) for payload in whole.entries)
    by_place = {(node.level, node.index): node.hash for node in nodes}

    def node(level: int, index: int) -> bytes:
        return by_place[level, index]

    earlier = [
        Earlier(
            index=index,
            payload=whole.entries[index],
            inclusion=tuple(prove_inclusion(index, whole.size, node)),
        )
        for index in sorted({*keep})
        if index < first
    ]
    return replace(
        whole,
        first=first,
        entries=whole.entries[first:],
        frontier=tuple(node(*place) for place in frontier_nodes(first)),
        earlier=earlier,
    )
