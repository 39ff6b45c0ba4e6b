# SPDX-License-Identifier: Apache-2.0
"""Databases of both sorts, founded or empty, and coordinators on them with a clock that tests move."""

import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from coordinator.founding import found
from coordinator.storage import migrate_database
from tests.audit.copying import defects
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, Organisation
from tests.prepared_tables import with_tables


def _postgresql(template: str) -> Iterator[str]:
    """Make a database on the test server as another one there is, and drop it."""
    server = make_url(os.environ["QUORUMSEAL_TEST_POSTGRESQL"]).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"quorumseal_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def postgresql_tables() -> Iterator[str]:
    """The name of a database whose tables the migrations made, for others to be copies of."""
    for url in _postgresql("template1"):
        migrate_database(url)
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def sort(request: pytest.FixtureRequest) -> str:
    """Which of the two databases that a coordinator may have."""
    return str(request.param)


@pytest.fixture
def empty_database(sort: str, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if sort == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.sqlite'}"
    else:
        yield from _postgresql("template1")


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def database_with_tables(sort: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with tables, and nothing in them."""
    if sort == "sqlite":
        yield with_tables(f"sqlite:///{tmp_path / 'log.sqlite'}")
    else:
        yield from _postgresql(request.getfixturevalue("postgresql_tables"))


@pytest.fixture
def database(database_with_tables: str, organisation: Organisation) -> str:
    """A database in which the organisation was founded."""
    found(database_with_tables, organisation.log_key, organisation.policy, at=NOW - timedelta(days=1))
    return database_with_tables


@pytest.fixture
def workshop(database: str, organisation: Organisation, tmp_path: Path) -> Iterator[Workshop]:
    """Coordinators on one database, closed at the end."""
    shop = Workshop(database, organisation, tmp_path / "published")
    yield shop
    shop.close()
    if not shop.damaged:  # whatever an honest coordinator lived through, no auditor accuses it
        assert defects(database, organisation) == ()
