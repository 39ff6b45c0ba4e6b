# SPDX-License-Identifier: Apache-2.0
"""Receipts of a batch are the proofs that anybody would make from the whole tree."""

from functools import partial

import pytest

from coordinator.storage import EMPTY_HEAD, EntryRow, LogHead
from coordinator.tree import GrowingTree
from quorumseal.tlog import Frontier, leaf_hash, prove_inclusion
from tests.organisation import NOW, key_of

KEY = key_of("log")


@pytest.mark.parametrize("before", range(18))
def test_every_receipt_is_the_proof_from_the_whole_tree(before: int) -> None:
    payloads = [b"entry %d" % index for index in range(before + 17)]
    old, _ = Frontier().extend(leaf_hash(payload) for payload in payloads[:before])
    for size in range(before + 1, before + 18):
        whole, nodes = Frontier().extend(leaf_hash(payload) for payload in payloads[:size])
        hashes = {(level, index): node for level, index, node in nodes}
        tree = GrowingTree(LogHead(frontier=old, root=old.root(), at=NOW), "log.example", KEY)
        tree.extend(payloads[before:size])
        assert tree.checkpoints[-1].root == whole.root()
        rows = [EntryRow(index, "decided", "c", 0, payloads[index]) for index in range(before, size)]
        for receipt in tree.receipts(rows):
            expected = prove_inclusion(receipt.index, size, partial(_node, hashes))
            assert receipt.inclusion == tuple(expected)


def _node(hashes: dict[tuple[int, int], bytes], level: int, index: int) -> bytes:
    return hashes[level, index]


def test_each_piece_of_a_batch_has_its_checkpoint() -> None:
    tree = GrowingTree(EMPTY_HEAD, "log.example", KEY)
    tree.extend([b"0", b"1"])
    tree.extend([b"2"])
    assert [checkpoint.size for checkpoint in tree.checkpoints] == [2, 3]
