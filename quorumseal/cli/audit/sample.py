# SPDX-License-Identifier: Apache-2.0
"""Draw ceremonies to look at: every exception of the period, and N of the rest as a seed orders them.

Each ceremony is ranked by the SHA-256 of the seed, a line feed and its id, and the lowest ranks are drawn:
whoever has the seed and the log draws the same.  Choose the seed after the period, and not alone.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

from quorumseal.audit.answer import counted, name_of
from quorumseal.audit.sampling import Drawn, Sample, draw
from quorumseal.cli.audit.opened import Opened, next_command, opened_audit
from quorumseal.cli.audit.period import add_period, period_of
from quorumseal.cli.audit.source import add_source
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Foreign, Mark, Screen
from quorumseal.verifier.outcomes import Outcome

_SHOWN = 100
_RANK = 12


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit sample`` takes."""
    parser.add_argument(
        "--n", type=_count, required=True, metavar="N", help="how many beside the exceptions, at most"
    )
    parser.add_argument("--seed", required=True, metavar="TEXT", help="what orders them: any text")
    add_period(parser)
    add_source(parser)
    parser.epilog = "example:\n  quorumseal audit sample --n 25 --seed 'draw of 2 April' --from 2026-01-01"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ArgumentTypeError(f"expected how many, such as 25, got {text[:40]!a}")
    return int(text)


def run(arguments: Namespace) -> int:
    """Draw."""
    period = period_of(arguments, datetime.now(UTC))
    with opened_audit(arguments) as opened:
        sample = draw(opened.population, period, seed=arguments.seed, n=arguments.n)
    if arguments.json:
        print_json({**sample.to_json(), **period.to_json(), "log": opened.to_json()})
    else:
        _draw(arguments, sample, opened)
    return Outcome.VERIFIED if sample.population else Outcome.WARNINGS


def _draw(arguments: Namespace, sample: Sample, opened: Opened) -> None:
    drawn = screen()
    chosen = (*sample.exceptional, *sample.ordinary)
    drawn.answer(
        Mark.DONE if chosen else Mark.WAITING,
        f"{len(chosen):,} of {counted(sample.population, 'ceremony', 'ceremonies')} to look at: every one of "
        f"{counted(len(sample.exceptional), 'exceptional one')}, and {len(sample.ordinary):,} "
        f"of {sample.ordinary_in_all:,} others",
    )
    drawn.line("  seed:", Foreign(sample.seed))
    opened.draw(drawn)
    if sample.exceptional:
        drawn.heading("Exceptions")
        _table(drawn, sample.exceptional, "why", [", ".join(each.exceptions) for each in sample.exceptional])
    if sample.ordinary:
        drawn.heading("Drawn, the lowest ranks first")
        _table(drawn, sample.ordinary, "rank", [each.rank[:_RANK] for each in sample.ordinary])
    if chosen:
        drawn.next("Look at each", next_command(arguments, "audit", "show", chosen[0].audited.id))
    else:
        drawn.next("See what there is", next_command(arguments, "audit", "open"))


def _table(drawn: Screen, rows: tuple[Drawn, ...], label: str, values: list[str]) -> None:
    drawn.table(
        ["ceremony", "release", label],
        [
            [each.audited.id, name_of(each.audited), value]
            for each, value in zip(rows[:_SHOWN], values, strict=False)
        ],
    )
    if len(rows) > _SHOWN:
        drawn.line(f"  and {len(rows) - _SHOWN:,} more: --json has them all")
