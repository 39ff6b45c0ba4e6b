# SPDX-License-Identifier: Apache-2.0
"""Merkle proofs (RFC 9162, section 2.1) and signed checkpoints (docs/spec/log.md)."""

import base64
import hashlib
import re
from dataclasses import dataclass

from tests.second_verifier import keys
from tests.second_verifier.refusing import Refused, need
from tests.second_verifier.values import base64_bytes, origin

EMPTY = hashlib.sha256(b"").digest()
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def leaf(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def parent(left: bytes, right: bytes) -> bytes:
    """The hash of two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def prove_inclusion(root: bytes, size: int, index: int, entry: bytes, proof: tuple[bytes, ...]) -> None:
    """RFC 9162, section 2.1.3.2."""
    need(0 <= index < size, "log.inclusion_proof")
    number, last, found = index, size - 1, leaf(entry)
    for node in proof:
        need(last > 0, "log.inclusion_proof")
        if number & 1 or number == last:
            found = parent(node, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = parent(found, node)
        number, last = number >> 1, last >> 1
    need(last == 0 and found == root, "log.inclusion_proof")


def prove_extends(small: int, small_root: bytes, size: int, root: bytes, proof: tuple[bytes, ...]) -> None:
    """RFC 9162, section 2.1.4.2."""
    code = "log.consistency_proof"
    need(small <= size, code)
    if small == size or small == 0:
        need(not proof and (small_root == root if small else small_root == EMPTY), code)
        return
    nodes = list(proof)
    if small & (small - 1) == 0:
        nodes.insert(0, small_root)
    need(bool(nodes), code)
    number, last = small - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        need(last > 0, code)
        if number & 1 or number == last:
            first, second = parent(node, first), parent(node, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = parent(second, node)
        number, last = number >> 1, last >> 1
    need(last == 0 and first == small_root and second == root, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Size and root of a log, and who signed that."""

    origin: str
    size: int
    root: bytes
    text: bytes
    lines: tuple[tuple[str, bytes], ...]
    """The name and the decoded bytes (key id, signature) of each line."""


def note(data: str) -> Checkpoint:
    """A checkpoint in a signed note, in its one spelling."""
    malformed = "log.note_malformed"
    need(not any(c < " " and c != "\n" for c in data), malformed)
    head, blank, tail = data.rpartition("\n\n")
    need(bool(blank) and tail.endswith("\n"), malformed)
    lines = []
    written = tail[:-1].split("\n")
    need(len(set(written)) == len(written) <= 64, malformed)
    for line in written:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "—" and bool(parts[1]), malformed)
        need(not any(c.isspace() or c == "+" for c in parts[1]), malformed)
        lines.append((parts[1], base64_bytes(parts[2], malformed)))
    need(len(lines) >= 1 and all(len(line) > 4 for _, line in lines), malformed)
    text = head + "\n"
    body = text.split("\n")
    need(len(body) == 4 and body[3] == "", "log.checkpoint_malformed", f"{body!r:.80}")
    need(_NUMBER.fullmatch(body[1]) is not None, "log.checkpoint_malformed")
    root = base64_bytes(body[2], "log.checkpoint_malformed")
    need(len(root) == 32, "log.checkpoint_malformed")
    try:
        named = origin(body[0])
    except Refused as bad:
        raise Refused("log.checkpoint_malformed") from bad
    return Checkpoint(origin=named, size=int(body[1]), root=root, text=text.encode(), lines=tuple(lines))


def note_key(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that a line begins with."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def signed_by(checkpoint: Checkpoint, spki: bytes) -> bool:
    """Whether the log's key signed it; a line that names the key and is not its own refuses the note."""
    hint, found = note_key(checkpoint.origin, 1, spki[12:]), 0
    for name, line in checkpoint.lines:
        if name == checkpoint.origin and line[:4] == hint:
            good = keys.signed(keys.ED25519, spki, checkpoint.text, line[4:])
            need(good, "log.note_signature")
            found += 1
    return found > 0


def hexadecimal(root: bytes) -> str:
    """As statements name a root."""
    return "sha256:" + root.hex()


def encoded(root: bytes) -> str:
    """As checkpoints name a root."""
    return base64.b64encode(root).decode()
