# SPDX-License-Identifier: Apache-2.0
"""Two checkpoints that one log signed and that contradict each other, as a file.

* **Same size, two roots** is proof: whoever has the log's keys can check it, nobody but the log can make it.
* **Two sizes** are an *accusation*.  The file proves that the log signed both; that the larger tree does not
  extend the smaller one cannot be shown by two hashes.  The file holds the consistency proof that its writer
  was given and that fails, or says by leaving it out that none was given.  The log does not sign proofs, so a
  writer could have spoilt one: the log answers by showing one that verifies.  An honest log always can; a
  forked one never.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from quorumseal.signatures import PublicKey
from quorumseal.strict_json import Fields, JsonValue, StrictJsonError, read, write
from quorumseal.tlog.checkpoint import Checkpoint, open_checkpoint
from quorumseal.tlog.errors import ConsistencyProofError, MalformedForkProofError, NotAForkError
from quorumseal.tlog.merkle import HASH_SIZE, verify_consistency
from quorumseal.tlog.note import MAX_NOTE_BYTES

FORK_PROOF_TYPE: Final = "https://quorumseal.dev/fork-proof/v1"
_MAX_PROOF_HASHES: Final = 64
_MAX_BYTES: Final = 4 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkProof:
    """A log's contradiction; made by ``fork_proof`` and ``read_fork_proof`` only, which verify it."""

    first: bytes
    second: bytes
    first_checkpoint: Checkpoint
    second_checkpoint: Checkpoint
    given: tuple[bytes, ...] | None
    """The consistency proof that the log gave and that fails; None where it gave none."""

    @property
    def conclusive(self) -> bool:
        """The two signatures alone convict the log: one size, two roots."""
        return self.first_checkpoint.size == self.second_checkpoint.size

    def write(self) -> bytes:
        """Write the file: both signed notes byte for byte, and the failing proof."""
        value: dict[str, JsonValue] = {
            "type": FORK_PROOF_TYPE,
            "format": 0,
            "origin": self.first_checkpoint.origin,
            "first": b64encode(self.first).decode(),
            "second": b64encode(self.second).decode(),
        }
        if self.given is not None:
            value["consistency"] = [b64encode(each).decode() for each in self.given]
        return write(value)


def fork_proof(
    first: bytes,
    second: bytes,
    origin: str,
    keys: Iterable[PublicKey],
    *,
    given: Sequence[bytes] | None = None,
) -> ForkProof:
    """Verify that two signed checkpoints contradict each other, or refuse.

    ``given`` is the consistency proof that the log offered between two sizes, None where it offered none.
    What is too long to be a proof, or not made of hashes, counts as none: it must not keep a fork from being
    written down.
    """
    keys = tuple(keys)
    one, other = open_checkpoint(first, origin, keys), open_checkpoint(second, origin, keys)
    if one.size == other.size:
        if one.root == other.root:
            raise NotAForkError(f"expected two roots for size {one.size}, got the same twice")
        given = None
    else:
        old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
        if old.size == 0:
            raise NotAForkError(
                f"expected a contradiction, got sizes 0 and {new.size}: every log began empty"
            )
        if given is not None and _could_be_a_proof(given):
            _require_failure(old, new, given)
        else:
            given = None
    return ForkProof(
        first=first,
        second=second,
        first_checkpoint=one,
        second_checkpoint=other,
        given=None if given is None else tuple(given),
    )


def read_fork_proof(data: bytes, origin: str, keys: Iterable[PublicKey]) -> ForkProof:
    """Read a fork-proof file and verify it anew with the log's keys."""
    try:
        fields = Fields(read(data, max_bytes=_MAX_BYTES), "fork-proof")
        fields.constant("type", FORK_PROOF_TYPE)
        fields.constant("format", 0)
        fields.constant("origin", origin)
        first, second = _bytes(fields.text("first")), _bytes(fields.text("second"))
        given = [_bytes(each) for each in fields.texts("consistency")] if "consistency" in fields else None
        fields.done()
    except StrictJsonError as reason:
        raise MalformedForkProofError(str(reason), hint=reason.hint) from reason
    proof = fork_proof(first, second, origin, keys, given=given)
    if proof.write() != data:
        raise MalformedForkProofError("expected the file as it is written, got another spelling of it")
    return proof


def _could_be_a_proof(given: Sequence[bytes]) -> bool:
    return len(given) <= _MAX_PROOF_HASHES and all(len(each) == HASH_SIZE for each in given)


def _require_failure(old: Checkpoint, new: Checkpoint, given: Sequence[bytes]) -> None:
    try:
        verify_consistency(old.size, old.root, new.size, new.root, given)
    except ConsistencyProofError:
        return
    raise NotAForkError(f"expected a proof that fails, got one that leads from size {old.size} to {new.size}")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise MalformedForkProofError(f"expected base64, got {text[:80]!a}") from None
