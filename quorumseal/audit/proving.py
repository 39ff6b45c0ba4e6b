# SPDX-License-Identifier: Apache-2.0
"""Proofs from an auditor's own copy: that an entry which it holds is in the tree of its checkpoint."""

from quorumseal.audit.log_copy import LogCopy
from quorumseal.tlog import Frontier, frontier_nodes, leaf_hash, prove_inclusion


def prove(copy: LogCopy, index: int) -> tuple[bytes, ...]:
    """Return the inclusion proof of an entry of the copy."""
    for each in copy.earlier:
        if each.index == index:
            return each.inclusion
    if not copy.first <= index < copy.size:
        raise ValueError(f"this copy does not hold entry {index}")
    _, completed = Frontier(copy.first, copy.frontier).extend(leaf_hash(entry) for entry in copy.entries)
    nodes = {(node.level, node.index): node.hash for node in completed}
    before = ((place.level, place.index) for place in frontier_nodes(copy.first))
    nodes.update(zip(before, copy.frontier, strict=True))
    return tuple(prove_inclusion(index, copy.size, lambda level, number: nodes[level, number]))
