# SPDX-License-Identifier: Apache-2.0
"""Why the log's word was not taken.  Each class is one reason; ``code`` is stable and public."""

from typing import ClassVar

from quorumseal.refusal import Refusal


class TlogError(Refusal):
    """Base of every refusal of what a log says."""


class ProofError(TlogError):
    """A Merkle proof does not lead from what is known to the root that the log signed."""

    code: ClassVar[str] = "log.proof"


class InclusionProofError(ProofError):
    """The entry is not shown to be in the tree."""

    code: ClassVar[str] = "log.inclusion_proof"


class ConsistencyProofError(ProofError):
    """The larger tree is not shown to extend the smaller one."""

    code: ClassVar[str] = "log.consistency_proof"


class MalformedNoteError(TlogError):
    """The bytes are not a C2SP signed note in its one accepted spelling."""

    code: ClassVar[str] = "log.note_malformed"


class NoteSignatureError(TlogError):
    """No known key signed the note, or the signature of a known key is wrong."""

    code: ClassVar[str] = "log.note_signature"


class MalformedCheckpointError(TlogError):
    """The text of a signed note is not a checkpoint."""

    code: ClassVar[str] = "log.checkpoint_malformed"


class OtherOriginError(TlogError):
    """The checkpoint is of another log than the one asked about."""

    code: ClassVar[str] = "log.checkpoint_origin"


class MalformedForkProofError(TlogError):
    """The file is not a fork proof in its one accepted spelling."""

    code: ClassVar[str] = "log.fork_proof_malformed"


class NotAForkError(TlogError):
    """The two checkpoints do not contradict each other."""

    code: ClassVar[str] = "log.not_a_fork"


class CosignatureError(TlogError):
    """A line that claims to be a known witness's cosignature of this checkpoint is not."""

    code: ClassVar[str] = "log.cosignature"


class MalformedSubmissionError(TlogError):
    """The bytes are not a submission to a witness as C2SP tlog-witness prescribes."""

    code: ClassVar[str] = "log.submission_malformed"


class WitnessConflictError(TlogError):
    """The witness's newest checkpoint is not the one that the proof begins at, or contradicts this one."""

    code: ClassVar[str] = "log.witness_conflict"

    def __init__(self, message: str, *, size: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.size = size
        """Of the newest checkpoint that the witness cosigned."""
