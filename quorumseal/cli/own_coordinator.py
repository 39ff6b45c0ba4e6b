# SPDX-License-Identifier: Apache-2.0
"""Work on the coordinator's own machine: on its settings and its database, beside it."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from coordinator.cli import add_arguments as add_settings
from coordinator.letting_in import LettingIn
from coordinator.log_keys import LogKeys
from coordinator.settings import Settings, read_settings
from coordinator.storage import Storage

__all__ = ["add_name", "add_settings", "own_coordinator"]


def add_name(parser: ArgumentParser, help_: str) -> None:
    """Add the name of the person that a verb is about."""
    parser.add_argument("name", metavar="NAME", help=help_)


@contextmanager
def own_coordinator(
    arguments: Namespace, *, with_log_keys: bool = False
) -> Iterator[tuple[Settings, LettingIn]]:
    """Open what ``--settings`` names; the log's keys are read only where they are needed."""
    from coordinator.server import read_log_key

    settings = read_settings(arguments.settings)
    keys = LogKeys(*(read_log_key(file) for file in settings.log_keys)) if with_log_keys else LogKeys()
    storage = Storage(settings.database)
    try:
        yield settings, LettingIn(settings, storage, keys, now=lambda: datetime.now(UTC))
    finally:
        storage.close()
