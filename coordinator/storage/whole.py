# SPDX-License-Identifier: Apache-2.0
"""Everything that a database has of its log, in one read transaction: for whoever examines it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from coordinator.storage.engine import Engines
from coordinator.storage.rows import AnnexRow, CheckpointRow, EntryRow
from coordinator.storage.schema import (
    annexes,
    checkpoints,
    entries,
    evidence,
    evidence_chunks,
    log_head,
    tree_nodes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeLog:
    """The tables that are the log, row by row as they are stored."""

    entries: tuple[EntryRow, ...]
    nodes: Mapping[tuple[int, int], bytes]
    """Hashes by level and index."""
    head: tuple[int, bytes, int] | None
    """Size, root, and the time in milliseconds."""
    checkpoints: tuple[CheckpointRow, ...]
    annexes: tuple[AnnexRow, ...]
    evidence: Mapping[str, tuple[str, int, int]]
    """By its digest: the digest and the size that its chunks have, and the size that is stored."""


def read_whole(engines: Engines) -> WholeLog:
    """Read all of it."""
    with engines.reading() as connection:
        head = connection.execute(select(log_head.c.size, log_head.c.root, log_head.c.at)).one_or_none()
        rows = connection.execute(
            select(
                entries.c.index, entries.c.type, entries.c.ceremony, entries.c.seq, entries.c.payload
            ).order_by(entries.c.index)
        )
        notes = connection.execute(
            select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note).order_by(checkpoints.c.size)
        )
        nodes = connection.execute(select(tree_nodes.c.level, tree_nodes.c.index, tree_nodes.c.hash))
        texts = connection.execute(
            select(annexes.c.ceremony, annexes.c.commitment, annexes.c.salt, annexes.c.text).order_by(
                annexes.c.ceremony, annexes.c.commitment
            )
        )
        return WholeLog(
            entries=tuple(EntryRow(*row) for row in rows),
            nodes={(level, index): node for level, index, node in nodes},
            head=None if head is None else (head.size, head.root, head.at),
            checkpoints=tuple(CheckpointRow(*row) for row in notes),
            annexes=tuple(
                AnnexRow(ceremony=ceremony, commitment=commitment, salt=salt, text=text)
                for ceremony, commitment, salt, text in texts
            ),
            evidence=_evidence(connection),
        )


def _evidence(connection: Connection) -> dict[str, tuple[str, int, int]]:
    stored = connection.execute(select(evidence.c.digest, evidence.c.size).where(evidence.c.named == 1))
    found: dict[str, tuple[str, int, int]] = {}
    for digest, size in stored.all():
        chunks = connection.execute(
            select(evidence_chunks.c.data)
            .where(evidence_chunks.c.digest == digest)
            .order_by(evidence_chunks.c.number)
        )
        summed, length = sha256(), 0
        for (data,) in chunks:
            summed.update(data)
            length += len(data)
        found[digest] = f"sha256:{summed.hexdigest()}", length, size
    return found
