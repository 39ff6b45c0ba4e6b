# SPDX-License-Identifier: Apache-2.0
"""What the journal holds of a log: its checkpoints as this agent verified them, met them, and cosigned them.

* **Verified**: the newest of the one history that this agent follows, and those before it, by their size.
  What somebody else saw at one of these sizes is compared at once.
* **Met**: of others, signed by the log, and not yet proved to belong to that history.  They wait for the next
  time that the coordinator answers.
* **Cosigned**: the one checkpoint that this agent's witness vouched for last.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import Checkpoint

SCHEMA = """
CREATE TABLE verified (
    origin TEXT NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (origin, size)
) STRICT;
CREATE TABLE met (
    origin TEXT NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (origin, note)
) STRICT;
CREATE TABLE cosigned (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL, at TEXT NOT NULL
) STRICT;
"""
MOST_VERIFIED = 10_000
MOST_MET = 1_000


class LogMemory:
    """The journal's tables about logs; every write is on the disk when its method returns."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._connection = connection
        self._writing = writing

    def newest(self, origin: str) -> bytes | None:
        """Return the signed note of the largest checkpoint that was verified."""
        return self._note("SELECT note FROM checkpoints WHERE origin = ?", origin)

    def sizes(self) -> dict[str, int]:
        """Return how far each log was verified."""
        return dict(self._connection.execute("SELECT origin, size FROM checkpoints ORDER BY origin"))

    def at(self, origin: str, size: int) -> bytes | None:
        """Return the note that was verified at a size, where it is still kept."""
        return self._note("SELECT note FROM verified WHERE origin = ? AND size = ?", origin, size)

    def keep(self, checkpoint: Checkpoint, note: bytes, *, at: datetime) -> None:
        """Remember a verified checkpoint; a smaller one never replaces a larger one."""
        origin, size = checkpoint.origin, checkpoint.size
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO checkpoints VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
                "size = excluded.size, note = excluded.note, at = excluded.at "
                "WHERE excluded.size > checkpoints.size",
                (origin, size, note, instant_text(at)),
            )
            connection.execute("INSERT OR IGNORE INTO verified VALUES (?, ?, ?)", (origin, size, note))
            connection.execute(
                "DELETE FROM verified WHERE origin = ? AND size <= (SELECT size FROM verified "
                "WHERE origin = ? ORDER BY size DESC LIMIT 1 OFFSET ?)",
                (origin, origin, MOST_VERIFIED),
            )

    def meet(self, checkpoint: Checkpoint, note: bytes, *, at: datetime) -> None:
        """Remember somebody else's checkpoint until it is connected; of too many, those met first."""
        with self._writing() as connection:
            (waiting,) = connection.execute("SELECT count(*) FROM met").fetchone()
            if waiting < MOST_MET:
                connection.execute(
                    "INSERT OR IGNORE INTO met VALUES (?, ?, ?, ?)",
                    (checkpoint.origin, checkpoint.size, note, instant_text(at)),
                )

    def met(self, origin: str) -> tuple[bytes, ...]:
        """Return what waits to be connected, smallest first."""
        rows = self._connection.execute("SELECT note FROM met WHERE origin = ? ORDER BY size", (origin,))
        return tuple(bytes(row[0]) for row in rows)

    def connected(self, origin: str, note: bytes) -> None:
        """Note that somebody else's checkpoint belongs to the one history."""
        with self._writing() as connection:
            connection.execute("DELETE FROM met WHERE origin = ? AND note = ?", (origin, note))

    def cosigned(self, origin: str) -> bytes | None:
        """Return the note of the checkpoint that was cosigned last."""
        return self._note("SELECT note FROM cosigned WHERE origin = ?", origin)

    def cosigned_sizes(self) -> dict[str, int]:
        """Return how far each log was cosigned."""
        return dict(self._connection.execute("SELECT origin, size FROM cosigned ORDER BY origin"))

    def keep_cosigned(
        self, checkpoint: Checkpoint, note: bytes, *, instead_of: bytes | None, at: datetime
    ) -> bool:
        """Remember what is about to be cosigned, before it is; say whether it still follows the last one."""
        with self._writing() as connection:
            changed = connection.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
                "size = excluded.size, note = excluded.note, at = excluded.at "
                "WHERE cosigned.note = ? AND cosigned.size <= excluded.size",
                (checkpoint.origin, checkpoint.size, note, instant_text(at), instead_of),
            )
            return changed.rowcount == 1

    def _note(self, query: str, *values: object) -> bytes | None:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else bytes(row[0])
