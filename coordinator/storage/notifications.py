# SPDX-License-Identifier: Apache-2.0
"""Hear of what other coordinators append: PostgreSQL says so, SQLite has no other coordinators."""

from collections.abc import Callable
from threading import Event

from sqlalchemy import text

from coordinator.errors import StorageFailedError
from coordinator.storage.appending import CHANNEL
from coordinator.storage.engine import Engines

_SECONDS = 0.25


def listen(engines: Engines, heard: Callable[[], None], stopping: Event) -> None:
    """Call ``heard`` after each append by anybody, and now and then in case a message was lost."""
    import psycopg

    with engines.listening() as connection:
        connection.execute(text(f"LISTEN {CHANNEL}"))
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - no other driver has notifications
        while not stopping.is_set():
            try:
                for _ in driver.notifies(timeout=_SECONDS, stop_after=1):
                    pass
            except psycopg.Error as error:
                raise StorageFailedError(f"expected PostgreSQL's notifications, got {error}") from error
            heard()
