# SPDX-License-Identifier: Apache-2.0
"""Long lists for people, a page at a time: by index, never by a number of rows to leave out.

Whatever is asked for, no more than ``WITHIN`` rows are looked at: a page costs the same however long the log
is.  Where a rare thing is not among them, the answer says how far it has looked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, TextClause, func, select

from coordinator.storage.ceremonies import CEREMONY_COLUMNS, ceremony_row
from coordinator.storage.engine import Engines
from coordinator.storage.rows import CeremonyRow, CheckpointRow
from coordinator.storage.schema import EMERGENCY, ceremonies, checkpoints

WITHIN: Final = 4000
_SCARCE: Final = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which ceremonies: empty means any."""

    states: Collection[str] = ()
    kind: str = ""
    emergencies: bool | None = None
    products: Collection[str] = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Some ceremonies, newest first."""

    rows: Sequence[CeremonyRow]
    reached: int | None
    """The index up to which it was looked, where that is not to the end and the page is not full."""


class CeremonyLists:
    """Reads what ``append_to_log`` keeps up to date."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def page(
        self,
        wanted: Wanted,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        within: int = WITHIN,
    ) -> Found:
        """List ceremonies opened before an index, newest first; ``after`` alone takes those next to it."""
        upwards = after is not None and before is None
        index = ceremonies.c.opened_index
        first, rest = _in_order(wanted)
        near = select(*CEREMONY_COLUMNS).order_by(index.asc() if upwards else index.desc()).limit(within)
        bounds = [index < before] if before is not None else []
        bounds += [index > after] if after is not None else []
        for condition in (*first, *bounds):
            near = near.where(condition)
        looked = near.subquery()
        query = select(looked).limit(limit)
        query = query.order_by(looked.c.opened_index.asc() if upwards else looked.c.opened_index.desc())
        for name, values in rest:
            query = query.where(looked.c[name].in_(values))
        edge = func.max(looked.c.opened_index) if upwards else func.min(looked.c.opened_index)
        with self._engines.reading() as connection:
            rows = [ceremony_row(row) for row in connection.execute(query)]
            reached: int | None = None
            if rest and len(rows) < limit:
                count, furthest = connection.execute(select(func.count(), edge).select_from(looked)).one()
                reached = furthest if count == within else None
        return Found(rows=rows[::-1] if upwards else rows, reached=reached)

    def next_due(self, limit: int) -> list[CeremonyRow]:
        """Return the open ceremonies that time moves next, the first one first."""
        return self._all(
            select(*CEREMONY_COLUMNS)
            .where(ceremonies.c.state == _SCARCE)
            .order_by(ceremonies.c.due_at)
            .limit(limit)
        )

    def of_version(self, product: str, version: str) -> list[CeremonyRow]:
        """Return all ceremonies about one version of a product, oldest first."""
        rows = self._all(
            select(*CEREMONY_COLUMNS).where(ceremonies.c.product == product, ceremonies.c.version == version)
        )
        return sorted(rows, key=lambda row: row.opened_index or 0)

    def checkpoints(self, *, before: int | None, limit: int) -> list[CheckpointRow]:
        """List checkpoints smaller than a size, the largest first."""
        query = select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note)
        if before is not None:
            query = query.where(checkpoints.c.size < before)
        with self._engines.reading() as connection:
            rows = connection.execute(query.order_by(checkpoints.c.size.desc()).limit(limit))
            return [CheckpointRow(*row) for row in rows]

    def _all(self, query: Select[tuple[object, ...]]) -> list[CeremonyRow]:
        with self._engines.reading() as connection:
            return [ceremony_row(row) for row in connection.execute(query)]


def _in_order(
    wanted: Wanted,
) -> tuple[list[ColumnElement[bool] | TextClause], list[tuple[str, Collection[str]]]]:
    """Return the one condition that an index answers, in its order, and those that are looked through."""
    first: list[ColumnElement[bool] | TextClause] = []
    rest: list[tuple[str, Collection[str]]] = []
    if wanted.version:  # with the products, a handful
        first = [ceremonies.c.version == wanted.version, ceremonies.c.product.in_(wanted.products)]
    elif wanted.emergencies:
        first = [EMERGENCY]
    elif wanted.states and set(wanted.states) != {"approved"} and len(wanted.states) == 1:
        first = [ceremonies.c.state.in_(wanted.states)]
    elif len(wanted.products) == 1:
        first = [ceremonies.c.product.in_(wanted.products)]
    elif len(wanted.states) == 1:
        first = [ceremonies.c.state.in_(wanted.states)]
    if wanted.states:
        rest.append(("state", wanted.states))
    if wanted.products:
        rest.append(("product", wanted.products))
    if wanted.kind:
        rest.append(("kind", [wanted.kind]))
    if wanted.emergencies is not None:
        rest.append(("mode", ["break-glass" if wanted.emergencies else "regular"]))
    return first, rest
