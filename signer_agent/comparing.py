# SPDX-License-Identifier: Apache-2.0
"""Hold checkpoints against each other: a log has one history, whoever was shown it.

A checkpoint comes from the coordinator, from what somebody else signed, or from a file.  Either a proof leads
from the smaller tree to the larger one, or the log is shown to have signed both: then both notes are written
down, and nothing is signed any more.  An answer that does not come, or that says that the log is not that
long yet, accuses nobody: a slow coordinator, or one that lags behind another, is no liar.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.refusal import Refusal
from quorumseal.tlog import (
    Checkpoint,
    ConsistencyProofError,
    ProofError,
    hash_from_text,
    note_with,
    verify_consistency,
)
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.part import Part, seen_checkpoints
from signer_agent.agent import Agent
from signer_agent.checkpoints import Signature, signed_by_log, verified_before
from signer_agent.errors import LogBehindError
from signer_agent.fork import refuse_fork

_Proof = tuple[bytes, ...]


def newest_known(agent: Agent, log: Log) -> Signature | None:
    """Return the newest checkpoint that this agent has verified."""
    note = agent.journal.log.newest(log.origin)
    return None if note is None else verified_before(note, log)


def accept(agent: Agent, log: Log, known: Signature | None, note: bytes, proof: _Proof) -> Signature:
    """Return a checkpoint that extends the known one, and remember it; write down a fork."""
    signature = signed_by_log(note, log)
    if known is not None:
        if signature.checkpoint.size < known.checkpoint.size:
            raise LogBehindError(
                f"expected a log of {known.checkpoint.size} entries or more, which this agent has seen, "
                f"got one of {signature.checkpoint.size}",
                hint="try again; if it stays so, the coordinator has lost entries or hides them",
            )
        require_extended(agent, log, known, signature, proof, signature)
    return _keep(agent, signature)


def connect(agent: Agent, log: Log, note: bytes) -> None:
    """See that a checkpoint which came without proof belongs to the one history that this agent knows."""
    known, other = newest_known(agent, log), signed_by_log(note, log)
    if known is not None:
        _connect(agent, log, known, other)
    if known is None or other.checkpoint.size > known.checkpoint.size:
        _keep(agent, other)


def connect_met(agent: Agent, log: Log) -> None:
    """Connect what this agent met elsewhere, now that there is somebody to ask."""
    known = newest_known(agent, log)
    if known is None:
        return
    for note in agent.journal.log.met(log.origin):
        _connect(agent, log, known, verified_before(note, log))
        agent.journal.log.connected(log.origin, note)


def meet(agent: Agent, log: Log, note: bytes) -> None:
    """Take in a checkpoint that a file brought, where there may be nobody to ask for proofs.

    One of a size that this agent knows is compared at once; any other is kept until there is an answer.
    """
    other = signed_by_log(note, log)
    same = agent.journal.log.at(log.origin, other.checkpoint.size)
    if same is None:
        agent.journal.log.meet(other.checkpoint, other.note, at=agent.now())
    else:
        require_extended(agent, log, verified_before(same, log), other, None, other)


def meet_seen(agent: Agent, log: Log, statements: Iterable[SeenCheckpoint]) -> None:
    """Take in the checkpoints that statements in files name, as far as the log signed them."""
    for seen in statements:
        signature = _signed(seen, [seen.signature], log)
        if signature is not None and _convinces(signature.note, log):
            meet(agent, log, signature.note)


def meet_bundle(agent: Agent, log: Log, data: bytes) -> None:
    """See that what a bundle shows consumers of the log is the log that this agent was shown."""
    bundle = read_bundle(data)
    for note in (bundle.parts[-1].checkpoint, *(each.checkpoint for each in bundle.witnessed)):
        if note:
            meet(agent, log, note)
    connect_met(agent, log)


def compare_named(agent: Agent, log: Log, head: Signature, part: Part) -> None:
    """See that every checkpoint which a statement of a ceremony names is a past of the one it is shown in.

    No log has an entry that names a larger log than the one that it stands in: that needs no proof.
    """
    signatures = _signatures(part.entries)
    for seen in sorted(seen_checkpoints(part.entries), key=lambda each: (each.size, each.root)):
        met = partial(_signed, seen, signatures.get(seen, ()), log)
        given, last = part.consistency.get(seen.size), _Proof()
        for last in _proofs(agent, seen.size, head.size, given, met):
            if _leads(seen.size, _root(seen), head, last):
                break
        else:
            raise _contradiction(agent, log, met(), seen, head, last)


def require_extended(
    agent: Agent, log: Log, old: Signature, new: Signature, given: _Proof | None, met: Signature
) -> _Proof:
    """Return the proof by which one checkpoint extends the other; write down a fork where there is none.

    ``met`` is the one that is kept for later where nobody answers now.
    """
    last = _Proof()
    for last in _proofs(agent, old.size, new.size, given, lambda: met):
        if _leads(old.size, old.checkpoint.root, new, last):
            return last
    raise refuse_fork(agent.home, log, old.note, new.note, last)


def _proofs(
    agent: Agent, old: int, new: int, given: _Proof | None, met: Callable[[], Signature | None]
) -> Iterator[_Proof]:
    """Give the proof that was sent, and one that is asked for, so that no mishap accuses anybody: two in all.

    What cannot be connected now is kept, and asked about whenever there is an answer.
    """
    if not 0 < old < new:
        yield ()
        return
    asked = 0
    if given is not None:
        yield given
        asked = 1
    for _ in range(asked, 2):
        try:
            yield agent.connection.consistency(old, new).proof
        except Refusal:
            if (other := met()) is not None:
                agent.journal.log.meet(other.checkpoint, other.note, at=agent.now())
            raise


def _contradiction(
    agent: Agent,
    log: Log,
    met: Signature | None,
    seen: SeenCheckpoint,
    head: Signature,
    proof: _Proof,
) -> Refusal:
    """Write down a fork, by two checkpoints of one size where this agent has them; return the refusal."""
    if met is None:
        return ConsistencyProofError(
            f"expected a log that extends the {seen.size} entries that a signer had seen, "
            f"got one of {head.size} that is not shown to",
            hint="the statement does not hold what the log signed, so there is no proof: tell your auditor",
        )
    same = agent.journal.log.at(log.origin, seen.size)
    if same is not None and verified_before(same, log).checkpoint != met.checkpoint:
        return refuse_fork(agent.home, log, same, met.note, None)
    return refuse_fork(agent.home, log, met.note, head.note, proof if seen.size < head.size else None)


def _connect(agent: Agent, log: Log, one: Signature, other: Signature) -> None:
    old, new = sorted((one, other), key=lambda signature: signature.size)
    require_extended(agent, log, old, new, None, other)


def _leads(size: int, root: bytes, new: Signature, proof: _Proof) -> bool:
    try:
        verify_consistency(size, root, new.size, new.checkpoint.root, proof)
    except ProofError:
        return False
    return True


def _keep(agent: Agent, signature: Signature) -> Signature:
    agent.journal.log.keep(signature.checkpoint, signature.note, at=agent.now())
    return signature


def _signatures(entries: Sequence[bytes]) -> Mapping[SeenCheckpoint, Sequence[str]]:
    """Return what statements say that each checkpoint was signed with; any of them may be made up."""
    found: dict[SeenCheckpoint, list[str]] = {}
    for entry in map(read_entry, entries):
        if entry.signed:
            seen = read_statement(entry.envelope.payload).context.checkpoint
            found.setdefault(seen.unsigned, []).append(seen.signature)
    return found


def _signed(seen: SeenCheckpoint, signatures: Iterable[str], log: Log) -> Signature | None:
    """Return the checkpoint as the log signed it, where one of the signatures is the log's."""
    for signature in signatures if seen.size else ():
        checkpoint = Checkpoint(log.origin, seen.size, _root(seen))
        with suppress(Refusal):
            return verified_before(note_with(checkpoint.text, log.origin, base64.b64decode(signature)), log)
    return None


def _convinces(note: bytes, log: Log) -> bool:
    """Whether the key for its size signed a checkpoint; another key of the log convinces nobody."""
    try:
        signed_by_log(note, log)
    except Refusal:
        return False
    return True


def _root(seen: SeenCheckpoint) -> bytes:
    return hash_from_text(seen.root)
