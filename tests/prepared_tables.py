# SPDX-License-Identifier: Apache-2.0
"""Tables that the migrations made once in this process: a copy costs far less than making them anew."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from coordinator.storage import migrate_database


@cache
def _tables() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tables.sqlite"
        migrate_database(f"sqlite:///{file}")
        assert [each.name for each in Path(folder).iterdir()] == [file.name]  # nothing is left in a journal
        return file.read_bytes()


def with_tables(url: str) -> str:
    """Put the tables in a SQLite file that is not there yet; leave any other database as it is."""
    database = make_url(url)
    if database.get_backend_name() == "sqlite" and not (file := Path(str(database.database))).exists():
        file.touch(mode=0o600)
        file.write_bytes(_tables())
    return url
