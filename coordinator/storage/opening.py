# SPDX-License-Identifier: Apache-2.0
"""Open a database only to look at it: nothing is made where nothing is, and nobody is waited for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coordinator.errors import LogEmptyError, StorageFailedError
from coordinator.storage.engine import read_url
from coordinator.storage.storage import Storage

PATIENCE_SECONDS = 5
_HINT = "found the organisation first: `quorumseal org init`; or name the database that has its log"


@contextmanager
def existing_storage(text: str) -> Iterator[Storage]:
    """Open a database that has this program's tables already; refuse any other."""
    try:
        url = read_url(text)
    except ValueError:  # its words may have a password in them
        raise StorageFailedError(
            "expected a database's address, got one that cannot be read",
            hint="sqlite:///FILE or postgresql://…",
        ) from None
    if url.get_backend_name() == "sqlite":
        if not Path(str(url.database)).is_file():
            raise LogEmptyError(f"expected a log in {url.database}, got no such file", hint=_HINT)
    elif "connect_timeout" not in url.query:
        text = url.update_query_dict({"connect_timeout": str(PATIENCE_SECONDS)}).render_as_string(
            hide_password=False
        )
    storage = Storage(text, make_tables=False)
    try:
        yield storage
    finally:
        storage.close()


def file_of(text: str) -> Path | None:
    """Return the file of a database that is one."""
    url = read_url(text)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
