# SPDX-License-Identifier: Apache-2.0
"""Files of evidence, by their digest, in pieces."""

from collections.abc import Collection

from sqlalchemy import select

from coordinator.storage.appending import write_new
from coordinator.storage.engine import Engines
from coordinator.storage.schema import evidence, evidence_chunks

CHUNK_BYTES = 256 << 10


class EvidenceTable:
    """Stored once, never changed."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def put(self, digest: str, data: bytes) -> None:
        """Store a file unless it is there."""
        if self.size(digest) is not None:
            return
        pieces: list[dict[str, object]] = [
            {"digest": digest, "number": number, "data": data[start : start + CHUNK_BYTES]}
            for number, start in enumerate(range(0, len(data), CHUNK_BYTES))
        ]
        with self._engines.writing() as connection:
            write_new(connection, evidence, [{"digest": digest, "size": len(data)}])
            write_new(connection, evidence_chunks, pieces)

    def size(self, digest: str) -> int | None:
        """Return a file's size, None where it is not there."""
        with self._engines.reading() as connection:
            return connection.execute(
                select(evidence.c.size).where(evidence.c.digest == digest)
            ).scalar_one_or_none()

    def missing(self, digests: Collection[str]) -> set[str]:
        """Return those that are not stored."""
        with self._engines.reading() as connection:
            stored = connection.execute(select(evidence.c.digest).where(evidence.c.digest.in_(digests)))
            return set(digests) - set(stored.scalars())

    def chunk(self, digest: str, number: int) -> bytes | None:
        """Return one piece of a file, None after the last."""
        with self._engines.reading() as connection:
            return connection.execute(
                select(evidence_chunks.c.data).where(
                    evidence_chunks.c.digest == digest, evidence_chunks.c.number == number
                )
            ).scalar_one_or_none()
