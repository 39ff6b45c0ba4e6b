# SPDX-License-Identifier: Apache-2.0
"""Since when the oldest of each sort of due work waits: where a coordinator is at work, for moments only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from coordinator.storage.engine import Engines
from coordinator.storage.rows import from_milliseconds
from coordinator.storage.schema import UNDELIVERED, UNPUBLISHED, ceremonies, notices, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When the first of each was, or will be, due; None where nothing waits."""

    ceremonies: datetime | None
    bundles: datetime | None
    notices: datetime | None


class Hanging:
    """Reads the queues without taking anything from them."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def due(self) -> Due:
        """Return when the first of each sort is due."""
        queries = (
            select(func.min(ceremonies.c.due_at)).where(ceremonies.c.state == "open"),
            select(func.min(outbox.c.due_at)).where(UNPUBLISHED),
            select(func.min(notices.c.due_at)).where(UNDELIVERED),
        )
        with self._engines.reading() as connection:
            first = [connection.execute(query).scalar_one() for query in queries]
        due = [None if at is None else from_milliseconds(at) for at in first]
        return Due(ceremonies=due[0], bundles=due[1], notices=due[2])
