# SPDX-License-Identifier: Apache-2.0
"""Bundles on their way: written with the approval, taken by one worker at a time, at least once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Update, select, update

from coordinator.storage.appending import outbox_columns, write_new, write_notices
from coordinator.storage.engine import Engines
from coordinator.storage.rows import NoticeRow, OutboxRow, from_milliseconds, to_milliseconds
from coordinator.storage.schema import UNPUBLISHED, outbox

_COLUMNS = (
    outbox.c.ceremony,
    outbox.c.destination,
    outbox.c.state,
    outbox.c.detail,
    outbox.c.attempts,
    outbox.c.due_at,
)


class Outbox:
    """What is still to be published, and what became of the rest."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def of(self, ceremony: str) -> list[OutboxRow]:
        """Return a bundle's way to each destination."""
        with self._engines.reading() as connection:
            rows = connection.execute(
                select(*_COLUMNS).where(outbox.c.ceremony == ceremony).order_by(outbox.c.destination)
            )
            return [_row(*row) for row in rows]

    def unpublished(self, ceremonies: Collection[str]) -> dict[str, str]:
        """Return of some ceremonies whose bundle is not everywhere yet how far it is."""
        wanted = (
            select(outbox.c.ceremony, outbox.c.state)
            .where(UNPUBLISHED, outbox.c.ceremony.in_(ceremonies))
            .order_by(outbox.c.destination.desc())
        )
        with self._engines.reading() as connection:
            return {str(ceremony): str(state) for ceremony, state in connection.execute(wanted)}

    def claim(
        self,
        destinations: Collection[str],
        at: datetime,
        *,
        until: datetime,
        ceremony: str = "",
        limit: int = 16,
    ) -> list[OutboxRow]:
        """Take what is due for some destinations; unless settled before, it is due again at ``until``."""
        due = (
            select(*_COLUMNS)
            .where(UNPUBLISHED, outbox.c.due_at <= to_milliseconds(at))
            .where(outbox.c.destination.in_(destinations))
            .order_by(outbox.c.due_at)
            .limit(limit)
        )
        if ceremony:
            due = due.where(outbox.c.ceremony == ceremony)
        with self._engines.reading() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._engines.writing() as connection:
            taken = [_row(*row) for row in connection.execute(due.with_for_update(skip_locked=True))]
            for row in taken:
                connection.execute(_where(row).values(due_at=to_milliseconds(until)))
        return taken

    def ask_again(self, rows: Sequence[OutboxRow]) -> None:
        """Make what is not published due at once, and add destinations that are new."""
        with self._engines.writing() as connection:
            write_new(connection, outbox, [outbox_columns(row) for row in rows])
            for row in rows:
                connection.execute(_where(row).values(due_at=to_milliseconds(row.due_at)))

    def settle(self, row: OutboxRow, notices: Sequence[NoticeRow] = ()) -> None:
        """Store what became of an attempt, and who is to be told."""
        with self._engines.writing() as connection:
            connection.execute(
                _where(row).values(
                    state=row.state,
                    detail=row.detail,
                    attempts=row.attempts,
                    due_at=to_milliseconds(row.due_at),
                )
            )
            write_notices(connection, notices)


def _where(row: OutboxRow) -> Update:
    """Address a row, as long as nobody has published it."""
    return (
        update(outbox)
        .where(outbox.c.ceremony == row.ceremony, outbox.c.destination == row.destination)
        .where(outbox.c.state != "published")
    )


def _row(ceremony: str, destination: str, state: str, detail: str, attempts: int, due_at: int) -> OutboxRow:
    return OutboxRow(
        ceremony=ceremony,
        destination=destination,
        state=state,
        detail=detail,
        attempts=attempts,
        due_at=from_milliseconds(due_at),
    )
