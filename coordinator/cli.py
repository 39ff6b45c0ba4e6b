# SPDX-License-Identifier: Apache-2.0
"""``quorumseal coordinator …``: run the coordinator, keep its database in order, check its settings."""

import asyncio
import gc
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from coordinator import running_log
from coordinator.settings import read_settings
from quorumseal.terminal import Foreign, Mark, Screen
from quorumseal.terminal.findings import counted, draw_findings, findings_json, worst
from quorumseal.verifier.outcomes import Outcome

if TYPE_CHECKING:
    from coordinator.examining.settings import Examination

_CODES = {Mark.DONE: Outcome.VERIFIED, Mark.WARNING: Outcome.WARNINGS, Mark.FAILED: Outcome.USAGE}
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


def add_check_arguments(parser: ArgumentParser) -> None:
    """Describe what ``check-config`` takes."""
    parser.add_argument("--all", action="store_true", help="show what is as it should be, too")
    add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    A stop is graceful: streams end with a status that makes agents come back, calls in progress finish, and
    everything that was acknowledged is in the database.
    """
    settings = read_settings(arguments.settings)
    running_log.begin(settings.lines)
    from coordinator.server import serve

    def ready(address: str, metrics: str | None) -> None:
        said = f"the coordinator of {settings.organisation} listens on {address}"
        _say(arguments, said, listening=address, metrics=metrics)

    gc.freeze()  # what is loaded by now stays; looking through it for garbage takes a tenth of a second
    asyncio.run(serve(settings, ready=ready))
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


def check_config(arguments: Namespace) -> int:
    """Read the settings and look at everything that they name; say all that is wrong at once.

    Nothing is started, made or sent.  Exit code 0: all is well; 12: it would run, but something should be
    mended; 2: something stops it.
    """
    from coordinator.examining.settings import examine

    seen = examine(arguments.settings, at=datetime.now(UTC))
    level = worst(seen.findings)
    if arguments.json:
        document = {"organisation": seen.organisation, "findings": findings_json(seen.findings)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        sys.stdout.flush()
    else:
        screen = Screen.on(sys.stdout, sys.stderr, os.environ)
        screen.answer(level, Foreign(_verdict(seen, level)))
        draw_findings(screen, [each for each in seen.findings if arguments.all or each.mark is not Mark.DONE])
        shown = ["quorumseal", "coordinator", "check-config" if level is Mark.FAILED else "run"]
        about = "When all is mended" if level is Mark.FAILED else "Start it"
        screen.next(about, [*shown, "--settings", str(arguments.settings)])
    return _CODES[level]


def _verdict(seen: "Examination", level: Mark) -> str:
    whose = f"the settings of {seen.organisation}" if seen.organisation else "the settings"
    if level is Mark.DONE:
        return f"{whose} can be used: {len(seen.findings)} things looked at"
    can = "cannot be used" if level is Mark.FAILED else "can be used, but"
    return f"{whose} {can}: {counted(seen.findings)}"


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
    "check-config": Command(
        "say everything that is wrong with the settings",
        add_check_arguments,
        check_config,
        check_config.__doc__ or "",
    ),
}
