# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as an agent keeps them: with the log's own signature, and without anybody's beside it."""

import base64
from dataclasses import dataclass

from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.tlog import Checkpoint, hash_text, note_with, open_checkpoint, signature_on
from quorumseal.verifier.part import open_log_checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A checkpoint, and what the log signed it with."""

    checkpoint: Checkpoint
    signature: bytes
    """Key id and signature, as on the line of a note."""

    @property
    def size(self) -> int:
        """How many entries the log had."""
        return self.checkpoint.size

    @property
    def note(self) -> bytes:
        """The note with that one line: cosignatures, and lines that nobody can check, are not kept."""
        return note_with(self.checkpoint.text, self.checkpoint.origin, self.signature)

    @property
    def seen(self) -> SeenCheckpoint:
        """How a statement names it."""
        return SeenCheckpoint(
            size=self.checkpoint.size,
            root=hash_text(self.checkpoint.root),
            signature=base64.b64encode(self.signature).decode(),
        )


def signed_by_log(note: bytes, log: Log) -> Signature:
    """Return the checkpoint that the log's key for its size signed."""
    checkpoint = open_log_checkpoint(note, log)
    return Signature(
        checkpoint=checkpoint, signature=signature_on(note, log.origin, [log.key_at(checkpoint.size)])
    )


def verified_before(note: bytes, log: Log) -> Signature:
    """Return a checkpoint that was taken under the policy of its day, by which perhaps another key signed."""
    keys = [key.key for key in log.keys]
    return Signature(
        checkpoint=open_checkpoint(note, log.origin, keys), signature=signature_on(note, log.origin, keys)
    )
