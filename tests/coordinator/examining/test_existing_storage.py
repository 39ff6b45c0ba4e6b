# SPDX-License-Identifier: Apache-2.0
"""A database is looked at as it is, on both sorts: nothing is made where nothing is."""

import pytest
from sqlalchemy import create_engine, inspect, make_url

from coordinator.errors import LogEmptyError, SchemaError, StorageFailedError
from coordinator.policies import Policies
from coordinator.storage import existing_storage
from coordinator.storage.hanging import Due, Hanging
from tests.coordinator.workshop import Workshop


def tables(url: str) -> list[str]:
    engine = create_engine(make_url(url.replace("postgresql:", "postgresql+psycopg:")))
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_a_founded_database_is_opened(database: str) -> None:
    with existing_storage(database) as storage:
        assert Policies(storage).newest.policy.version == 1
        assert Hanging(storage.engines).due() == Due(ceremonies=None, bundles=None, notices=None)


def test_what_is_due_first_is_found(workshop: Workshop) -> None:
    desk = workshop.desk()
    desk.written(workshop.start(workshop.organisation.request()))
    due = Hanging(desk.storage.engines).due()
    assert due.ceremonies is not None
    assert due.bundles is None


def test_an_empty_database_stays_empty(empty_database: str) -> None:
    with pytest.raises(LogEmptyError), existing_storage(empty_database):
        pass
    assert "sqlite" in empty_database or tables(empty_database) == []


def test_tables_of_another_version_are_left_alone(database: str) -> None:
    engine = create_engine(make_url(database.replace("postgresql:", "postgresql+psycopg:")))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    engine.dispose()
    with pytest.raises(SchemaError, match="got 0000"), existing_storage(database):
        pass


def test_an_address_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(StorageFailedError) as refused, existing_storage("postgresql://a:hunter2@h:x/y"):
        pass
    assert "hunter2" not in str(refused.value)
