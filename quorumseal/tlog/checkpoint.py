# SPDX-License-Identifier: Apache-2.0
"""C2SP checkpoints (c2sp.org/tlog-checkpoint): a log's word on its size and root.

The specification allows extension lines and advises against them, since a log's monitors cannot audit them.
Quorumseal's log never writes any, and a checkpoint that has some is refused: a signed line that nobody checks
is room to tell two parties different things.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quorumseal.signatures import PrivateKey, PublicKey
from quorumseal.strict_json import MAX_INTEGER
from quorumseal.tlog.errors import MalformedCheckpointError, OtherOriginError
from quorumseal.tlog.merkle import EMPTY_ROOT, HASH_SIZE
from quorumseal.tlog.note import open_note, sign_note

# bounded by strict JSON's integers: every statement that names a checkpoint writes its size
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log signs: its origin, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin.isprintable() or not self.origin:
            raise ValueError(f"an origin is one printable line, not {self.origin!a}")
        if not 0 <= self.size <= MAX_INTEGER:
            raise ValueError(f"a log's size lies between 0 and {MAX_INTEGER}, {self.size} does not")
        if len(self.root) != HASH_SIZE:
            raise ValueError(f"a root is a hash of {HASH_SIZE} bytes, not of {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError(f"the empty log's root is {EMPTY_ROOT.hex()}, not {self.root.hex()}")

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, private_key: PrivateKey, key_name: str | None = None) -> bytes:
    """Sign a checkpoint as a note; the key's name is the origin unless another is given."""
    return sign_note(checkpoint.text, private_key, checkpoint.origin if key_name is None else key_name)


def open_checkpoint(
    note: bytes, origin: str, keys: Iterable[PublicKey], *, key_name: str | None = None
) -> Checkpoint:
    """Return the checkpoint in a note once one of the log's keys is seen to have signed it.

    The keys' name is the origin unless another is given.
    """
    checkpoint = _parse(open_note(note, origin if key_name is None else key_name, keys))
    if checkpoint.origin != origin:
        raise OtherOriginError(
            f"expected a checkpoint of {origin!a}, got one of {checkpoint.origin!a}",
            hint="this key signs for another log too; the policy names the log that counts",
        )
    return checkpoint


def _parse(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4:
        raise MalformedCheckpointError(
            f"expected the lines origin, size and root, got {len(lines) - 1} lines"
        )
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise MalformedCheckpointError(f"expected a size in plain decimal, got {size[:80]!a}")
    try:
        checkpoint = Checkpoint(origin, int(size), b64decode(root, validate=True))
    except ValueError as reason:
        raise MalformedCheckpointError(f"expected a checkpoint: {reason}") from None
    if checkpoint.text != text:
        raise MalformedCheckpointError("expected the checkpoint as it is written, got another spelling of it")
    return checkpoint
