# SPDX-License-Identifier: Apache-2.0
"""Connections that do not lose what was acknowledged: made safe, then asked whether they are.

What is stored (people's reasons, too) is never part of an error, which may be shown in the running log.

SQLite takes one writer at a time: write transactions begin IMMEDIATE, reads go to connections that cannot
write.  On PostgreSQL the same two pools keep long reads away from the writer.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from coordinator.errors import StorageFailedError, StorageUnsafeError

BUSY_MILLISECONDS = 10_000
READERS = 8

# Pragma, what it is set to, what it must then say.
_PRAGMAS = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", str(BUSY_MILLISECONDS), BUSY_MILLISECONDS),
    ("trusted_schema", "OFF", 0),
)
# Each of these off, and a server that loses power has forgotten what it confirmed.
_POSTGRESQL_ON = ("fsync", "full_page_writes", "synchronous_commit")


class Engines:
    """The two pools of connections to one database."""

    def __init__(self, url: str) -> None:
        self.url = read_url(url)
        self.postgresql = self.url.get_backend_name() == "postgresql"
        # SQLite has one writer; the threads of this process wait for it here and not in its busy handler.
        self._turn: AbstractContextManager[object] = nullcontext() if self.postgresql else threading.Lock()
        if self.postgresql:
            self._writes, self._reads = _postgresql(self.url, 4), _postgresql(self.url, READERS)
        else:
            _create_file(Path(str(self.url.database)))
            self._writes = _sqlite(self.url, begin="BEGIN IMMEDIATE", query_only=False)
            self._reads = _sqlite(self.url, begin="BEGIN", query_only=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One durable transaction: committed when the block ends, undone when it raises."""
        with self._turn, _said_plainly(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def taking_turns(self, what: bytes) -> Iterator[Connection]:
        """One durable transaction at a time about ``what`` (7 bytes), whoever shares the database."""
        with self.writing() as connection:
            if self.postgresql:
                connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(what))))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One read transaction; nothing is written through it."""
        with _said_plainly(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def listening(self) -> Iterator[Connection]:
        """A connection outside transactions, thrown away afterwards."""
        with _said_plainly(), self._reads.connect() as pooled:
            connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield connection
            finally:
                connection.invalidate()

    def forget_connections(self) -> None:
        """Drop what the pools hold: after an error nothing is known about it."""
        self._writes.dispose()
        self._reads.dispose()

    def close(self) -> None:
        """Close every connection."""
        self.forget_connections()


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Raise a refusal that the other packages know in place of the database's own errors."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise StorageFailedError(
            f"expected the database to answer, got {type(error).__name__}: {reason}",
            hint="nothing was lost that was acknowledged; try again, and look at the database",
        ) from error


def read_url(text: str) -> URL:
    """Read a database's address."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("expected a database such as sqlite:////var/lib/quorumseal/log.sqlite") from None
    match url.get_backend_name():
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+pysqlite")
        case _:
            raise ValueError(
                f"expected a database sqlite:///FILE or postgresql://…, got {text.split(':')[0]}:…"
            )


def _create_file(path: Path) -> None:
    """Create the file for its owner alone, and make its name durable before anything is in it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _sqlite(url: URL, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        url, pool_size=READERS, max_overflow=0, pool_reset_on_return="rollback", hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where this module says
        with _closed_on_refusal(connection):
            _set_pragmas(connection)
        if query_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _closed_on_refusal(connection: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _set_pragmas(connection: Any) -> None:
    for name, value, _ in _PRAGMAS:
        if name == "journal_mode":
            # A new file is born under a rollback journal whose directory is synchronised too.
            connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute(f"PRAGMA {name} = {value}")
    for name, _, expected in _PRAGMAS:
        (got,) = connection.execute(f"PRAGMA {name}").fetchone()
        if got != expected:
            raise StorageUnsafeError(
                f"expected SQLite's {name} to be {expected}, got {got}",
                hint="put the database on a local file system that supports write-ahead logging",
            )


def _postgresql(url: URL, size: int) -> Engine:
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        with _closed_on_refusal(connection), connection.cursor() as cursor:
            for name in _POSTGRESQL_ON:
                (got,) = cursor.execute(f"SHOW {name}").fetchone()
                if got == "off":
                    raise StorageUnsafeError(
                        f"expected PostgreSQL's {name} to be on, got {got}",
                        hint=f"set {name} = on in postgresql.conf, or for this user",
                    )
        connection.rollback()

    return engine
