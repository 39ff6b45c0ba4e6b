# SPDX-License-Identifier: Apache-2.0
"""How much of everything there is, read at one instant, for whoever watches the coordinator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, func, select

from coordinator.storage.engine import Engines
from coordinator.storage.rows import from_milliseconds
from coordinator.storage.schema import (
    DEAD,
    UNDELIVERED,
    UNPUBLISHED,
    ceremonies,
    checkpoints,
    entries,
    notices,
    outbox,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of one instant; what there is none of is left out."""

    ceremonies: Mapping[str, int]
    """By state."""
    publications: Mapping[str, int]
    """By state."""
    oldest_unpublished: datetime | None
    """When the first ceremony ended whose bundle is not everywhere yet."""
    undelivered: int
    """Notices on their way."""
    dead: int
    """Notices that were given up."""
    checkpoint_size: int
    standing: int
    """Entries that belong to no ceremony."""


class Counting:
    """Counts by index where it can: nobody waits for a number."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def counts(self) -> Counts:
        """Count everything, in one transaction."""
        oldest = (
            select(func.min(ceremonies.c.ended_at))
            .join(outbox, outbox.c.ceremony == ceremonies.c.ceremony)
            .where(UNPUBLISHED)
        )
        with self._engines.reading() as connection:
            by_state, published = (_by(connection, each) for each in (ceremonies.c.state, outbox.c.state))
            since = connection.execute(oldest).scalar_one()
            undelivered, dead = (
                connection.execute(select(func.count()).select_from(notices).where(which)).scalar_one()
                for which in (UNDELIVERED, DEAD)
            )
            size = connection.execute(select(func.max(checkpoints.c.size))).scalar_one()
            standing = connection.execute(
                select(func.count()).select_from(entries).where(entries.c.ceremony.is_(None))
            ).scalar_one()
        return Counts(
            ceremonies=by_state,
            publications=published,
            oldest_unpublished=None if since is None else from_milliseconds(since),
            undelivered=undelivered,
            dead=dead,
            checkpoint_size=size or 0,
            standing=standing,
        )


def _by(connection: Connection, column: Column[str]) -> dict[str, int]:
    """Count the rows of a table by one of its columns."""
    rows = connection.execute(select(column, func.count()).group_by(column))
    return {row[0]: row[1] for row in rows}
