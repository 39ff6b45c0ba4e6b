# SPDX-License-Identifier: Apache-2.0
"""What witnesses cosigned: of each the newest, and the earliest that covers each conclusion."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, func, select, update

from coordinator.storage.appending import write_new
from coordinator.storage.engine import Engines
from coordinator.storage.rows import CosignatureRow
from coordinator.storage.schema import UNPUBLISHED, cosignatures, entries, outbox

AWAITING = "awaiting witnesses"
_PUBLISHED = ("approved", "provisional")


class CosignatureTable:
    """Never changed; what nothing needs any more goes when a newer one comes."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def newest(self, witness: str) -> int:
        """Return the size of the largest checkpoint that a witness cosigned; 0 where there is none."""
        with self._engines.reading() as connection:
            return next(iter(_newest(connection, witness)), 0)

    def keep(self, row: CosignatureRow) -> int:
        """Keep a cosignature that is not of a smaller tree than the witness's newest; return that one's size.

        What waits for cosignatures is due at once then.
        """
        with self._engines.writing() as connection:
            newest, earlier = (*_newest(connection, row.witness), 0, 0)[:2]
            if row.size < newest:
                return newest
            write_new(
                connection, cosignatures, [{"witness": row.witness, "size": row.size, "line": row.line}]
            )
            if row.size > newest and not _concluded(connection, earlier, newest):
                connection.execute(
                    delete(cosignatures).where(
                        cosignatures.c.witness == row.witness, cosignatures.c.size == newest
                    )
                )
            connection.execute(update(outbox).where(outbox.c.state == AWAITING).values(due_at=0))
        return row.size

    def awaited(self) -> bool:
        """Whether a publication waits for cosignatures."""
        waiting = select(exists().where(UNPUBLISHED, outbox.c.state == AWAITING))
        with self._engines.reading() as connection:
            return bool(connection.execute(waiting).scalar_one())

    def covering(self, size: int, witnesses: Collection[str]) -> list[CosignatureRow]:
        """Return of each of some witnesses the earliest cosignature of a tree of that size or more."""
        least = (
            select(cosignatures.c.witness, func.min(cosignatures.c.size).label("size"))
            .where(cosignatures.c.witness.in_(witnesses), cosignatures.c.size >= size)
            .group_by(cosignatures.c.witness)
            .subquery()
        )
        found = (
            select(cosignatures.c.size, cosignatures.c.witness, cosignatures.c.line)
            .join(
                least,
                (cosignatures.c.witness == least.c.witness) & (cosignatures.c.size == least.c.size),
            )
            .order_by(cosignatures.c.size, cosignatures.c.witness)
        )
        with self._engines.reading() as connection:
            return [
                CosignatureRow(size=size, witness=witness, line=line)
                for size, witness, line in connection.execute(found)
            ]


def _newest(connection: Connection, witness: str) -> list[int]:
    """Return the sizes of the two newest, the newest first."""
    wanted = (
        select(cosignatures.c.size)
        .where(cosignatures.c.witness == witness)
        .order_by(cosignatures.c.size.desc())
        .limit(2)
    )
    return [int(size) for (size,) in connection.execute(wanted)]


def _concluded(connection: Connection, after: int, upto: int) -> bool:
    """Whether something that is published concluded in a tree larger than ``after``, within ``upto``."""
    concluded = exists().where(
        entries.c.index >= after, entries.c.index < upto, entries.c.type.in_(_PUBLISHED)
    )
    return bool(connection.execute(select(concluded)).scalar_one())
