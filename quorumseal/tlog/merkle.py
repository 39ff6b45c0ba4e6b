# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 9162, section 2.1: how it hashes, and how a proof from it is verified.

The two verifications follow the RFC step by step and use its names (``fn``, ``sn``, ``fr``, ``sr``).  Every
hash is checked to be 32 bytes long first: the RFC's types say so, Python's do not.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from quorumseal.tlog.errors import ConsistencyProofError, InclusionProofError, ProofError

HASH_SIZE: Final = 32
_PREFIX: Final = "sha256:"

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves (RFC 9162, section 2.1.1)."""


class Coordinate(NamedTuple):
    """Where a complete subtree's root stands: its height, and its place among those of that height."""

    level: int
    index: int  # type: ignore[assignment] # nobody searches these tuples


class Node(NamedTuple):
    """The root of a complete subtree: nothing that is appended later ever changes it."""

    level: int
    index: int  # type: ignore[assignment] # nobody searches these tuples
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """Hash an entry's exact bytes to its leaf (RFC 9162, section 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees to the one above them (RFC 9162, section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def hash_text(digest: bytes) -> str:
    """Write a hash of the tree as people and documents have it."""
    return _PREFIX + digest.hex()


def hash_from_text(text: str) -> bytes:
    """Read what ``hash_text`` wrote."""
    return bytes.fromhex(text.removeprefix(_PREFIX))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at ``index`` in the tree of ``size`` leaves under ``root``.

    RFC 9162, section 2.1.3.2.
    """
    _require_hashes([leaf, *proof, root], InclusionProofError)
    # 1. the index lies in the tree
    if not 0 <= index < size:
        raise InclusionProofError(f"expected an index in a tree of {size} entries, got {index}")
    # 2, 3.
    fn, sn = index, size - 1
    r = leaf
    # 4. climb, one hash of the path at a time
    for p in proof:
        if sn == 0:  # a.
            raise InclusionProofError(_too_long(len(proof), f"entry {index} of {size}"))
        if fn & 1 or fn == sn:  # b.
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1  # c.
        sn >>= 1
    # 5.
    if sn != 0:
        raise InclusionProofError(_too_short(len(proof), f"entry {index} of {size}"))
    if r != root:
        raise InclusionProofError(f"entry {index} of {size}: {_other_root(root, r)}")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``new_size`` leaves begins with the leaves of the tree of ``old_size``.

    RFC 9162, section 2.1.4.2, which is about 0 < first < second.  Outside of that: every tree extends the
    empty one, and a tree extends itself; both need no proof, so one that is given is refused.
    """
    _require_hashes([old_root, new_root, *proof], ConsistencyProofError)
    if not 0 <= old_size <= new_size:
        raise ConsistencyProofError(
            f"expected sizes that grow from 0, got {old_size} and then {new_size}",
            hint="compare the older checkpoint with the newer one, in this order",
        )
    for size, root in ((old_size, old_root), (new_size, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ConsistencyProofError(f"the empty tree: {_other_root(EMPTY_ROOT, root)}")
    step = f"{old_size} to {new_size} entries"
    if old_size in {0, new_size}:
        if proof:
            raise ConsistencyProofError(_too_long(len(proof), step))
        if old_size == new_size and old_root != new_root:
            raise ConsistencyProofError(
                f"one size of {new_size}, two roots: {_other_root(old_root, new_root)}"
            )
        return
    # 1.
    if not proof:
        raise ConsistencyProofError(_too_short(0, step))
    # 2. an old tree that is a complete subtree is the path's first hash, and left out
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else [*proof]
    # 3, 4.
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # 5, 6. climb in both trees at once
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:  # a.
            raise ConsistencyProofError(_too_long(len(proof), step))
        if fn & 1 or fn == sn:  # b.
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1  # c.
        sn >>= 1
    # 7.
    if sn != 0:
        raise ConsistencyProofError(_too_short(len(proof), step))
    if fr != old_root:
        raise ConsistencyProofError(f"{step}, the old tree: {_other_root(old_root, fr)}")
    if sr != new_root:
        raise ConsistencyProofError(f"{step}, the new tree: {_other_root(new_root, sr)}")


def _require_hashes(hashes: Iterable[bytes], error: type[ProofError]) -> None:
    for each in hashes:
        if len(each) != HASH_SIZE:
            raise error(f"expected hashes of {HASH_SIZE} bytes, got one of {len(each)}")


def _too_long(count: int, what: str) -> str:
    return f"expected a shorter proof for {what}, got {count} hashes"


def _too_short(count: int, what: str) -> str:
    return f"expected a longer proof for {what}, got {count} hashes"


def _other_root(expected: bytes, got: bytes) -> str:
    return f"expected root {expected.hex()}, got {got.hex()}"
