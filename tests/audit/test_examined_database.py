# SPDX-License-Identifier: Apache-2.0
"""Whatever is written into the tables of a log behind the coordinator's back, an examination finds it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from coordinator.auditing import examine_database, examine_storage
from coordinator.storage import Storage
from coordinator.storage.schema import (
    annexes,
    ceremonies,
    checkpoints,
    entries,
    evidence,
    evidence_chunks,
    log_head,
    tree_nodes,
)
from quorumseal.audit.defect import Defect
from tests.audit.histories import TRUST, database_in, fill
from tests.coordinator.workshop import Workshop
from tests.losing import LOSING

DEEP = bool(os.environ.get("QUORUMSEAL_DEEP"))
TABLES = (entries, tree_nodes, log_head, checkpoints, annexes, ceremonies, evidence, evidence_chunks)
NOT_DERIVED = {("ceremonies", "claimed_until"), ("evidence", "uploader"), ("evidence", "kept_until")}
"""What the coordinator notes for itself, of which the log says nothing."""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    folder: Path = tmp_path_factory.mktemp("database")
    workshop = Workshop(database_in(folder), LOSING, folder / "published")
    fill(workshop, workshop.desk(), 50)
    workshop.close()
    opened = Storage(workshop.database)
    yield opened
    opened.close()


def defects(storage: Storage) -> list[Defect]:
    examined, others = examine_storage(storage, TRUST, progress=lambda done, total: None)  # noqa: ARG005
    return [*examined.defects, *others]


def test_nothing_is_wrong_with_the_database_of_an_honest_coordinator(storage: Storage) -> None:
    assert defects(storage) == []
    url = str(storage.engines._writes.url)
    _, others = examine_database(url, TRUST, progress=lambda done, total: None)  # noqa: ARG005
    assert others == ()


def _other(value: object) -> object:
    """Return a value of the same kind that differs in one place."""
    match value:
        case None:
            return 7
        case int():
            return value + 1
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case str():
            return value[:-1] + ("x" if value[-1:] != "x" else "y")
        case _:
            raise AssertionError(value)


def _cells(storage: Storage) -> Iterator[tuple[Table, dict[str, Any], str]]:
    for table in TABLES:
        with storage.engines.reading() as connection:
            rows = [row._asdict() for row in connection.execute(select(table))]
        for row in rows:
            for column in table.columns:
                if (table.name, column.name) not in NOT_DERIVED:
                    yield table, row, column.name


def test_each_value_that_is_changed_is_found(storage: Storage) -> None:
    """In every table that is the log or derived from it; deep, all of them, else a part."""
    cells = [*_cells(storage)]
    assert len(cells) > 700
    for table, row, column in cells[:: 1 if DEEP else 31]:
        same = [table.c[name] == row[name] for name in row if row[name] is not None]
        undo = [table.c[name] == row[name] for name in row if row[name] is not None and name != column]
        changed = _other(row[column])
        try:
            with storage.engines.writing() as connection:
                connection.execute(table.update().where(*same).values({column: changed}))
        except Exception:  # noqa: S112 - the database itself would not have it
            continue
        try:
            assert defects(storage), (table.name, row, column)
        finally:
            with storage.engines.writing() as connection:
                connection.execute(
                    table.update().where(*undo, table.c[column] == changed).values({column: row[column]})
                )
    assert defects(storage) == []


def test_each_row_that_is_deleted_is_found(storage: Storage) -> None:
    for table in TABLES:
        with storage.engines.reading() as connection:
            rows = [row._asdict() for row in connection.execute(select(table))]
        for row in rows[:: 1 if DEEP else 23]:
            if table is annexes:
                continue  # a text is no part of the log: whoever handed it in may have it forgotten
            if table is checkpoints and not _concludes(storage, row["size"]):
                continue  # between conclusions a coordinator may have signed none
            with storage.engines.writing() as connection:
                connection.execute(
                    table.delete().where(*(table.c[n] == v for n, v in row.items() if v is not None))
                )
            try:
                assert defects(storage), (table.name, row)
            finally:
                with storage.engines.writing() as connection:
                    connection.execute(table.insert().values(row))
    assert defects(storage) == []


def _concludes(storage: Storage, size: int) -> bool:
    return any(row.concluded_index == size - 1 for row in storage.ceremonies.all())
