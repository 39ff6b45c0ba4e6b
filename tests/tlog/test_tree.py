# SPDX-License-Identifier: Apache-2.0
"""Frontier, proofs and verification against the RFC's recursive definitions, written naively."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.tlog import (
    ConsistencyProofError,
    Frontier,
    InclusionProofError,
    Node,
    ProofError,
    consistency_nodes,
    frontier_nodes,
    inclusion_nodes,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 64
ENTRIES = [b"entry %d" % index for index in range(LARGEST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


@cache
def root_of(start: int, end: int) -> bytes:
    """MTH of RFC 9162, section 2.1.1."""
    if start == end:
        return sha256(b"").digest()
    if end - start == 1:
        return sha256(b"\x00" + ENTRIES[start]).digest()
    middle = start + split(end - start)
    return sha256(b"\x01" + root_of(start, middle) + root_of(middle, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH of RFC 9162, section 2.1.3.1."""
    if end - start == 1:
        return []
    k = split(end - start)
    if m < k:
        return [*path(m, start, start + k), root_of(start + k, end)]
    return [*path(m - k, start + k, end), root_of(start, start + k)]


def subproof(m: int, start: int, end: int, *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, section 2.1.4.1."""
    if m == end - start:
        return [] if known else [root_of(start, end)]
    k = split(end - start)
    if m <= k:
        return [*subproof(m, start, start + k, known=known), root_of(start + k, end)]
    return [*subproof(m - k, start + k, end, known=False), root_of(start, start + k)]


def stored(level: int, index: int) -> bytes:
    assert (index + 1) << level <= LARGEST, "only complete subtrees are stored"
    return root_of(index << level, (index + 1) << level)


def grown(size: int) -> Frontier:
    return Frontier().extend(LEAVES[:size])[0]


INCLUSIONS = [(index, size) for size in range(1, LARGEST + 1) for index in range(size)]
STEPS = [(old, new) for new in range(1, LARGEST + 1) for old in range(1, new)]


def test_the_frontier_names_the_root_of_every_size() -> None:
    frontier = Frontier()
    for size in range(LARGEST):
        assert frontier.root() == root_of(0, size)
        frontier, _ = frontier.append(LEAVES[size])
    assert frontier.root() == root_of(0, LARGEST)


def test_appending_gives_every_complete_node_once_and_the_leaf_first() -> None:
    frontier, nodes = Frontier(), list[Node]()
    for size in range(LARGEST):
        frontier, completed = frontier.append(LEAVES[size])
        assert completed[0] == (0, size, LEAVES[size])
        nodes += completed
    assert {(level, index): value for level, index, value in nodes} == {
        (level, index): stored(level, index) for level in range(7) for index in range(LARGEST >> level)
    }
    assert len(nodes) == 2 * LARGEST - 1


@given(st.lists(st.integers(0, 9), max_size=12))
def test_extending_in_batches_is_appending_one_by_one(batches: list[int]) -> None:
    batched, one_by_one = Frontier(), Frontier()
    for count in batches:
        leaves = [leaf_hash(bytes([batched.size % 251, each])) for each in range(count)]
        batched, nodes = batched.extend(leaves)
        alone: list[Node] = []
        for leaf in leaves:
            one_by_one, completed = one_by_one.append(leaf)
            alone += completed
        assert nodes == alone
    assert batched == one_by_one


def test_a_frontier_is_rebuilt_from_the_nodes_that_are_listed_for_it() -> None:
    for size in range(LARGEST + 1):
        assert Frontier(size, tuple(stored(*at) for at in frontier_nodes(size))) == grown(size)


@pytest.mark.parametrize(
    ("size", "nodes"),
    [(-1, (b"",)), (1, ()), (0, (b"x" * 32,)), (3, (b"x" * 32,)), (1, (b"x" * 31,)), (1, (b"x" * 33,))],
)
def test_a_frontier_that_covers_no_tree_cannot_be_built(size: int, nodes: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"nodes|hash"):
        Frontier(size, nodes)


@pytest.mark.parametrize("leaf", [b"", b"x" * 31, b"x" * 33])
def test_a_leaf_that_is_no_hash_is_not_appended(leaf: bytes) -> None:
    with pytest.raises(ValueError, match="leaf"):
        grown(3).append(leaf)


def test_every_inclusion_proof_is_the_oracles_and_verifies() -> None:
    for index, size in INCLUSIONS:
        proof = prove_inclusion(index, size, stored)
        assert proof == path(index, 0, size)
        verify_inclusion(LEAVES[index], index, size, proof, root_of(0, size))


def test_every_consistency_proof_is_the_oracles_and_verifies() -> None:
    for old, new in STEPS:
        proof = prove_consistency(old, new, stored)
        assert proof == subproof(old, 0, new, known=True)
        verify_consistency(old, root_of(0, old), new, root_of(0, new), proof)


def test_exactly_the_nodes_listed_up_front_are_asked_for() -> None:
    asked: list[tuple[int, int]] = []

    def noting(level: int, index: int) -> bytes:
        asked.append((level, index))
        return stored(level, index)

    for index, size in INCLUSIONS:
        asked.clear()
        prove_inclusion(index, size, noting)
        assert sorted(asked) == sorted(inclusion_nodes(index, size))
    for old, new in STEPS:
        asked.clear()
        prove_consistency(old, new, noting)
        assert sorted(asked) == sorted(consistency_nodes(old, new))


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_from_nothing_and_to_itself_a_tree_needs_no_proof(size: int) -> None:
    root = root_of(0, size)
    for old in (0, size):
        assert prove_consistency(old, size, stored) == []
        verify_consistency(old, root_of(0, old), size, root, [])
        with pytest.raises(ConsistencyProofError, match="shorter"):
            verify_consistency(old, root_of(0, old), size, root, [root])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, -1)])
def test_no_proof_is_made_for_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        prove_inclusion(index, size, stored)
    with pytest.raises(InclusionProofError, match="expected an index"):
        verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3), (-2, -1)])
def test_no_proof_is_made_for_a_tree_that_shrinks(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not extend"):
        prove_consistency(old, new, stored)
    with pytest.raises(ConsistencyProofError, match="expected sizes"):
        verify_consistency(old, LEAVES[0], new, LEAVES[0], [LEAVES[0]])


def test_no_tree_has_a_negative_size() -> None:
    with pytest.raises(ValueError, match="-1"):
        frontier_nodes(-1)


def test_one_size_with_two_roots_is_not_consistent() -> None:
    with pytest.raises(ConsistencyProofError, match="two roots"):
        verify_consistency(5, root_of(0, 5), 5, root_of(0, 6), [])


@pytest.mark.parametrize("new", [0, 4])
def test_the_empty_tree_has_one_root(new: int) -> None:
    with pytest.raises(ConsistencyProofError, match="the empty tree"):
        verify_consistency(0, LEAVES[0], new, root_of(0, new), [])


def refused(error: type[ProofError], check: Callable[[list[bytes]], None], proof: list[bytes]) -> None:
    with pytest.raises(error):
        check(proof)


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value) ^ 1 << bit).to_bytes(len(value))


def spoilt(proof: list[bytes], bits: range) -> list[list[bytes]]:
    """List the proof with one bit flipped, a hash cut, grown, left out, repeated, exchanged or added."""
    every: list[list[bytes]] = []
    for at, value in enumerate(proof):
        replacements = [[flipped(value, bit)] for bit in bits]
        replacements += [[value[:-1]], [value + b"\x00"], [b""], [], [value, value]]
        every += [proof[:at] + new + proof[at + 1 :] for new in replacements]
    every += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at in range(len(proof) - 1)]
    every += [[*proof, LEAVES[0]], [LEAVES[0], *proof], proof[::-1] if len(proof) > 1 else [b""]]
    return [each for each in every if each != proof]


def test_no_spoilt_inclusion_proof_verifies() -> None:
    for index, size in INCLUSIONS:
        bits = range(256) if size <= 12 else range(size % 256, 256, 101)

        def check(proof: list[bytes], index: int = index, size: int = size) -> None:
            verify_inclusion(LEAVES[index], index, size, proof, root_of(0, size))

        for proof in spoilt(path(index, 0, size), bits):
            refused(InclusionProofError, check, proof)


def test_no_spoilt_consistency_proof_verifies() -> None:
    for old, new in STEPS:
        bits = range(256) if new <= 12 else range(new % 256, 256, 101)

        def check(proof: list[bytes], old: int = old, new: int = new) -> None:
            verify_consistency(old, root_of(0, old), new, root_of(0, new), proof)

        for proof in spoilt(subproof(old, 0, new, known=True), bits):
            refused(ConsistencyProofError, check, proof)


def test_an_inclusion_proof_holds_for_its_leaf_at_its_index_under_its_root_only() -> None:
    for index, size in INCLUSIONS:
        proof, root = path(index, 0, size), root_of(0, size)
        for other in range(size):
            if other != index:
                with pytest.raises(InclusionProofError):
                    verify_inclusion(LEAVES[index], other, size, proof, root)
                with pytest.raises(InclusionProofError):
                    verify_inclusion(LEAVES[other], index, size, proof, root)
        for wrong in (flipped(root, index), root[:-1], root + b"\x00", b""):
            with pytest.raises(InclusionProofError):
                verify_inclusion(LEAVES[index], index, size, proof, wrong)
        for wrong in (LEAVES[index][:-1], LEAVES[index] + b"\x00"):
            with pytest.raises(InclusionProofError, match="32 bytes"):
                verify_inclusion(wrong, index, size, proof, root)


def test_a_consistency_proof_holds_for_its_two_roots_only() -> None:
    for old, new in STEPS:
        proof = subproof(old, 0, new, known=True)
        for bit in (0, 255):
            with pytest.raises(ConsistencyProofError):
                verify_consistency(old, flipped(root_of(0, old), bit), new, root_of(0, new), proof)
            with pytest.raises(ConsistencyProofError):
                verify_consistency(old, root_of(0, old), new, flipped(root_of(0, new), bit), proof)


@given(st.data())
def test_a_large_tree_of_equal_leaves_proves_what_it_holds(data: st.DataObject) -> None:
    leaf = leaf_hash(b"the same each time")
    levels = [leaf]
    for _ in range(53):
        levels.append(sha256(b"\x01" + levels[-1] * 2).digest())
    new = data.draw(st.integers(1, 2**53 - 1))
    old = data.draw(st.integers(1, new))

    def root(size: int) -> bytes:
        return Frontier(size, tuple(levels[level] for level, _ in frontier_nodes(size))).root()

    def node(level: int, _index: int) -> bytes:
        return levels[level]

    verify_inclusion(leaf, old - 1, new, prove_inclusion(old - 1, new, node), root(new))
    proof = prove_consistency(old, new, node)
    assert len(proof) <= 54
    verify_consistency(old, root(old), new, root(new), proof)
