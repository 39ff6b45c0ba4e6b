# SPDX-License-Identifier: Apache-2.0
"""What others published: the reference tree of Certificate Transparency and the example of RFC 9162."""

import pytest

from quorumseal.tlog import (
    EMPTY_ROOT,
    Coordinate,
    Frontier,
    consistency_nodes,
    inclusion_nodes,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

# the eight entries of the reference tree, and all complete subtrees over them, level by level
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
NODES = [
    [bytes.fromhex(each) for each in level.split()]
    for level in (
        """
        6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
        96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
        0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7
        07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7
        bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
        4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658
        b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f
        46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1
        """,
        """
        fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
        5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
        0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
        ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
        """,
        """
        d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
        6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4
        """,
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
# index from 0, size, the first bytes of each hash of the published path
INCLUSION_PROOFS = [
    (0, 1, []),
    (0, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (5, 8, ["bc1a0643", "ca854ea1", "d37ee418"]),
    (2, 3, ["fac54203"]),
    (1, 5, ["6e340b9c", "5f083f0a", "bc1a0643"]),
]
CONSISTENCY_PROOFS = [
    (1, 1, []),
    (1, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    (6, 8, ["0ebc5d34", "ca854ea1", "d37ee418"]),
    (2, 5, ["5f083f0a", "bc1a0643"]),
]


def stored(level: int, index: int) -> bytes:
    return NODES[level][index]


def spelt_out(starts: list[str]) -> list[bytes]:
    known = {each.hex()[:8]: each for level in NODES for each in level}
    return [known[start] for start in starts]


def test_the_root_of_no_entries_is_the_published_one() -> None:
    assert ROOTS[0] == EMPTY_ROOT == Frontier().root()


def test_leaf_and_node_hashes_are_the_published_ones() -> None:
    assert [leaf_hash(entry) for entry in ENTRIES] == NODES[0]
    for level in range(3):
        pairs = zip(NODES[level][::2], NODES[level][1::2], strict=True)
        assert [node_hash(left, right) for left, right in pairs] == NODES[level + 1]


def test_roots_of_every_size_are_the_published_ones() -> None:
    frontier = Frontier()
    for size, entry in enumerate(ENTRIES, 1):
        frontier, completed = frontier.append(leaf_hash(entry))
        assert frontier.root() == ROOTS[size]
        assert all(node.hash == stored(node.level, node.index) for node in completed)


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION_PROOFS)
def test_published_inclusion_proofs_are_made_and_verify(index: int, size: int, path: list[str]) -> None:
    proof = spelt_out(path)
    assert prove_inclusion(index, size, stored) == proof
    verify_inclusion(NODES[0][index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY_PROOFS)
def test_published_consistency_proofs_are_made_and_verify(old: int, new: int, path: list[str]) -> None:
    proof = spelt_out(path)
    assert prove_consistency(old, new, stored) == proof
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


# RFC 9162, section 2.1.5: the tree of seven leaves, its nodes named by letters
A, B, C, D, E, F, J = (Coordinate(0, index) for index in range(7))
G, H, I = (Coordinate(1, index) for index in range(3))  # noqa: E741 - the RFC's letter
K = Coordinate(2, 0)
L = [I, J]  # not complete: folded from i and j


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, [B, H, *L]), (3, [C, G, *L]), (4, [F, J, K]), (6, [I, K])],
)
def test_the_inclusion_proofs_of_the_rfc_example_name_its_nodes(index: int, path: list[Coordinate]) -> None:
    assert inclusion_nodes(index, 7) == path


@pytest.mark.parametrize(
    ("old", "path"),
    [(3, [C, D, G, *L]), (4, L), (6, [I, J, K])],
)
def test_the_consistency_proofs_of_the_rfc_example_name_its_nodes(old: int, path: list[Coordinate]) -> None:
    assert consistency_nodes(old, 7) == path
