# SPDX-License-Identifier: Apache-2.0
"""Databases of both sorts, founded or empty, and coordinators on them with a clock that tests move."""

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from coordinator.founding import found
from tests.audit.copying import defects
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, Organisation


def _postgresql() -> Iterator[Callable[[], str]]:
    """Make databases on the test server, and drop them."""
    server = make_url(os.environ["QUORUMSEAL_TEST_POSTGRESQL"]).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    made: list[str] = []

    def make() -> str:
        made.append(f"quorumseal_{uuid.uuid4().hex}")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {made[-1]}"))
        return server.set(drivername="postgresql", database=made[-1]).render_as_string(hide_password=False)

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.sqlite'}"
        return
    for make in _postgresql():
        yield make()


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def database(empty_database: str, organisation: Organisation) -> str:
    """A database in which the organisation was founded."""
    found(empty_database, organisation.log_key, organisation.policy, at=NOW - timedelta(days=1))
    return empty_database


@pytest.fixture
def workshop(database: str, organisation: Organisation, tmp_path: Path) -> Iterator[Workshop]:
    """Coordinators on one database, closed at the end."""
    shop = Workshop(database, organisation, tmp_path / "published")
    yield shop
    shop.close()
    if not shop.damaged:  # whatever an honest coordinator lived through, no auditor accuses it
        assert defects(database, organisation) == ()
