# SPDX-License-Identifier: Apache-2.0
"""The right edge of a growing tree: all that is needed to append and to name the root.

A tree of ``size`` leaves is covered by one complete subtree per set bit of ``size``, the largest leftmost.
Their roots are the frontier (a compact range from 0).  Appending hashes as often as a binary counter
carries: less than once per leaf on average.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from quorumseal.tlog.merkle import EMPTY_ROOT, HASH_SIZE, Node


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the complete subtrees that cover a tree, left to right."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves is not covered by {len(self.nodes)} nodes")
        if any(len(node) != HASH_SIZE for node in self.nodes):
            raise ValueError(f"a node is a hash of {HASH_SIZE} bytes")

    def root(self) -> bytes:
        """Return the root of the tree (RFC 9162, section 2.1.1)."""
        if not self.nodes:
            return EMPTY_ROOT
        return fold(self.nodes)

    def append(self, leaf: bytes) -> tuple["Frontier", list[Node]]:
        """Add one leaf hash; return the new frontier and the nodes that it completed, the leaf first."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> tuple["Frontier", list[Node]]:
        """Add leaf hashes in order; return the new frontier and every node that they completed."""
        size = self.size
        edge = list(self.nodes)
        completed: list[Node] = []
        for leaf in leaves:
            if len(leaf) != HASH_SIZE:
                raise ValueError(f"a leaf is a hash of {HASH_SIZE} bytes")
            node, level = leaf, 0
            completed.append(Node(0, size, leaf))
            while size >> level & 1:
                node = sha256(b"\x01" + edge.pop() + node).digest()
                level += 1
                completed.append(Node(level, size >> level, node))
            edge.append(node)
            size += 1
        return Frontier(size, tuple(edge)), completed


def fold(nodes: Iterable[bytes]) -> bytes:
    """Hash at least one neighbouring complete subtree, from the right, to the root over all of them."""
    right, *rest = reversed(tuple(nodes))
    for left in rest:
        right = sha256(b"\x01" + left + right).digest()
    return right
