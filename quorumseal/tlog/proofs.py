# SPDX-License-Identifier: Apache-2.0
"""Proofs made from stored nodes (RFC 9162, sections 2.1.3.1 and 2.1.4.1).

Only complete subtrees are stored: they never change.  A hash of a proof may stand for a subtree at the right
edge, which is not complete and is folded from several stored ones.  ``inclusion_nodes``,
``consistency_nodes`` and ``frontier_nodes`` list what will be asked for, so that one query can fetch it.
"""

from collections.abc import Callable

from quorumseal.tlog.frontier import fold
from quorumseal.tlog.merkle import Coordinate

NodeSource = Callable[[int, int], bytes]
"""Gives the stored hash at a level and an index."""


def frontier_nodes(size: int) -> list[Coordinate]:
    """List the nodes of the frontier of a tree, left to right."""
    if size < 0:
        raise ValueError(f"no tree has {size} leaves")
    return _cover(0, size)


def inclusion_nodes(index: int, size: int) -> list[Coordinate]:
    """List the stored nodes that ``prove_inclusion`` asks for."""
    return [node for start, end in _inclusion_path(index, size) for node in _cover(start, end)]


def prove_inclusion(index: int, size: int, node: NodeSource) -> list[bytes]:
    """Prove that a leaf stands at ``index`` in the tree of ``size`` leaves."""
    return [_hash_of(start, end, node) for start, end in _inclusion_path(index, size)]


def consistency_nodes(old: int, new: int) -> list[Coordinate]:
    """List the stored nodes that ``prove_consistency`` asks for."""
    return [node for start, end in _consistency_path(old, new) for node in _cover(start, end)]


def prove_consistency(old: int, new: int, node: NodeSource) -> list[bytes]:
    """Prove that the tree of ``new`` leaves extends the tree of ``old``; empty when that needs no proof."""
    return [_hash_of(start, end, node) for start, end in _consistency_path(old, new)]


def _inclusion_path(index: int, size: int) -> list[tuple[int, int]]:
    """List the ranges of leaves whose hashes are PATH(m, D_n), lowest first (RFC 9162, section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def _consistency_path(old: int, new: int) -> list[tuple[int, int]]:
    """List the ranges of leaves whose hashes are PROOF(m, D_n), lowest first (RFC 9162, section 2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not extend one of {old}")
    if old == 0:
        return []
    ranges: list[tuple[int, int]] = []
    start, end = 0, new
    while end != old:
        middle = _split(start, end)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # SUBPROOF's b: the old root itself is known to the verifier and is left out
    if start > 0:
        ranges.append((start, end))
    return ranges[::-1]


def _split(start: int, end: int) -> int:
    """Return where the RFC's k, the largest power of two smaller than the length, divides a range."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _cover(start: int, end: int) -> list[Coordinate]:
    """List the complete subtrees that cover a range that the RFC's recursion reaches, the largest first."""
    nodes: list[Coordinate] = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Coordinate(level, start >> level))
        start += 1 << level
    return nodes


def _hash_of(start: int, end: int, node: NodeSource) -> bytes:
    return fold(node(level, index) for level, index in _cover(start, end))
