# SPDX-License-Identifier: Apache-2.0
"""Answer one of the questions that auditors ask, from the replayed log alone.

The answer comes first, then the evidence with the entries that say so, then what the log cannot tell.
Without a question, the questions are listed.  Exit 12 says that somebody should look at something, or that
there was nothing to look at.
"""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.audit.answer import Answer, Verdict
from quorumseal.audit.population import Period, Population
from quorumseal.audit.questions import unapproved
from quorumseal.audit.questions.table import QUESTIONS, UNAPPROVED
from quorumseal.cli.audit.exhibits import LONG, draw_exhibits
from quorumseal.cli.audit.listing import listed_in
from quorumseal.cli.audit.opened import Opened, next_command, opened_audit
from quorumseal.cli.audit.period import add_period, period_of, period_text
from quorumseal.cli.audit.source import add_source
from quorumseal.cli.errors import UsageError
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Foreign, Mark
from quorumseal.verifier.outcomes import Outcome

_MARKS = {
    Verdict.CLEAN: Mark.DONE,
    Verdict.EXCEPTIONS: Mark.WARNING,
    Verdict.NOTHING: Mark.WAITING,
}


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit ask`` takes."""
    parser.add_argument(
        "question", nargs="?", choices=[*QUESTIONS], metavar="QUESTION", help=f"one of {', '.join(QUESTIONS)}"
    )
    parser.add_argument(
        "--listing",
        type=Path,
        metavar="PATH",
        help=f"of {UNAPPROVED}: what is out there, as a file of names and digests, the JSON of an OCI "
        "registry, or a folder of artifacts or bundles",
    )
    parser.add_argument("--texts", action="store_true", help="fetch what people wrote, too")
    add_period(parser)
    add_source(parser)
    parser.epilog = "example:\n  quorumseal audit ask own-requests --from 2026-01-01 --to 2026-04-01"


def run(arguments: Namespace) -> int:
    """Answer."""
    if arguments.question is None:
        return _list(arguments)
    period = period_of(arguments, datetime.now(UTC))
    _check_listing(arguments)
    with opened_audit(arguments, texts=arguments.texts) as opened:
        answer = _answer(arguments, opened.population, period)
    if arguments.json:
        print_json(
            {
                **answer.to_json(),
                **period.to_json(),
                "asked_by": QUESTIONS[arguments.question].asked_by,
                "log": opened.to_json(),
            }
        )
    else:
        _draw(arguments, answer, opened, period)
    return Outcome.VERIFIED if answer.verdict is Verdict.CLEAN else Outcome.WARNINGS


def _check_listing(arguments: Namespace) -> None:
    if (arguments.listing is not None) != (arguments.question == UNAPPROVED):
        raise UsageError(
            f"expected --listing with the question {UNAPPROVED}, and with no other",
            hint="it names what is out there: a file of names and digests, or a folder",
        )


def _answer(arguments: Namespace, population: Population, period: Period) -> Answer:
    ask = QUESTIONS[arguments.question].ask
    if ask is not None:
        return ask(population, period)
    return unapproved.ask(population, period, listed_in(arguments.listing))


def _draw(arguments: Namespace, answer: Answer, opened: Opened, period: Period) -> None:
    drawn = screen()
    drawn.answer(_MARKS[answer.verdict], Foreign(answer.says, LONG))
    looked_at = ", ".join(f"{what}: {count:,}" for what, count in answer.looked_at)
    drawn.facts(
        [
            ("  asked", answer.question),
            ("  period", period_text(arguments, period)),
            ("  looked at", looked_at),
        ]
    )
    opened.draw(drawn)
    if answer.exhibits:
        drawn.heading("Evidence")
        draw_exhibits(drawn, answer.exhibits)
    drawn.heading("What the log cannot tell")
    for limit in answer.limits:
        drawn.item(Mark.WAITING, limit)
    drawn.next("Go on with", next_command(arguments, *answer.next))


def _list(arguments: Namespace) -> int:
    if arguments.json:
        print_json({word: {"asks": each.asks, "asked_by": each.asked_by} for word, each in QUESTIONS.items()})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{len(QUESTIONS)} questions can be asked")
    for word, each in QUESTIONS.items():
        drawn.item(Mark.WAITING, f"{word}: {each.asks}")
        drawn.note(each.asked_by)
    drawn.next("Begin with", next_command(arguments, "audit", "ask", "complete"))
    return 0
