# SPDX-License-Identifier: Apache-2.0
"""One ceremony with the proof that the log has it: what agents look at and what bundles are made of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.log_succession import anchors
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import SignedPolicy, read_policy
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.tlog import (
    Checkpoint,
    ConsistencyProofError,
    InclusionProofError,
    hash_from_text,
    leaf_hash,
    open_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from quorumseal.verifier.errors import SeenCheckpointError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The entries of one ceremony from its opening on, and the proof of the last one."""

    entries: tuple[bytes, ...]
    index: int = 0
    """Where the last entry stands in the log."""
    inclusion: tuple[bytes, ...] = ()
    checkpoint: bytes = b""
    consistency: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    """Proofs from the sizes of the checkpoints that statements name to this checkpoint."""

    @property
    def logged(self) -> bool:
        """Whether there is a log to prove it by; a ceremony held in files has none."""
        return bool(self.checkpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPart:
    """A ceremony that was replayed through the rules, and the checkpoint that covers it."""

    chain: Chain
    checkpoint: Checkpoint


def open_log_checkpoint(note: bytes, log: Log, *later: Log) -> Checkpoint:
    """Return the checkpoint that the log's key for its size signed, as its policy says or a later one."""
    logs = (log, *later)
    checkpoint = open_checkpoint(note, log.origin, {key.key for each in logs for key in each.keys})
    return open_checkpoint(note, log.origin, {each.key_at(checkpoint.size) for each in logs})


def verify_part(part: Part, policy: SignedPolicy, *logs: Log) -> VerifiedPart:
    """Replay a ceremony through the rules, and see that the log has it; raise where either fails.

    ``logs`` say who signs for the log, where the policy's own does not: it rotated while this was open.
    """
    chain = replay_chain(part.entries, policy)
    return VerifiedPart(chain=chain, checkpoint=verify_logged(part, *(logs or (policy.policy.log,))))


def verify_logged(part: Part, log: Log, *later: Log) -> Checkpoint:
    """Return the log's checkpoint that covers the last entry of a part; raise where it does not."""
    checkpoint = open_log_checkpoint(part.checkpoint, log, *later)
    if part.index >= checkpoint.size:
        raise InclusionProofError(
            f"expected the last entry within the checkpoint's size {checkpoint.size}, got index {part.index}"
        )
    verify_inclusion(
        leaf_hash(part.entries[-1]), part.index, checkpoint.size, part.inclusion, checkpoint.root
    )
    return checkpoint


def verify_seen_checkpoints(
    part: Part, checkpoint: Checkpoint, also: Collection[SeenCheckpoint] = ()
) -> None:
    """See that every checkpoint that a statement names is a past of this one; raise where one is not."""
    every = seen_checkpoints(part.entries).union(also)
    named = sorted(every, key=lambda seen: (seen.size, seen.root))
    for size in sorted(part.consistency.keys() - {seen.size for seen in named if seen.size}):
        raise SeenCheckpointError(
            f"expected proofs from checkpoints that statements name, got one from size {size}",
            hint="nobody checks a proof that nothing asks for; leave it out",
        )
    for seen in named:
        if seen.size > checkpoint.size or (seen.size and seen.size not in part.consistency):
            raise SeenCheckpointError(
                f"expected a proof from the checkpoint of size {seen.size} that a statement names "
                f"to the one of size {checkpoint.size}, got none",
                hint="whoever made this bundle left it out; ask for a complete one",
            )
        root = hash_from_text(seen.root)
        try:
            verify_consistency(
                seen.size, root, checkpoint.size, checkpoint.root, part.consistency.get(seen.size, ())
            )
        except ConsistencyProofError as error:
            raise ConsistencyProofError(
                f"expected a log that extends the {seen.size} entries that a signer had seen, "
                f"got one that is not shown to: {error}",
                hint="somebody may have rewritten the log after it was signed: keep this bundle as evidence",
            ) from None


def seen_checkpoints(entries: tuple[bytes, ...]) -> frozenset[SeenCheckpoint]:
    """Return the distinct checkpoints that a ceremony names: its statements, and the policy it proposes."""
    found: set[SeenCheckpoint] = set()
    for entry in map(read_entry, entries):
        if entry.signed:
            found.add(read_statement(entry.envelope.payload).context.checkpoint.unsigned)
        if isinstance(proposed := entry.body.get("policy"), str):
            found |= anchors(read_policy(proposed.encode()).log)
    return frozenset(found)
