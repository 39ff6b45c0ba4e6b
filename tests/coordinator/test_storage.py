# SPDX-License-Identifier: Apache-2.0
"""The database: set up so that it forgets nothing, and asked in ways that do not slow down as it grows."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, text

from coordinator.errors import LogDamagedError, SchemaError, StorageFailedError, StorageUnsafeError
from coordinator.storage import Storage, migrate_database
from coordinator.storage.engine import Engines
from coordinator.storage.schema import metadata
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW

_SAFE = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "foreign_keys": 1, "trusted_schema": 0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new.sqlite"


def test_every_sqlite_connection_is_safe(file: Path) -> None:
    engines = Engines(f"sqlite:///{file}")
    for opened in (engines.writing, engines.reading):
        with opened() as connection:
            for name, expected in _SAFE.items():
                assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == expected, name
    engines.close()


def test_a_sqlite_that_does_not_take_a_pragma_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordinator.storage.engine._PRAGMAS", (("synchronous", "OFF", 2),))
    with (
        pytest.raises(StorageUnsafeError, match="synchronous to be 2, got 0"),
        Engines(f"sqlite:///{file}").writing(),
    ):
        pass


def test_the_first_transaction_of_a_new_file_synchronises_its_directory_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    connect = sqlite3.connect

    def tell(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(said.append)
        return connection  # type: ignore[no-any-return]

    monkeypatch.setattr("sqlite3.dbapi2.connect", tell)
    monkeypatch.setattr("sqlite3.connect", tell)
    with Engines(f"sqlite:///{file}").writing():
        pass
    pragmas = [statement for statement in said if statement.startswith("PRAGMA")]
    assert pragmas.index("PRAGMA synchronous = EXTRA") < pragmas.index("PRAGMA journal_mode = WAL")
    assert pragmas.index("PRAGMA journal_mode = WAL") < pragmas.index("PRAGMA synchronous = FULL")


def test_the_file_belongs_to_its_owner_alone(file: Path) -> None:
    Storage(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_can_be_written_through_a_reading_connection(file: Path) -> None:
    storage = Storage(f"sqlite:///{file}")
    with pytest.raises(StorageFailedError), storage.engines.reading() as connection:
        connection.execute(text("DELETE FROM log_head"))
    storage.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root@localhost/x", "nonsense"])
def test_a_database_that_is_not_durable_or_not_known_is_no_database(url: str) -> None:
    with pytest.raises(ValueError, match="expected a database"):
        Engines(url)


@pytest.mark.postgresql
@pytest.mark.parametrize("sort", ["postgresql"])
def test_a_postgresql_that_may_forget_commits_is_refused(empty_database: str) -> None:
    with pytest.raises(StorageUnsafeError, match="synchronous_commit to be on, got off"):
        Storage(f"{empty_database}?options=-csynchronous_commit%3Doff")


def test_migrations_make_exactly_the_schema(empty_database: str) -> None:
    storage = Storage(empty_database)
    with storage.engines.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    storage.close()


def test_two_coordinators_may_meet_on_an_empty_database(empty_database: str) -> None:
    failures: list[Exception] = []

    def open_it() -> None:
        try:
            Storage(empty_database).close()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_migrating_says_from_where_to_where_and_does_nothing_twice(empty_database: str) -> None:
    assert migrate_database(empty_database) == (None, "0011")
    assert migrate_database(empty_database) == ("0011", "0011")


def test_tables_of_another_version_are_not_touched(empty_database: str) -> None:
    storage = Storage(empty_database)
    with storage.engines.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    storage.close()
    with pytest.raises(SchemaError, match="expected tables of version 0011, got 9999"):
        Storage(empty_database)


def test_a_ceremony_ends_once_whatever_a_program_does(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    insert = text(
        'INSERT INTO entries ("index", type, ceremony, seq, payload) VALUES (:index, :type, :c, :seq, :p)'
    )
    row = {"c": start.request.statement.ceremony, "p": b"{}"}
    rows = [
        {**row, "index": 2, "seq": 1, "type": "approved"},
        {**row, "index": 3, "seq": 2, "type": "expired"},
    ]
    with pytest.raises(StorageFailedError, match="IntegrityError"), desk.storage.engines.writing() as opened:
        opened.execute(insert, rows)


def test_a_head_that_its_tree_does_not_support_is_refused(workshop: Workshop) -> None:
    desk = workshop.desk()
    desk.written(workshop.start())
    with desk.storage.engines.writing() as connection:
        connection.execute(text("UPDATE tree_nodes SET hash = :h WHERE level = 1"), {"h": b"\0" * 32})
    with pytest.raises(LogDamagedError):
        desk.storage.log.head()


def test_a_missing_node_is_named(workshop: Workshop) -> None:
    desk = workshop.desk()
    desk.written(workshop.start())
    with desk.storage.engines.writing() as connection:
        connection.execute(text("DELETE FROM tree_nodes WHERE level = 1"))
    with pytest.raises(LogDamagedError, match="tree node 0 of level 1"):
        desk.storage.log.head()


def test_no_statement_on_the_way_of_a_decision_reads_a_whole_table(workshop: Workshop) -> None:
    """Or a decision would cost more with every ceremony that has ended."""
    if not workshop.database.startswith("sqlite"):
        pytest.skip("the planner of an empty PostgreSQL table prefers to read it whole")
    first, start = workshop.desk(), workshop.start()
    first.written(start)
    desk = workshop.desk()  # knows no ceremony yet
    with _told(desk.storage) as statements:
        for signer in ("alice", "erin", "carol", "rita"):
            desk.written(workshop.decide(signer, start))
        desk.write(workshop.decide("alice", start))
        superseding = workshop.organisation.request(number=2, product="gadget")
        desk.written(workshop.start(superseding))
        workshop.time.pass_by(timedelta(days=2))
        assert desk.storage.ceremonies.next_due() == superseding.deadline
        now = workshop.time.now
        assert desk.storage.ceremonies.claim_due(now, until=now, limit=9) == [superseding.ceremony]
        desk.storage.outbox.claim(["directory:test"], now, until=now)
        desk.reader.record(superseding.ceremony, 1)
        desk.reader.bundle(start.request.statement.ceremony)
    assert len(statements) >= 20
    with desk.storage.engines.reading() as connection:
        plans = {sql: _plan(connection, sql) for sql in statements}
    bad = {
        sql: step
        for sql, plan in plans.items()
        for step in plan
        if step.startswith(("SCAN", "USE TEMP B-TREE")) and step not in _ONE_ROW
    }
    assert bad == {}


# The head is one row, and the newest checkpoint is the last of its table.
_ONE_ROW = ("SCAN log_head", "SCAN checkpoints", "SCAN CONSTANT ROW", "SCAN 2 CONSTANT ROWS")


@contextmanager
def _told(storage: Storage) -> Iterator[set[str]]:
    """Collect the SELECT and UPDATE statements of a storage."""
    statements: set[str] = set()
    engines = (storage.engines._writes, storage.engines._reads)

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            statements.add(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def _plan(connection: Connection, sql: str) -> list[str]:
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?"))
    return [str(row[3]) for row in plan]


def test_a_server_that_is_not_there_is_a_refusal_that_may_be_tried_again() -> None:
    engines = Engines("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StorageFailedError) as refusal, engines.reading():
        pass
    assert refusal.value.retryable
    engines.close()


def test_the_clock_of_a_stored_instant_is_whole_milliseconds(workshop: Workshop) -> None:
    desk = workshop.desk()
    workshop.time.now = NOW + timedelta(minutes=1, microseconds=1999)
    desk.written(workshop.start())
    assert desk.storage.log.head().at == NOW + timedelta(minutes=1, milliseconds=1)
