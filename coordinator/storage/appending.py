# SPDX-License-Identifier: Apache-2.0
"""The one durable transaction that appends to the log: all of it, if the head is still where it was."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.storage.engine import Engines
from coordinator.storage.rows import Append, CeremonyRow, NoticeRow, OutboxRow, to_milliseconds
from coordinator.storage.schema import (
    annexes,
    ceremonies,
    checkpoints,
    entries,
    evidence,
    evidence_awaited,
    handed_back,
    handed_texts,
    heard,
    log_head,
    notices,
    outbox,
    shown,
    tree_nodes,
)

CHANNEL = "quorumseal_log"

# Built once: every batch runs it, and building a statement costs as much as running it.
_MOVE_HEAD = (
    update(log_head)
    .where(
        log_head.c.id == 1,
        log_head.c.size == bindparam("old_size"),
        log_head.c.root == bindparam("old_root"),
        ~exists(select(literal(1)).where(shown.c.size >= 0)),  # nothing follows a log that lost its end
    )
    .values(size=bindparam("size"), root=bindparam("root"), at=bindparam("at"))
)
_MOVE_CEREMONY = (
    update(ceremonies)
    .where(ceremonies.c.ceremony == bindparam("moved"))
    .values(
        state=bindparam("new_state"),
        deadline=bindparam("new_deadline"),
        due_at=bindparam("new_due_at"),
        ended_at=bindparam("new_ended_at"),
        stopped_by=bindparam("new_stopped_by"),
        report_due=bindparam("new_report_due"),
        concluded_index=func.coalesce(ceremonies.c.concluded_index, bindparam("concluded")),
    )
)
_ROWS = 1000
"""In one statement: SQLite takes 32,766 parameters."""


class LostRaceError(Exception):
    """Another coordinator has appended first, or knows that the log is rewound: nothing was written."""


def append_to_log(engines: Engines, append: Append) -> None:
    """Write everything or nothing; ``LostRaceError`` unless the head is still the one that it follows."""
    with engines.writing() as connection:
        if append.recovers:
            for table in (shown, handed_back, handed_texts, heard):
                connection.execute(delete(table))
        moved = connection.execute(
            _MOVE_HEAD,
            {
                "old_size": append.before.size,
                "old_root": append.before.root,
                "size": append.after.size,
                "root": append.after.root,
                "at": to_milliseconds(append.after.at),
            },
        )
        if moved.rowcount != 1:
            raise LostRaceError
        _write_log(connection, append)
        _write_ceremonies(connection, append)
        if append.recovers:
            write_new(connection, evidence_awaited, [{"digest": each} for each in append.evidence])
        if engines.postgresql:
            connection.execute(text(f"NOTIFY {CHANNEL}"))


def _write_log(connection: Connection, append: Append) -> None:
    _insert(connection, entries, [(e.index, e.type, e.ceremony, e.seq, e.payload) for e in append.entries])
    _insert(connection, tree_nodes, append.nodes)
    _insert(connection, checkpoints, [(c.size, c.root, c.note) for c in append.checkpoints])


def _insert(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert many rows by one statement, in the order of the table's columns.

    Between two statements another thread takes over; row by row, a large batch would wait for as many turns.
    """
    preparer = connection.dialect.identifier_preparer
    columns = ", ".join(preparer.format_column(column) for column in table.columns)
    value = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    row = f"({', '.join([value] * len(table.columns))})"
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        values = ", ".join([row] * len(some))
        statement = f"INSERT INTO {preparer.format_table(table)} ({columns}) VALUES {values}"  # noqa: S608 - names are the schema's
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


def _write_ceremonies(connection: Connection, append: Append) -> None:
    # Ends before openings: the ceremony that a request supersedes makes room for it.
    if append.moved:
        connection.execute(_MOVE_CEREMONY, [_moved_columns(row) for row in append.moved])
    if append.evidence:
        connection.execute(update(evidence).where(evidence.c.digest.in_(append.evidence)).values(named=1))
    if append.opened:
        connection.execute(insert(ceremonies), [ceremony_columns(row) for row in append.opened])
    write_new(
        connection,
        annexes,
        [
            {"ceremony": a.ceremony, "commitment": a.commitment, "salt": a.salt, "text": a.text}
            for a in append.annexes
        ],
    )
    write_new(connection, outbox, [outbox_columns(row) for row in append.outbox])
    write_notices(connection, append.notices)


def ceremony_columns(row: CeremonyRow) -> dict[str, object]:
    """Return what is stored of a ceremony."""
    return {
        "ceremony": row.ceremony,
        "product": row.product,
        "version": row.version,
        "kind": row.kind,
        "mode": row.mode,
        "state": row.state,
        "requester": row.requester,
        "identity": row.identity,
        "request": row.request,
        "opened_at": to_milliseconds(row.opened_at),
        "deadline": to_milliseconds(row.deadline),
        "due_at": _maybe_milliseconds(row.due_at),
        "ended_at": _maybe_milliseconds(row.ended_at),
        "stopped_by": row.stopped_by,
        "report_due": _maybe_milliseconds(row.report_due),
        "opened_index": row.opened_index,
        "concluded_index": row.concluded_index,
    }


def _moved_columns(row: CeremonyRow) -> dict[str, object]:
    """Return what changes of a ceremony that is stored already."""
    return {
        "moved": row.ceremony,
        "new_state": row.state,
        "new_deadline": to_milliseconds(row.deadline),
        "new_due_at": _maybe_milliseconds(row.due_at),
        "new_ended_at": _maybe_milliseconds(row.ended_at),
        "new_stopped_by": row.stopped_by,
        "new_report_due": _maybe_milliseconds(row.report_due),
        "concluded": row.concluded_index,
    }


def _maybe_milliseconds(at: datetime | None) -> int | None:
    return None if at is None else to_milliseconds(at)


def outbox_columns(row: OutboxRow) -> dict[str, object]:
    """Return what is stored of a bundle's way to a destination."""
    return {
        "ceremony": row.ceremony,
        "destination": row.destination,
        "state": row.state,
        "detail": row.detail,
        "attempts": row.attempts,
        "due_at": to_milliseconds(row.due_at),
    }


def write_notices(connection: Connection, rows: Iterable[NoticeRow]) -> None:
    """Insert notices; one that is there already, delivered or not, is not told again."""
    write_new(connection, notices, [_notice_columns(row) for row in rows])


def _notice_columns(row: NoticeRow) -> dict[str, object]:
    return {
        "id": row.id,
        "channel": row.channel,
        "address": row.address,
        "instead_of": row.instead_of,
        "notice": row.notice,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": to_milliseconds(row.due_at),
        "detail": row.detail,
    }


def write_new(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    """Insert rows, leaving those that are there as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
