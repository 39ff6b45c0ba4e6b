# SPDX-License-Identifier: Apache-2.0
"""What the journal holds of the log's entries as they were followed, each with its index.

Nobody verifies them here.  They are for a coordinator that has lost its end: by the root that it signed it
finds out what was really there.  The newest are kept, and no more than ``MOST_KEPT``.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from quorumseal.client.values import LoggedEntry

SCHEMA = """
CREATE TABLE followed (log_index INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;
"""
MOST_KEPT = 20_000
_PAGE_BYTES = 256 << 10


class KeptEntries:
    """The journal's table of followed entries; every write is on the disk when its method returns."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._connection = connection
        self._writing = writing

    def keep(self, entries: Iterable[LoggedEntry]) -> None:
        """Remember entries; of too many, the newest."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO followed VALUES (?, ?)", [(each.index, each.entry) for each in entries]
            )
            connection.execute(
                "DELETE FROM followed WHERE log_index <= (SELECT max(log_index) FROM followed) - ?",
                (MOST_KEPT,),
            )

    def follow_from(self, size: int) -> int:
        """Return from which index on to follow a log of a size, so that nothing is left out."""
        (newest,) = self._connection.execute("SELECT max(log_index) FROM followed").fetchone()
        return max(0, size - MOST_KEPT, 0 if newest is None else min(newest + 1, size))

    def count(self) -> int:
        """Return how many there are."""
        (count,) = self._connection.execute("SELECT count(*) FROM followed").fetchone()
        return int(count)

    def pages(self, start: int, end: int) -> Iterator[list[LoggedEntry]]:
        """Yield what is held between two indices, a call's worth at a time; receipts hold entries too."""
        page, size = list[LoggedEntry](), 0
        rows = self._connection.execute(
            "SELECT log_index, payload FROM followed WHERE log_index >= ? AND log_index < ? UNION "
            "SELECT entry_index, entry FROM statements WHERE entry_index >= ? AND entry_index < ? "
            "ORDER BY 1",
            (start, end, start, end),
        ).fetchall()
        for index, payload in rows:
            if page and size + len(payload) > _PAGE_BYTES:
                yield page
                page, size = [], 0
            page.append(LoggedEntry(index=index, entry=bytes(payload)))
            size += len(payload)
        if page:
            yield page
