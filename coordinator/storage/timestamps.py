# SPDX-License-Identifier: Apache-2.0
"""Timestamps of conclusions: beside the log, which is the same without them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from coordinator.storage.appending import write_new
from coordinator.storage.engine import Engines
from coordinator.storage.rows import TimestampRow, from_milliseconds, to_milliseconds
from coordinator.storage.schema import ceremonies, timestamps

_MOST = 8
_PUBLISHED = ("approved", "provisional")


class TimestampTable:
    """Kept once, never changed."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def keep(self, row: TimestampRow) -> None:
        """Keep a timestamp; the first one of a ceremony stays."""
        values: dict[str, object] = {"ceremony": row.ceremony, "authority": row.authority, "token": row.token}
        with self._engines.writing() as connection:
            write_new(connection, timestamps, [values])

    def of(self, wanted: Collection[str]) -> list[TimestampRow]:
        """Return the timestamps of some ceremonies."""
        columns = (timestamps.c.ceremony, timestamps.c.authority, timestamps.c.token)
        found = select(*columns).where(timestamps.c.ceremony.in_(wanted)).order_by(timestamps.c.ceremony)
        with self._engines.reading() as connection:
            return [
                TimestampRow(ceremony=ceremony, authority=authority, token=bytes(token))
                for ceremony, authority, token in connection.execute(found)
            ]

    def unstamped(self, ceremony: str) -> datetime | None:
        """Return when a ceremony was approved that has no timestamp; None where there is nothing to stamp."""
        wanted = _unstamped().where(ceremonies.c.ceremony == ceremony)
        with self._engines.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else from_milliseconds(row.ended_at)

    def missing(self, *, since: datetime, until: datetime) -> list[str]:
        """Return the newest ceremonies that were approved in a span of time and have no timestamp."""
        wanted = (
            _unstamped()
            .where(
                ceremonies.c.ended_at >= to_milliseconds(since),
                ceremonies.c.ended_at < to_milliseconds(until),
            )
            .order_by(ceremonies.c.ended_at.desc())
            .limit(_MOST)
        )
        with self._engines.reading() as connection:
            return [str(row[0]) for row in connection.execute(wanted)]


def _unstamped() -> Select[Any]:
    return (
        select(ceremonies.c.ceremony, ceremonies.c.ended_at)
        .outerjoin(timestamps, timestamps.c.ceremony == ceremonies.c.ceremony)
        .where(ceremonies.c.state.in_(_PUBLISHED), timestamps.c.ceremony.is_(None))
    )
