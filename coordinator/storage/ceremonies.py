# SPDX-License-Identifier: Apache-2.0
"""Ceremonies by release, by deadline and as lists: a projection of the log."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, TextClause, and_, delete, false, insert, or_, select, update

from coordinator.storage.appending import LostRaceError, ceremony_columns
from coordinator.storage.engine import Engines
from coordinator.storage.rows import AnnexRow, CeremonyRow, LogHead, from_milliseconds, to_milliseconds
from coordinator.storage.schema import CHANGE, EMERGENCY, REVOCATION, annexes, ceremonies, entries, log_head
from quorumseal.ceremony.fitting import Release

CEREMONY_COLUMNS = (
    ceremonies.c.ceremony,
    ceremonies.c.product,
    ceremonies.c.version,
    ceremonies.c.kind,
    ceremonies.c.mode,
    ceremonies.c.state,
    ceremonies.c.requester,
    ceremonies.c.identity,
    ceremonies.c.request,
    ceremonies.c.opened_at,
    ceremonies.c.deadline,
    ceremonies.c.due_at,
    ceremonies.c.ended_at,
    ceremonies.c.stopped_by,
    ceremonies.c.report_due,
    ceremonies.c.opened_index,
    ceremonies.c.concluded_index,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier ceremony for a release, and the entry that opened it."""

    row: CeremonyRow
    opening: bytes


class CeremonyTable:
    """Reads what ``append_to_log`` keeps up to date."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def get(self, ceremony: str) -> CeremonyRow | None:
        """Return a ceremony."""
        with self._engines.reading() as connection:
            row = connection.execute(
                select(*CEREMONY_COLUMNS).where(ceremonies.c.ceremony == ceremony)
            ).one_or_none()
            return None if row is None else ceremony_row(row)

    def earlier(self, releases: Collection[Release]) -> dict[Release, list[Earlier]]:
        """Return all ceremonies of some releases, oldest first."""
        found: dict[Release, list[Earlier]] = {release: [] for release in releases}
        # one condition each: of a list of triples, SQLite searches none by its index
        wanted = (
            and_(ceremonies.c.product == product, ceremonies.c.version == version, ceremonies.c.kind == kind)
            for product, version, kind in releases
        )
        with self._engines.reading() as connection:
            rows = connection.execute(
                select(*CEREMONY_COLUMNS, entries.c.payload)
                .join(entries, entries.c.index == ceremonies.c.opened_index)
                .where(or_(false(), *wanted))
            )
            # a release has a handful of ceremonies: sorted here, no database keeps a table for it
            for row in sorted(rows, key=lambda row: row.opened_index):
                each = ceremony_row(row)
                found[each.product, each.version, each.kind].append(Earlier(row=each, opening=row.payload))
        return found

    def emergencies(self) -> list[CeremonyRow]:
        """Return all emergencies, oldest first."""
        return self._all_where(EMERGENCY)

    def changes(self) -> list[CeremonyRow]:
        """Return all policy changes, oldest first."""
        return self._all_where(CHANGE)

    def revocations(self) -> list[CeremonyRow]:
        """Return all ceremonies about taking back a release, oldest first."""
        return self._all_where(REVOCATION)

    def open_ones(self) -> list[str]:
        """Return the ids of all open ceremonies."""
        with self._engines.reading() as connection:
            return list(
                connection.execute(
                    select(ceremonies.c.ceremony).where(ceremonies.c.state == "open")
                ).scalars()
            )

    def claim_due(self, at: datetime, *, until: datetime, limit: int) -> list[str]:
        """Take open ceremonies that time moves now; nobody else takes them before ``until``."""
        now = to_milliseconds(at)
        due = (
            select(ceremonies.c.ceremony)
            .where(
                ceremonies.c.state == "open",
                ceremonies.c.due_at <= now,
                ceremonies.c.claimed_until <= now,
            )
            .order_by(ceremonies.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._engines.writing() as connection:
            taken = list(connection.execute(due).scalars())
            if taken:
                connection.execute(
                    update(ceremonies)
                    .where(ceremonies.c.ceremony.in_(taken))
                    .values(claimed_until=to_milliseconds(until))
                )
        return taken

    def next_due(self) -> datetime | None:
        """Return when time next moves an open ceremony."""
        with self._engines.reading() as connection:
            first = connection.execute(
                select(ceremonies.c.due_at)
                .where(ceremonies.c.state == "open")
                .order_by(ceremonies.c.due_at)
                .limit(1)
            ).scalar_one_or_none()
        return None if first is None else from_milliseconds(first)

    def page(
        self, *, states: Collection[str], product: str, version: str, before: int | None, limit: int
    ) -> list[CeremonyRow]:
        """List ceremonies opened before an index, newest first."""
        query = select(*CEREMONY_COLUMNS).order_by(ceremonies.c.opened_index.desc()).limit(limit)
        if states:
            query = query.where(ceremonies.c.state.in_(states))
        if product:
            query = query.where(ceremonies.c.product == product)
        if version:
            query = query.where(ceremonies.c.version == version)
        if before is not None:
            query = query.where(ceremonies.c.opened_index < before)
        with self._engines.reading() as connection:
            return [ceremony_row(row) for row in connection.execute(query)]

    def annexes(self, ceremony: str) -> list[AnnexRow]:
        """Return the texts that belong to a ceremony."""
        with self._engines.reading() as connection:
            rows = connection.execute(
                select(annexes.c.commitment, annexes.c.salt, annexes.c.text)
                .where(annexes.c.ceremony == ceremony)
                .order_by(annexes.c.commitment)
            )
            return [
                AnnexRow(ceremony=ceremony, commitment=commitment, salt=salt, text=text)
                for commitment, salt, text in rows
            ]

    def _all_where(self, condition: TextClause) -> list[CeremonyRow]:
        query = select(*CEREMONY_COLUMNS).where(condition).order_by(ceremonies.c.opened_index)
        with self._engines.reading() as connection:
            return [ceremony_row(row) for row in connection.execute(query)]

    def all(self) -> list[CeremonyRow]:
        """Return the whole projection, in the order of the openings."""
        with self._engines.reading() as connection:
            rows = connection.execute(select(*CEREMONY_COLUMNS).order_by(ceremonies.c.opened_index))
            return [ceremony_row(row) for row in rows]

    def replace(self, rows: Iterable[CeremonyRow], *, following: LogHead) -> None:
        """Drop the projection and write it anew; ``LostRaceError`` if the log has moved on meanwhile."""
        columns = [ceremony_columns(row) for row in rows]
        with self._engines.writing() as connection:
            size = connection.execute(select(log_head.c.size).with_for_update()).scalar_one()
            if size != following.size:
                raise LostRaceError
            connection.execute(delete(ceremonies))
            if columns:
                connection.execute(insert(ceremonies), columns)


def _maybe_instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)


def ceremony_row(row: Row[*tuple[object, ...]]) -> CeremonyRow:
    """Return a ceremony as it was stored."""
    return CeremonyRow(
        ceremony=row.ceremony,
        product=row.product,
        version=row.version,
        kind=row.kind,
        mode=row.mode,
        state=row.state,
        requester=row.requester,
        identity=row.identity,
        request=row.request,
        opened_at=from_milliseconds(row.opened_at),
        deadline=from_milliseconds(row.deadline),
        due_at=_maybe_instant(row.due_at),
        ended_at=_maybe_instant(row.ended_at),
        stopped_by=row.stopped_by,
        report_due=_maybe_instant(row.report_due),
        opened_index=row.opened_index,
        concluded_index=row.concluded_index,
    )
