# SPDX-License-Identifier: Apache-2.0
"""Bring the tables to the version that this program writes, and refuse to run on any other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from coordinator.errors import LogEmptyError, SchemaError
from coordinator.storage.engine import Engines

_LOCK = int.from_bytes(b"quorums")


def migrate(engines: Engines) -> tuple[str | None, str]:
    """Upgrade the tables to the newest version; return the version before and after."""
    with engines.writing() as connection:
        if engines.postgresql:  # two coordinators that meet an empty database take turns
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _version(connection)
        command.upgrade(_config(connection), "head")
        return before, _newest()


def require_current(engines: Engines, *, make: bool = True) -> None:
    """Make the tables in an empty database; refuse one that has those of another version."""
    with engines.reading() as connection:
        version = _version(connection)
    if version is None and make:
        migrate(engines)
    elif version is None:
        raise LogEmptyError(
            "expected a database with a log in it, got one without tables",
            hint="found the organisation first: `quorumseal org init`; or name the database that has its log",
        )
    elif version != _newest():
        raise SchemaError(
            f"expected tables of version {_newest()}, got {version}",
            hint="stop every coordinator, make a backup, then run `quorumseal coordinator migrate`",
        )


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str:
    newest = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert newest is not None  # noqa: S101 - the first migration is in this package
    return newest


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
