# SPDX-License-Identifier: Apache-2.0
"""Sets a database back, as the restoring of an old backup does."""

from sqlalchemy import delete, insert, update

from coordinator.rebuilding import rebuild_in
from coordinator.storage import Storage
from coordinator.storage.rows import to_milliseconds
from coordinator.storage.schema import annexes, checkpoints, entries, log_head, outbox, tree_nodes
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.tlog import Frontier, leaf_hash


def cut_back(storage: Storage, size: int) -> None:
    """Leave as many entries as there are to be, and what was derived from them."""
    kept = storage.log.entries(0, size)
    frontier, nodes = Frontier().extend(leaf_hash(row.payload) for row in kept)
    read = [read_entry(row.payload) for row in kept]
    signed = [
        read_statement(entry.envelope.payload)
        for entry in read
        if "envelope" in entry.body and entry.ceremony
    ]
    bound = frozenset[str]().union(*map(commitments, signed))
    with storage.engines.writing() as connection:
        connection.execute(delete(entries).where(entries.c.index >= size))
        connection.execute(delete(checkpoints).where(checkpoints.c.size > size))
        connection.execute(delete(tree_nodes))
        connection.execute(
            insert(tree_nodes), [{"level": n.level, "index": n.index, "hash": n.hash} for n in nodes]
        )
        connection.execute(delete(annexes).where(annexes.c.commitment.not_in(bound)))
        connection.execute(delete(outbox))
        connection.execute(
            update(log_head).values(
                size=size, root=frontier.root(), at=to_milliseconds(read_entry(kept[-1].payload).at)
            )
        )
    rebuild_in(storage)
