# SPDX-License-Identifier: Apache-2.0
"""Notices on their way: written with what causes them, taken by one worker at a time, at least once."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Update, func, select, update

from coordinator.storage.appending import write_notices
from coordinator.storage.engine import Engines
from coordinator.storage.rows import DeliveryState, NoticeRow, from_milliseconds, to_milliseconds
from coordinator.storage.schema import UNDELIVERED, notices

_COLUMNS = (
    notices.c.id,
    notices.c.channel,
    notices.c.address,
    notices.c.instead_of,
    notices.c.notice,
    notices.c.state,
    notices.c.attempts,
    notices.c.due_at,
    notices.c.detail,
)


class NoticeTable:
    """What is still to be delivered, and what became of the rest."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def add(self, rows: Iterable[NoticeRow]) -> None:
        """Put notices on their way; those that were put there before are not told again."""
        rows = list(rows)
        if rows:
            with self._engines.writing() as connection:
                write_notices(connection, rows)

    def of(self, notice: str) -> list[NoticeRow]:
        """Return a notice's ways to its addresses."""
        return self._select(notices.c.id == notice)

    def dead(self) -> list[NoticeRow]:
        """Return what was given up."""
        return self._select(notices.c.state == DeliveryState.DEAD)

    def counts(self) -> dict[tuple[str, DeliveryState], int]:
        """Count by channel and state."""
        query = select(notices.c.channel, notices.c.state, func.count()).group_by(
            notices.c.channel, notices.c.state
        )
        with self._engines.reading() as connection:
            return {
                (channel, DeliveryState(state)): count for channel, state, count in connection.execute(query)
            }

    def claim(self, channel: str, at: datetime, *, until: datetime, limit: int) -> list[NoticeRow]:
        """Take what is due on a channel; unless settled before, it is due again at ``until``."""
        due = (
            select(*_COLUMNS)
            .where(UNDELIVERED, notices.c.channel == channel, notices.c.due_at <= to_milliseconds(at))
            .order_by(notices.c.due_at)
            .limit(limit)
        )
        with self._engines.reading() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._engines.writing() as connection:
            taken = [_row(*row) for row in connection.execute(due.with_for_update(skip_locked=True))]
            for row in taken:
                connection.execute(_where(row).values(due_at=to_milliseconds(until)))
        return taken

    def settle(self, row: NoticeRow, *, fallback: NoticeRow | None = None) -> None:
        """Store what became of an attempt, and the notice on the way that is left to it."""
        with self._engines.writing() as connection:
            connection.execute(
                _where(row).values(
                    state=row.state,
                    attempts=row.attempts,
                    due_at=to_milliseconds(row.due_at),
                    detail=row.detail,
                )
            )
            write_notices(connection, [fallback] if fallback else [])

    def _select(self, condition: ColumnElement[bool]) -> list[NoticeRow]:
        query = select(*_COLUMNS).where(condition).order_by(notices.c.due_at, notices.c.channel)
        with self._engines.reading() as connection:
            return [_row(*row) for row in connection.execute(query)]


def _where(row: NoticeRow) -> Update:
    """Address a row, as long as nobody has settled it for good."""
    return update(notices).where(
        notices.c.id == row.id,
        notices.c.channel == row.channel,
        notices.c.address == row.address,
        UNDELIVERED,
    )


def _row(
    id_: str,
    channel: str,
    address: str,
    instead_of: str,
    notice: str,
    state: str,
    attempts: int,
    due_at: int,
    detail: str,
) -> NoticeRow:
    return NoticeRow(
        id=id_,
        channel=channel,
        address=address,
        instead_of=instead_of,
        notice=notice,
        state=DeliveryState(state),
        attempts=attempts,
        due_at=from_milliseconds(due_at),
        detail=detail,
    )
