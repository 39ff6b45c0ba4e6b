# SPDX-License-Identifier: Apache-2.0
"""``quorumseal coordinator …``: run the coordinator, keep its database in order, check its settings."""

import asyncio
import gc
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from coordinator import recovery_commands, rotation_commands, running_log, service_manager
from coordinator.examining import commands
from coordinator.settings import read_settings
from quorumseal.terminal import Mark, Screen

DEFAULT_SETTINGS = Path("coordinator.toml")


class Command(NamedTuple):
    """One verb, in the form that the ``quorumseal`` command's table takes."""

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    about: str = ""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what every verb here takes."""
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path(os.environ.get("QUORUMSEAL_COORDINATOR_SETTINGS", DEFAULT_SETTINGS)),
        metavar="FILE",
        help=f"the settings (default: $QUORUMSEAL_COORDINATOR_SETTINGS or {DEFAULT_SETTINGS})",
    )


def _with_settings(add: Callable[[ArgumentParser], None]) -> Callable[[ArgumentParser], None]:
    def add_both(parser: ArgumentParser) -> None:
        add(parser)
        add_arguments(parser)

    return add_both


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    A stop is graceful: streams end with a status that makes agents come back, calls in progress finish, and
    everything that was acknowledged is in the database.  On a log that was set back it answers reads only,
    and says so last: see `coordinator recover`.
    """
    settings = read_settings(arguments.settings)
    running_log.begin(settings.lines)
    from coordinator.server import Listening, serve

    def ready(at: Listening) -> None:
        said = f"the coordinator of {settings.organisation} listens on {at.address}"
        said += f"; its pages: {at.pages}" if at.pages else ""
        _say(arguments, said, listening=at.address, metrics=at.metrics, pages=at.pages)
        status = f"STATUS=listens on {at.address}"
        service_manager.notify(service_manager.READY, status, environment=os.environ)

    def stopping() -> None:
        service_manager.notify(service_manager.STOPPING, environment=os.environ)

    gc.freeze()  # what is loaded by now stays; looking through it for garbage takes a tenth of a second
    asyncio.run(serve(settings, ready=ready, stopping=stopping))
    return 0


def migrate(arguments: Namespace) -> int:
    """Bring the database's tables to the version of this program.

    Stop every coordinator and make a backup first.  An empty database needs no migration.
    """
    from coordinator.storage import migrate_database

    before, after = migrate_database(read_settings(arguments.settings).database)
    what = f"the tables are of version {after}" + (
        "" if before == after else f" (before: {before or 'none'})"
    )
    _say(arguments, what, before=before, after=after)
    return 0


def rebuild(arguments: Namespace) -> int:
    """Check every entry of the log, and derive anew what the lists show of it.

    Stop every coordinator first.  The log is not changed, and nothing at all is where it contradicts itself.
    """
    from coordinator.rebuilding import rebuild as rebuild_database

    rebuilt = rebuild_database(read_settings(arguments.settings).database)
    entries, ceremonies, differing = rebuilt.entries, rebuilt.ceremonies, rebuilt.differing
    what = f"the log is whole ({entries} entries, {ceremonies} ceremonies), and the lists say the same"
    if differing:
        what += f"; mended: {', '.join(differing)}"
    _say(arguments, what, entries=entries, ceremonies=ceremonies, mended=differing)
    return 0


def _say(arguments: Namespace, text: str, **facts: str | int | Sequence[str] | None) -> None:
    if arguments.json:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    else:
        Screen.on(sys.stdout, sys.stderr, os.environ).answer(Mark.DONE, text)


VERBS = {
    "run": Command("serve until told to stop", add_arguments, run, run.__doc__ or ""),
    "migrate": Command("bring the database up to date", add_arguments, migrate, migrate.__doc__ or ""),
    "rebuild": Command(
        "check the log, and make the lists anew", add_arguments, rebuild, rebuild.__doc__ or ""
    ),
    "backup": Command(
        "copy the database, also while it is in use",
        _with_settings(recovery_commands.add_backup_arguments),
        recovery_commands.backup,
        recovery_commands.backup.__doc__ or "",
    ),
    "restore": Command(
        "put a copy in the place of the database",
        _with_settings(recovery_commands.add_restore_arguments),
        recovery_commands.restore,
        recovery_commands.restore.__doc__ or "",
    ),
    "recover": Command(
        "bring back what the log has lost, from the agents",
        _with_settings(recovery_commands.add_recover_arguments),
        recovery_commands.recover,
        recovery_commands.recover.__doc__ or "",
    ),
    "check-config": Command(
        "say everything that is wrong with the settings",
        _with_settings(commands.add_check_arguments),
        commands.check_config,
        commands.check_config.__doc__ or "",
    ),
    "health": Command(
        "say whether the coordinator answers",
        _with_settings(commands.add_health_arguments),
        commands.health,
        commands.health.__doc__ or "",
    ),
    "rotate-log-key": Command(
        "make the log's next key, and take it over once a policy names it",
        _with_settings(rotation_commands.add_log_key_arguments),
        rotation_commands.rotate_log_key,
        rotation_commands.rotate_log_key.__doc__ or "",
    ),
    "rotate-authority": Command(
        "make the next certificate authority, and have it take over",
        _with_settings(rotation_commands.add_authority_arguments),
        rotation_commands.rotate_authority,
        rotation_commands.rotate_authority.__doc__ or "",
    ),
    "doctor": Command(
        "say how the coordinator is",
        _with_settings(commands.add_doctor_arguments),
        commands.doctor,
        commands.doctor.__doc__ or "",
    ),
}
