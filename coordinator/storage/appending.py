# SPDX-License-Identifier: Apache-2.0
"""The one durable transaction that appends to the log: all of it, if the head is still where it was."""

from sqlalchemy import Connection, Table, bindparam, insert, text, update
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.storage.engine import Engines
from coordinator.storage.rows import Append, CeremonyRow, OutboxRow, to_milliseconds
from coordinator.storage.schema import annexes, ceremonies, checkpoints, entries, log_head, outbox, tree_nodes

CHANNEL = "quorumseal_log"

# Built once: every batch runs these, and building a statement costs as much as running it.
_MOVE_HEAD = (
    update(log_head)
    .where(
        log_head.c.id == 1,
        log_head.c.size == bindparam("old_size"),
        log_head.c.root == bindparam("old_root"),
    )
    .values(size=bindparam("size"), root=bindparam("root"), at=bindparam("at"))
)
_INSERT_ENTRIES, _INSERT_NODES, _INSERT_CHECKPOINTS = insert(entries), insert(tree_nodes), insert(checkpoints)


class LostRaceError(Exception):
    """Another coordinator has appended first: nothing was written, decide again."""


def append_to_log(engines: Engines, append: Append) -> None:
    """Write everything or nothing; ``LostRaceError`` unless the head is still the one that it follows."""
    with engines.writing() as connection:
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
        if engines.postgresql:
            connection.execute(text(f"NOTIFY {CHANNEL}"))


def _write_log(connection: Connection, append: Append) -> None:
    connection.execute(
        _INSERT_ENTRIES,
        [
            {"index": e.index, "type": e.type, "ceremony": e.ceremony, "seq": e.seq, "payload": e.payload}
            for e in append.entries
        ],
    )
    connection.execute(
        _INSERT_NODES,
        [{"level": level, "index": index, "hash": node} for level, index, node in append.nodes],
    )
    connection.execute(
        _INSERT_CHECKPOINTS, [{"size": c.size, "root": c.root, "note": c.note} for c in append.checkpoints]
    )


def _write_ceremonies(connection: Connection, append: Append) -> None:
    # Ends before openings: the ceremony that a request supersedes makes room for it.
    if append.ended:
        connection.execute(
            update(ceremonies)
            .where(ceremonies.c.ceremony == bindparam("ended"))
            .values(
                state=bindparam("how"), ended_at=bindparam("when"), concluded_index=bindparam("concluded")
            ),
            [
                {
                    "ended": end.ceremony,
                    "how": end.state,
                    "when": to_milliseconds(end.ended_at),
                    "concluded": end.concluded_index,
                }
                for end in append.ended
            ],
        )
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


def ceremony_columns(row: CeremonyRow) -> dict[str, object]:
    """Return what is stored of a ceremony."""
    return {
        "ceremony": row.ceremony,
        "product": row.product,
        "version": row.version,
        "kind": row.kind,
        "state": row.state,
        "requester": row.requester,
        "identity": row.identity,
        "request": row.request,
        "opened_at": to_milliseconds(row.opened_at),
        "deadline": to_milliseconds(row.deadline),
        "ended_at": None if row.ended_at is None else to_milliseconds(row.ended_at),
        "opened_index": row.opened_index,
        "concluded_index": row.concluded_index,
    }


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


def write_new(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    """Insert rows, leaving those that are there as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
