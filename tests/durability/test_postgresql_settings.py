# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL that may forget what it confirmed is not written to."""

from pathlib import Path

import psycopg
import pytest

from coordinator.errors import StorageUnsafeError
from coordinator.founding import found
from coordinator.storage import Storage
from tests.databases import OwnServer, own_server
from tests.organisation import Organisation
from tests.running_coordinator import Site, Subprocess

pytestmark = pytest.mark.postgresql


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_coordinator_does_not_start_on_a_server_that_loses_what_it_confirmed(
    postgresql_programs: Path, organisation: Organisation, setting: str
) -> None:
    with own_server(postgresql_programs, "-c", f"{setting}=off") as server:
        with pytest.raises(StorageUnsafeError, match=f"{setting} to be on, got off") as refused:
            found(server.url, organisation.log_key, organisation.policy, at=organisation.founded)
        assert refused.value.code == "coordinator.storage_unsafe"
        assert setting in refused.value.hint
        with psycopg.connect(server.url) as anybody:
            tables = anybody.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
            assert not tables.fetchall(), "and nothing was written"


def test_a_setting_that_only_this_user_has_is_found_too(
    own_postgresql: OwnServer, organisation: Organisation, tmp_path: Path
) -> None:
    site = Site(tmp_path, organisation, database=own_postgresql.url)
    site.found()
    with psycopg.connect(own_postgresql.url, autocommit=True) as operator:
        operator.execute("ALTER ROLE quorumseal SET synchronous_commit = off")
    with pytest.raises(RuntimeError, match=r"commit to be on, got off\s+\[coordinator.storage_unsafe"):
        Subprocess(site.settings)
    with psycopg.connect(own_postgresql.url, autocommit=True) as operator:
        operator.execute("ALTER ROLE quorumseal SET synchronous_commit = local")
    Storage(own_postgresql.url).close()


def test_a_setting_that_changes_while_the_coordinator_runs_is_found_at_the_next_connection(
    own_postgresql: OwnServer, organisation: Organisation
) -> None:
    found(own_postgresql.url, organisation.log_key, organisation.policy, at=organisation.founded)
    storage = Storage(own_postgresql.url)
    with psycopg.connect(own_postgresql.url, autocommit=True) as operator:
        operator.execute("ALTER SYSTEM SET fsync = off")
        operator.execute("SELECT pg_reload_conf()")
        while operator.execute("SHOW fsync").fetchone() != ("off",):
            pass
    storage.forget_connections()
    with pytest.raises(StorageUnsafeError):
        storage.log.size()
    storage.close()
