# SPDX-License-Identifier: Apache-2.0
"""Say how well the rule works in a period: time to quorum, haste, load, pairs, emergencies, drift, keys.

Each measure is a sentence and a table; with --pictures also an SVG file.  It is computed from the replayed
log, and says nothing that the log cannot bear out.
"""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness import Measure, measures
from quorumseal.audit.pictures import svg
from quorumseal.cli.audit.opened import next_command, opened_audit
from quorumseal.cli.audit.period import add_period, period_of
from quorumseal.cli.audit.source import add_source
from quorumseal.cli.files import write_new
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Foreign, Mark

_LONG = 2000
_CELL = 60


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit effectiveness`` takes."""
    add_source(parser)
    add_period(parser)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write each picture there, as SVG")
    parser.epilog = "example:\n  quorumseal audit effectiveness --copy pack --trust trust.json"


def run(arguments: Namespace) -> int:
    """Measure."""
    now = datetime.now(UTC)
    period = period_of(arguments, now)
    with opened_audit(arguments) as opened:
        population = opened.population
    found = measures(population, period, at=now)
    pictures = _write(arguments.pictures, found) if arguments.pictures else {}
    if arguments.json:
        print_json({"measures": [_json(each, pictures.get(each.name)) for each in found]})
        return 0
    drawn = screen()
    among = len(population.within(period).ceremonies)
    drawn.answer(Mark.DONE, f"{len(found)} measures of {counted(among, 'ceremony', 'ceremonies')}")
    for measure in found:
        drawn.heading(measure.title)
        drawn.line(Foreign(measure.said, _LONG))
        if measure.rows:
            drawn.table(measure.columns, [[Foreign(cell, _CELL) for cell in row] for row in measure.rows])
    if pictures:
        drawn.line(f"The pictures are in {arguments.pictures}.")
    else:
        again = next_command(arguments, "audit", "effectiveness")
        drawn.next("Draw them", [*again, "--pictures", "pictures"])
    return 0


def _write(folder: Path, found: tuple[Measure, ...]) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    files = {measure.name: folder / f"{measure.name}.svg" for measure in found}
    for measure in found:
        write_new(files[measure.name], svg(measure).encode())
    return {name: str(file) for name, file in files.items()}


def _json(measure: Measure, picture: str | None) -> Json:
    return {
        "name": measure.name,
        "title": measure.title,
        "said": measure.said,
        "columns": [*measure.columns],
        "rows": [[*row] for row in measure.rows],
        "picture": picture,
    }
