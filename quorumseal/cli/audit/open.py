# SPDX-License-Identifier: Apache-2.0
"""Open an audit of a period: how many ceremonies, what went otherwise, what changed, what to look at first.

Every number is counted from the replayed log, and the sums are shown, so that they can be added up again.
"""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from quorumseal.audit.answer import counted
from quorumseal.audit.census import ENDS, Census
from quorumseal.audit.exceptional import HASTY
from quorumseal.audit.overview import Overview, overview
from quorumseal.ceremony.lifecycle import State
from quorumseal.cli.audit.exhibits import LONG, draw_exhibits
from quorumseal.cli.audit.opened import Opened, next_command, opened_audit
from quorumseal.cli.audit.period import add_period, period_of, period_text
from quorumseal.cli.audit.source import add_source
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Foreign, Mark, Screen, instant_text
from quorumseal.terminal.durations import parse_duration
from quorumseal.verifier.outcomes import Outcome

_MOST_DIFFERENCES = 20


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit open`` takes."""
    add_period(parser)
    parser.add_argument(
        "--hasty",
        type=_duration,
        default=HASTY,
        metavar="TIME",
        help="call an approval hasty that came sooner after the opening (default: 1m)",
    )
    add_source(parser)
    parser.epilog = "example:\n  quorumseal audit open --from 2026-01-01 --to 2026-04-01"


def _duration(text: str) -> timedelta:
    return parse_duration(text)


def run(arguments: Namespace) -> int:
    """Open it."""
    period = period_of(arguments, datetime.now(UTC))
    with opened_audit(arguments) as opened:
        told = overview(opened.population, period, hasty=arguments.hasty)
    if arguments.json:
        print_json({**told.to_json(), "log": opened.to_json()})
    else:
        _draw(arguments, told, opened)
    return Outcome.VERIFIED if told.census.ceremonies and told.census.adds_up else Outcome.WARNINGS


def _draw(arguments: Namespace, told: Overview, opened: Opened) -> None:
    drawn, period, counts = screen(), told.period, told.census
    exceptional = (
        f"{told.exceptional:,} of them with exceptions" if told.exceptional else "none with exceptions"
    )
    drawn.answer(
        Mark.WARNING if told.first else Mark.DONE if counts.ceremonies else Mark.WAITING,
        f"{counted(counts.ceremonies, 'ceremony', 'ceremonies')}, {exceptional}; "
        f"{counted(len(told.changes), 'policy version')} came into force",
    )
    drawn.facts([("  period", period_text(arguments, period))])
    opened.draw(drawn)
    _draw_population(drawn, counts)
    if told.exceptions:
        drawn.heading("Exceptions: " + ", ".join(f"{count:,} {kind}" for kind, count in told.by_kind))
        draw_exhibits(drawn, told.exceptions)
    _draw_changes(drawn, told)
    if told.standing:
        drawn.heading("Said outside any ceremony")
        draw_exhibits(drawn, told.standing)
    if told.first:
        drawn.heading("Look at these first")
        for number, each in enumerate(told.first, start=1):
            drawn.line(f"  {number}.", Foreign(each, LONG))
    first = next((each.ceremony for each in told.weightiest if each.ceremony), None)
    if first:
        drawn.next("Begin with", next_command(arguments, "audit", "show", first))
    else:
        drawn.next("Go on with", next_command(arguments, "audit", "ask", "complete"))


def _draw_population(drawn: Screen, counts: Census) -> None:
    drawn.heading("Population")
    ends = [state for state in ENDS if counts.of(state)]
    if counts.rows:
        drawn.table(
            ["of", "open before", "opened", *(str(state) for state in ends), "open after"],
            [
                [
                    f"{row.kind}" if row.mode == "regular" else f"{row.kind}, {row.mode}",
                    f"{row.before:,}",
                    f"{row.opened:,}",
                    *(f"{row.of(state):,}" for state in ends),
                    f"{row.of(State.OPEN):,}",
                ]
                for row in counts.rows
            ],
        )
    before, opened = (sum(row.before for row in counts.rows), sum(row.opened for row in counts.rows))
    ended = sum(counts.of(state) for state in ends)
    says = (
        f"{before:,} open before and {opened:,} opened are {ended:,} ended and "
        f"{counts.of(State.OPEN):,} open after"
    )
    entries = (
        f"{counts.entries_of_ceremonies:,} entries of ceremonies, {counts.entries_of_none:,} of none"
        + (f" and {counts.entries_before:,} before this copy" if counts.entries_before else "")
        + f" are the log's {counts.size:,}"
    )
    mark = Mark.DONE if counts.adds_up else Mark.FAILED
    drawn.item(mark, says)
    drawn.item(mark, entries)


def _draw_changes(drawn: Screen, told: Overview) -> None:
    if not told.changes:
        return
    drawn.heading("Policy and roster")
    for change in told.changes:
        version, weaker = change.policy.policy.version, len(change.weakens)
        what = "the first" if not change.differences else counted(len(change.differences), "difference")
        people = ", of people too" if change.people else ""
        marked = f"; {counted(weaker, 'permits', 'permit')} what was refused before" if weaker else ""
        drawn.item(
            Mark.WARNING if weaker else Mark.DONE,
            f"version {version}, entry {change.entry.index}, {instant_text(change.entry.entry.at)}: "
            f"{what}{people}{marked}",
        )
        for each in change.differences[:_MOST_DIFFERENCES]:
            drawn.note(Foreign(f"{each.where} {each.says}{' (weaker)' if each.weakens else ''}", LONG))
        if len(change.differences) > _MOST_DIFFERENCES:
            drawn.note(f"and {len(change.differences) - _MOST_DIFFERENCES} more: --json has them all")
