# SPDX-License-Identifier: Apache-2.0
"""When to look at which ceremony again, and which mark was told to whom: once, whoever looks.

Alarms follow the log: ``set_alarms`` reads on from where the last look ended.  An alarm is taken by one
worker at a time, and what it finds is stored together with its marks in one transaction, so a worker that
is killed in between has told nothing, and the next one finds the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.storage.appending import write_notices
from coordinator.storage.engine import Engines
from coordinator.storage.rows import NoticeRow, from_milliseconds, to_milliseconds
from coordinator.storage.schema import alarms, entries, log_head, looked_through, marks

NO_CEREMONY = ""
"""Where marks are that belong to none."""
_MOST_ENTRIES = 10_000
_SILENT = ("late", "delivered")
"""Entries after which nobody is due to hear anything else than before."""
_OVER = ("approved", "vetoed", "rejected", "expired", "cancelled", "superseded")
"""Entries after which time brings nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A ceremony that is due to be looked at; nobody else does before ``taken_until``."""

    ceremony: str
    taken_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A mark that a person is told at, and the notices by which they are."""

    mark: str
    person: str
    notices: Sequence[NoticeRow]


class ReminderTables:
    """Alarms, and the marks that were told."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def set_alarms(self, due_at: datetime) -> int:
        """Read on in the log: set an alarm for what moved, stop those of what ended; return how far."""
        with self._engines.reading() as connection:
            read = connection.execute(select(looked_through.c.size)).scalar_one()
            if read == connection.execute(select(log_head.c.size)).scalar_one():
                return 0
        with self._engines.writing() as connection:
            start: int = connection.execute(select(looked_through.c.size).with_for_update()).scalar_one()
            size: int = connection.execute(select(log_head.c.size)).scalar_one()
            end = min(size, start + _MOST_ENTRIES)
            found = connection.execute(
                select(entries.c.ceremony, entries.c.type)
                .where(entries.c.index >= start, entries.c.index < end)
                .order_by(entries.c.index)
            ).all()
            newest = {ceremony: kind for ceremony, kind in found if kind not in _SILENT}
            if newest.pop(None, None) is not None:  # somebody is away
                connection.execute(update(alarms).values(due_at=_forward(due_at)))
            over = [ceremony for ceremony, kind in newest.items() if kind in _OVER]
            for part in _parts(over):
                connection.execute(delete(alarms).where(alarms.c.ceremony.in_(part)))
            _set(connection, newest.keys() - set(over), due_at)
            connection.execute(update(looked_through).values(size=end))
        return end - start

    def next_alarm(self) -> datetime | None:
        """Return when the next alarm is due."""
        with self._engines.reading() as connection:
            first = connection.execute(
                select(alarms.c.due_at).order_by(alarms.c.due_at).limit(1)
            ).scalar_one_or_none()
        return None if first is None else from_milliseconds(first)

    def claim(self, at: datetime, *, until: datetime, limit: int) -> list[Alarm]:
        """Take alarms that are due; unless settled before, they are due again at ``until``."""
        due = (
            select(alarms.c.ceremony)
            .where(alarms.c.due_at <= to_milliseconds(at))
            .order_by(alarms.c.due_at)
            .limit(limit)
        )
        with self._engines.writing() as connection:
            taken = list(connection.execute(due.with_for_update(skip_locked=True)).scalars())
            if taken:
                connection.execute(
                    update(alarms).where(alarms.c.ceremony.in_(taken)).values(due_at=to_milliseconds(until))
                )
        return [Alarm(ceremony=ceremony, taken_until=until) for ceremony in taken]

    def settle(self, alarm: Alarm, told: Iterable[Telling], *, at: datetime, again: datetime | None) -> int:
        """Store who is told what, unless they were before, and when to look again; return how many are."""
        with self._engines.writing() as connection:
            fresh = [each for each in told if _mark(connection, alarm.ceremony, each, at)]
            write_notices(connection, [notice for each in fresh for notice in each.notices])
            mine = alarms.c.due_at == to_milliseconds(alarm.taken_until)  # else the log moved meanwhile
            here = (alarms.c.ceremony == alarm.ceremony) & mine
            connection.execute(
                delete(alarms).where(here)
                if again is None
                else update(alarms).where(here).values(due_at=to_milliseconds(again))
            )
        return len(fresh)

    def tell_once(self, told: Sequence[Telling], *, at: datetime) -> int:
        """Store who is told what beside any ceremony, unless they were before; return how many are."""
        if not told:
            return 0
        with self._engines.writing() as connection:
            fresh = [each for each in told if _mark(connection, NO_CEREMONY, each, at)]
            write_notices(connection, [notice for each in fresh for notice in each.notices])
        return len(fresh)

    def tell_again(
        self, ceremony: str, telling: Telling, *, at: datetime, after: timedelta
    ) -> datetime | None:
        """Tell what may be told again after a while; return when it was told if that is too recent."""
        key = {"ceremony": ceremony, "mark": telling.mark, "person": telling.person}
        here = (marks.c.ceremony == ceremony) & (marks.c.mark == telling.mark)
        here &= marks.c.person == telling.person
        with self._engines.writing() as connection:
            if not _insert(connection, {**key, "at": to_milliseconds(at)}):
                moved = connection.execute(
                    update(marks)
                    .where(here, marks.c.at <= to_milliseconds(at - after))
                    .values(at=to_milliseconds(at))
                )
                if moved.rowcount != 1:
                    last: int = connection.execute(select(marks.c.at).where(here)).scalar_one()
                    return from_milliseconds(last)
            write_notices(connection, telling.notices)
        return None


def _mark(connection: Connection, ceremony: str, telling: Telling, at: datetime) -> bool:
    """Say that a person is told at a mark; return whether they were not before."""
    row = {"ceremony": ceremony, "mark": telling.mark, "person": telling.person, "at": to_milliseconds(at)}
    return _insert(connection, row)


def _insert(connection: Connection, row: dict[str, object]) -> bool:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(marks).values(row).on_conflict_do_nothing().returning(marks.c.person)
    return connection.execute(insert).first() is not None


def _set(connection: Connection, ceremonies: Iterable[str], due_at: datetime) -> None:
    """Set alarms, or bring them forward."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [{"ceremony": ceremony, "due_at": to_milliseconds(due_at)} for ceremony in ceremonies]
    if rows:
        insert = dialect.insert(alarms)
        forward = {"due_at": _forward(due_at)}
        connection.execute(insert.on_conflict_do_update(index_elements=["ceremony"], set_=forward), rows)


def _forward(due_at: datetime) -> ColumnElement[int]:
    """Bring an alarm forward, by a millisecond at least: whoever has taken it sees that the log moved."""
    instant = to_milliseconds(due_at)
    return case((alarms.c.due_at > instant, instant), else_=alarms.c.due_at - 1)


def _parts(names: Sequence[str], size: int = 1000) -> Iterable[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
