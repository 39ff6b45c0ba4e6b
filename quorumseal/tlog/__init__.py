# SPDX-License-Identifier: Apache-2.0
"""The transparency log as everybody sees it: an RFC 9162 Merkle tree and C2SP checkpoints.

``merkle`` hashes and verifies; ``frontier`` appends; ``proofs`` makes proofs from stored nodes; ``note`` and
``checkpoint`` are what the log signs; ``cosignature`` is what witnesses sign, and ``witnessing`` says when;
``fork`` is what an agent writes down when it signed two histories.
Nothing here reads a file, a clock or a database.
"""

from quorumseal.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from quorumseal.tlog.cosignature import (
    Cosignature,
    Witness,
    add_lines,
    cosign,
    cosigner_key,
    cosigner_key_id,
    read_cosignatures,
    read_cosigner_key,
)
from quorumseal.tlog.errors import (
    ConsistencyProofError,
    CosignatureError,
    InclusionProofError,
    MalformedCheckpointError,
    MalformedForkProofError,
    MalformedNoteError,
    MalformedSubmissionError,
    NotAForkError,
    NoteSignatureError,
    OtherOriginError,
    ProofError,
    TlogError,
    WitnessConflictError,
)
from quorumseal.tlog.fork import ForkProof, fork_proof, read_fork_proof
from quorumseal.tlog.frontier import Frontier
from quorumseal.tlog.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    Coordinate,
    Node,
    hash_from_text,
    hash_text,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from quorumseal.tlog.note import note_key_id, note_with, open_note, sign_note, signature_on, verifier_key
from quorumseal.tlog.proofs import (
    NodeSource,
    consistency_nodes,
    frontier_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
)
from quorumseal.tlog.witnessing import (
    Submission,
    admit,
    nothing_seen,
    write_submission,
)

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "Checkpoint",
    "ConsistencyProofError",
    "Coordinate",
    "Cosignature",
    "CosignatureError",
    "ForkProof",
    "Frontier",
    "InclusionProofError",
    "MalformedCheckpointError",
    "MalformedForkProofError",
    "MalformedNoteError",
    "MalformedSubmissionError",
    "Node",
    "NodeSource",
    "NotAForkError",
    "NoteSignatureError",
    "OtherOriginError",
    "ProofError",
    "Submission",
    "TlogError",
    "Witness",
    "WitnessConflictError",
    "add_lines",
    "admit",
    "consistency_nodes",
    "cosign",
    "cosigner_key",
    "cosigner_key_id",
    "fork_proof",
    "frontier_nodes",
    "hash_from_text",
    "hash_text",
    "inclusion_nodes",
    "leaf_hash",
    "node_hash",
    "note_key_id",
    "note_with",
    "nothing_seen",
    "open_checkpoint",
    "open_note",
    "prove_consistency",
    "prove_inclusion",
    "read_cosignatures",
    "read_cosigner_key",
    "read_fork_proof",
    "sign_checkpoint",
    "sign_note",
    "signature_on",
    "verifier_key",
    "verify_consistency",
    "verify_inclusion",
    "write_submission",
]
