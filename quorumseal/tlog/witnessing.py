# SPDX-License-Identifier: Apache-2.0
"""What a witness cosigns (c2sp.org/tlog-witness), and the bytes by which it is asked.

A witness keeps one checkpoint of a log: the newest that it cosigned.  It cosigns another only where a proof
leads there from the one it keeps, and only after it has kept the new one: so it never vouches for two
histories, nor for a smaller tree after a larger one.  Its memory is its caller's: here is the rule alone.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quorumseal.signatures import PublicKey
from quorumseal.tlog.checkpoint import Checkpoint, open_checkpoint
from quorumseal.tlog.errors import MalformedSubmissionError, WitnessConflictError
from quorumseal.tlog.merkle import EMPTY_ROOT, verify_consistency

MAX_PROOF_HASHES: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A checkpoint that somebody wants cosigned, and the proof from the one that the witness keeps."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    """The log's signed note."""


def nothing_seen(origin: str) -> Checkpoint:
    """Return what a witness keeps of a log before it cosigned anything: every log began empty."""
    return Checkpoint(origin, 0, EMPTY_ROOT)


def admit(kept: Checkpoint, submission: Submission, keys: Iterable[PublicKey]) -> Checkpoint:
    """Return the checkpoint that may be cosigned, once it is kept durably instead of ``kept``; or refuse.

    In the specification's order: origin and signature, old size within the tree, the tree that the witness
    keeps, one root for one size, the proof.
    """
    checkpoint = open_checkpoint(submission.checkpoint, kept.origin, keys)
    if submission.old_size > checkpoint.size:
        raise MalformedSubmissionError(
            f"expected an old size within the tree of {checkpoint.size}, got {submission.old_size}"
        )
    if submission.old_size != kept.size:
        raise WitnessConflictError(
            f"expected a proof from size {kept.size}, which was cosigned last, got one from "
            f"{submission.old_size}",
            size=kept.size,
            hint=f"send the proof from {kept.size} to a tree that is not smaller",
        )
    if checkpoint.size == kept.size and checkpoint.root != kept.root:
        raise WitnessConflictError(
            f"expected root {kept.root.hex()} for size {kept.size}, got {checkpoint.root.hex()}",
            size=kept.size,
            hint="the log signed two histories: keep both checkpoints, and ask its operator",
        )
    verify_consistency(kept.size, kept.root, checkpoint.size, checkpoint.root, submission.proof)
    return checkpoint


def write_submission(submission: Submission) -> bytes:
    """Write the body of ``add-checkpoint``."""
    if len(submission.proof) > MAX_PROOF_HASHES:
        raise ValueError(f"a proof has at most {MAX_PROOF_HASHES} hashes, not {len(submission.proof)}")
    head = [f"old {submission.old_size}", *(b64encode(node).decode() for node in submission.proof)]
    return "\n".join([*head, "", ""]).encode() + submission.checkpoint
