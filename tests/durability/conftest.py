# SPDX-License-Identifier: Apache-2.0
"""Sites whose organisation is founded now, on either database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.databases import OwnServer, new_database, own_server, programs
from tests.organisation import Organisation
from tests.running_coordinator import Site


@pytest.fixture
def organisation() -> Organisation:
    return Organisation(founded=datetime.now(UTC))


@pytest.fixture
def sqlite_site(tmp_path: Path, organisation: Organisation) -> Site:
    return Site(tmp_path, organisation)


@pytest.fixture
def postgresql_site(tmp_path: Path, organisation: Organisation, postgresql_address: str) -> Iterator[Site]:
    with new_database(postgresql_address) as database:
        yield Site(tmp_path, organisation, database=database)


@pytest.fixture
def postgresql_programs() -> Path:
    """Where PostgreSQL's own programs are; a test that mistreats a server starts its own."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server was mistreated, for want of its own programs")
    return found


@pytest.fixture
def own_postgresql(postgresql_programs: Path) -> Iterator[OwnServer]:
    with own_server(postgresql_programs) as server:
        yield server
