# SPDX-License-Identifier: Apache-2.0
"""Long lists for people, a page at a time: by index, never by a number of rows to leave out.

Whatever is asked for, no more than ``WITHIN`` rows are looked at: a page costs the same however long the log
is.  Where a rare thing is not among them, the answer says how far it has looked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, Subquery, TextClause, func, select

from coordinator.storage.ceremonies import CEREMONY_COLUMNS, ceremony_row
from coordinator.storage.engine import Engines
from coordinator.storage.rows import CeremonyRow, CheckpointRow
from coordinator.storage.schema import EMERGENCY, ceremonies, checkpoints

WITHIN: Final = 4000
_SCARCE: Final = "open"
Version = tuple[str, str]
"""A product and a version of it."""


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
        first, rest = _in_order(wanted)
        near = select(*CEREMONY_COLUMNS).order_by(_by_index(ceremonies.c.opened_index, upwards=upwards))
        bounds = [ceremonies.c.opened_index < before] if before is not None else []
        bounds += [ceremonies.c.opened_index > after] if after is not None else []
        for condition in (*first, *bounds):
            near = near.where(condition)
        if rest:
            return self._looked_through(near.limit(within).subquery(), rest, limit, within, upwards=upwards)
        rows = self._all(near.limit(limit))
        return Found(rows=rows[::-1] if upwards else rows, reached=None)

    def _looked_through(
        self, near: Subquery, rest: Mapping[str, Collection[str]], limit: int, within: int, *, upwards: bool
    ) -> Found:
        """Take what fits of those that are near; where that is less than a page, say how far that was."""
        index = near.c.opened_index
        query = select(near).order_by(_by_index(index, upwards=upwards)).limit(limit)
        for name, values in rest.items():
            query = query.where(near.c[name].in_(values))
        edge = func.max(index) if upwards else func.min(index)
        with self._engines.reading() as connection:
            rows = [ceremony_row(row) for row in connection.execute(query)]
            reached: int | None = None
            if len(rows) < limit:
                count, furthest = connection.execute(select(func.count(), edge).select_from(near)).one()
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

    def of_versions(self, wanted: Collection[Version]) -> dict[Version, list[CeremonyRow]]:
        """Return all ceremonies about some versions of products, each oldest first."""
        found: dict[Version, list[CeremonyRow]] = {version: [] for version in wanted}
        rows = self._all(
            select(*CEREMONY_COLUMNS).where(
                ceremonies.c.product.in_({product for product, _ in wanted}),
                ceremonies.c.version.in_({version for _, version in wanted}),
            )
        )
        for row in sorted(rows, key=lambda row: row.opened_index or 0):
            if (row.product, row.version) in found:
                found[row.product, row.version].append(row)
        return found

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


def _by_index(index: ColumnElement[int], *, upwards: bool) -> ColumnElement[int]:
    return index.asc() if upwards else index.desc()


def _in_order(
    wanted: Wanted,
) -> tuple[list[ColumnElement[bool] | TextClause], dict[str, Collection[str]]]:
    """Return the one condition that an index answers, in its order, and those that are looked through."""
    rest: dict[str, Collection[str]] = {"state": wanted.states, "product": wanted.products}
    rest["kind"] = [wanted.kind] if wanted.kind else ()
    if wanted.emergencies is not None:
        rest["mode"] = ["break-glass" if wanted.emergencies else "regular"]
    first: list[ColumnElement[bool] | TextClause] = []
    one_state, one_product = len(wanted.states) == 1, len(wanted.products) == 1
    if wanted.version:  # with the products, a handful
        first = [ceremonies.c.version == wanted.version, ceremonies.c.product.in_(rest.pop("product"))]
    elif wanted.emergencies:
        first = [EMERGENCY]
        del rest["mode"]
    elif one_state and not (one_product and "approved" in wanted.states):  # most are approved
        first = [ceremonies.c.state.in_(rest.pop("state"))]
    elif one_product:
        first = [ceremonies.c.product.in_(rest.pop("product"))]
    return first, {name: values for name, values in rest.items() if values}
