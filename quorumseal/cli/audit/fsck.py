# SPDX-License-Identifier: Apache-2.0
"""Find everything that is wrong with a log.

Derives the tree again, verifies every signature, makes every decision of the coordinator again by the same
rules, and compares what is said elsewhere: the coordinator's lists, the checkpoints that you hold, and, with
--settings, every table of its database.
"""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from quorumseal.audit.defect import Defect
from quorumseal.audit.examining import Examined, examine
from quorumseal.cli.audit.defects import counted, draw_defects
from quorumseal.cli.audit.lists import compare_lists
from quorumseal.cli.audit.opened import seconds_text
from quorumseal.cli.audit.source import add_source, open_source, source_words
from quorumseal.cli.desk import command
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_trust_file
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.progress import reporter
from quorumseal.terminal import Mark
from quorumseal.verifier.outcomes import Outcome


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit fsck`` takes."""
    add_source(parser)
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="examine the database that a coordinator's settings name; stop every coordinator first",
    )
    parser.epilog = "example:\n  quorumseal audit fsck --copy pack --trust trust.json"


def run(arguments: Namespace) -> int:
    """Examine, and say what was found."""
    began = time.monotonic()
    examined, elsewhere = _examine(arguments)
    took, defects = time.monotonic() - began, (*examined.defects, *elsewhere)
    if arguments.json:
        print_json(
            {
                "entries": examined.entries,
                "ceremonies": examined.ceremonies,
                "milliseconds": round(took * 1000),
                "defects": [each.to_json() for each in defects],
            }
        )
        return Outcome.UNEXPECTED if defects else 0
    _draw(arguments, examined, defects, took)
    return Outcome.UNEXPECTED if defects else 0


def _examine(arguments: Namespace) -> tuple[Examined, Sequence[Defect]]:
    report = reporter("replayed")
    if arguments.settings is not None:
        if arguments.trust is None or arguments.folder is not None:
            raise UsageError(
                "expected --settings with a trust file and without a folder",
                hint="add --trust FILE, and leave --copy away",
            )
        from coordinator.auditing import examine_database
        from coordinator.settings import read_settings

        database = read_settings(arguments.settings).database
        return examine_database(database, read_trust_file(arguments.trust), progress=report)
    with open_source(arguments, annexes=True) as source:
        examined = examine(source.copy, source.trust, progress=report)
        if source.desk is None or examined.population is None:
            return examined, ()
        return examined, compare_lists(source.desk.connection, examined.population)


def _draw(arguments: Namespace, examined: Examined, defects: Sequence[Defect], took: float) -> None:
    drawn = screen()
    what = f"{examined.entries:,} entries, {examined.ceremonies:,} ceremonies"
    if not defects:
        drawn.answer(Mark.DONE, f"nothing is wrong with this log: {what}, each as the rules make it")
    else:
        drawn.answer(Mark.FAILED, f"{counted(defects)} with this log: {what}")
    draw_defects(drawn, defects)
    drawn.line(f"  took {seconds_text(took)}, {examined.entries / max(took, 0.001):,.0f} entries per second")
    if defects:
        drawn.next("Keep the copy, and list all of it for whoever asks", _again(arguments, "--json"))
    elif arguments.settings is None:
        drawn.next("See what there was", command(arguments, "audit", "open", *source_words(arguments)))


def _again(arguments: Namespace, *more: str) -> list[str]:
    words = ["audit", "fsck", *source_words(arguments)]
    words += ["--settings", str(arguments.settings)] if arguments.settings else []
    return command(arguments, *words, *more)
