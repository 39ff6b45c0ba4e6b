# SPDX-License-Identifier: Apache-2.0
"""Files of evidence, by their digest, in pieces.

What a request in the log names is kept for ever.  What none names yet counts against whoever sent it, and
goes when it has waited too long: a request marks what it names in the transaction that opens its ceremony,
and whoever looks whether it is there puts off its end before.  What a recovered request names is awaited:
it is marked when it is sent again.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update

from coordinator.storage.appending import write_new
from coordinator.storage.engine import Engines
from coordinator.storage.rows import to_milliseconds
from coordinator.storage.schema import evidence, evidence_awaited, evidence_chunks

CHUNK_BYTES = 256 << 10


class EvidenceTable:
    """Stored once, never changed."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def put(self, digest: str, data: bytes, *, uploader: str, until: datetime) -> None:
        """Store a file unless it is there; unless a request names it, it goes after ``until``."""
        if not self.missing([digest], until=until):
            return
        row: dict[str, object] = {
            "digest": digest,
            "size": len(data),
            "uploader": uploader,
            "named": int(self.awaited(digest)),
            "kept_until": to_milliseconds(until),
        }
        pieces: list[dict[str, object]] = [
            {"digest": digest, "number": number, "data": data[start : start + CHUNK_BYTES]}
            for number, start in enumerate(range(0, len(data), CHUNK_BYTES))
        ]
        with self._engines.writing() as connection:
            write_new(connection, evidence, [row])
            write_new(connection, evidence_chunks, pieces)

    def waiting(self, uploader: str | None = None) -> int:
        """Return how many bytes no request names yet, of one uploader or of all."""
        total = select(func.coalesce(func.sum(evidence.c.size), 0)).where(evidence.c.named == 0)
        if uploader is not None:
            total = total.where(evidence.c.uploader == uploader)
        with self._engines.reading() as connection:
            return int(connection.execute(total).scalar_one())

    def awaited(self, digest: str) -> bool:
        """Whether a request that a recovery brought back names a file."""
        known = select(evidence_awaited.c.digest).where(evidence_awaited.c.digest == digest)
        with self._engines.reading() as connection:
            return connection.execute(known).first() is not None

    def size(self, digest: str) -> int | None:
        """Return a file's size, None where it is not there."""
        with self._engines.reading() as connection:
            return connection.execute(
                select(evidence.c.size).where(evidence.c.digest == digest)
            ).scalar_one_or_none()

    def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return how large some files are; those that are not there are left out."""
        wanted = select(evidence.c.digest, evidence.c.size).where(evidence.c.digest.in_(digests))
        with self._engines.reading() as connection:
            return {row.digest: row.size for row in connection.execute(wanted)}

    def missing(self, digests: Collection[str], *, until: datetime) -> set[str]:
        """Return those that are not stored; the others stay until then at least."""
        later = to_milliseconds(until)
        with self._engines.writing() as connection:
            connection.execute(
                update(evidence)
                .where(evidence.c.digest.in_(digests), evidence.c.kept_until < later)
                .values(kept_until=later)
            )
            stored = connection.execute(select(evidence.c.digest).where(evidence.c.digest.in_(digests)))
            return set(digests) - set(stored.scalars())

    def sweep(self, at: datetime) -> int:
        """Remove what no request named in time; return how many files that were."""
        over = (
            (evidence.c.named == 0)
            & (evidence.c.kept_until < to_milliseconds(at))
            # Sent in the very moment of the recovery, neither knew of the other.
            & evidence.c.digest.not_in(select(evidence_awaited.c.digest))
        )
        with self._engines.reading() as connection:
            if connection.execute(select(evidence.c.digest).where(over).limit(1)).first() is None:
                return 0
        with self._engines.writing() as connection:
            removed = connection.execute(delete(evidence).where(over).returning(evidence.c.digest))
            gone = list(removed.scalars())
            connection.execute(delete(evidence_chunks).where(evidence_chunks.c.digest.in_(gone)))
            return len(gone)

    def chunk(self, digest: str, number: int) -> bytes | None:
        """Return one piece of a file, None after the last."""
        with self._engines.reading() as connection:
            return connection.execute(
                select(evidence_chunks.c.data).where(
                    evidence_chunks.c.digest == digest, evidence_chunks.c.number == number
                )
            ).scalar_one_or_none()
