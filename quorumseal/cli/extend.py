# SPDX-License-Identifier: Apache-2.0
"""Move the deadline of an open ceremony, at most twice and never past its hard stop.

Only who belongs to a role that the rule lets extend, and did not ask for the release, can do this.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.extending import MOST_EXTENSIONS
from quorumseal.ceremony.statements import Extension
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.acting import Acted, act, add_act
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.desk import command, now, open_desk
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Mark, distance_text, instant_text
from signer_agent.cli.times import instant_argument, span_argument
from signer_agent.drafting import Draft
from signer_agent.extending import later_deadline, write_extension
from signer_agent.review import Review


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``extend`` takes."""
    add_act(parser)
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "--by",
        type=span_argument,
        metavar="TIME",
        help="so much later than now planned: 1bd or 4bh (working time), 12h, 1d",
    )
    when.add_argument(
        "--until", type=instant_argument, metavar="INSTANT", help="until then, such as 2026-11-25T17:00+01:00"
    )


def run(arguments: Namespace) -> int:
    """Move it."""
    with open_desk(arguments) as desk:
        acted = act(
            desk,
            arguments,
            Extension,
            write=lambda review: write_extension(
                review, later_deadline(review, arguments.by or arguments.until)
            ),
            ask=_question,
        )
    if arguments.json:
        print_json(_json(acted))
    else:
        _draw(acted, arguments)
    return 0


def _question(review: Review, draft: Draft) -> str:
    extension = draft.statement
    assert isinstance(extension, Extension)  # noqa: S101 - what was written
    return (
        f"move the deadline of {release_name(review.ceremony)} from {instant_text(review.ceremony.deadline)} "
        f"to {instant_text(extension.deadline)}."
    )


def _draw(acted: Acted, arguments: Namespace) -> None:
    extension, ceremony, at = _extension(acted), acted.review.ceremony, now()
    hard_stop = ceremony.request.statement.hard_stop
    drawn, left = screen(), MOST_EXTENSIONS - extension.number
    drawn.answer(
        Mark.DONE,
        f"{release_name(ceremony)} now expires {distance_text(extension.deadline, at)}: the extension is in "
        "the log, and the receipt is verified",
    )
    drawn.facts(
        [
            ("  deadline", instant_text(extension.deadline)),
            ("  hard stop", f"{instant_text(hard_stop)}; nothing moves that"),
            ("  extension", f"{extension.number} of {MOST_EXTENSIONS}"),
        ]
    )
    if acted.again:
        drawn.line("It had been signed before, and nothing was signed anew.")
    why = "Who is awaited" if left else "It was the last one that is allowed; who is awaited"
    drawn.next(why, command(arguments, "why", arguments.ceremony))


def _json(acted: Acted) -> dict[str, Json]:
    extension = _extension(acted)
    return {
        "ceremony": acted.stored.ceremony,
        "statement": acted.stored.digest,
        "state": acted.stored.state,
        "number": extension.number,
        "deadline": exact(extension.deadline),
        "hard_stop": exact(acted.review.request.statement.hard_stop),
        "created": not acted.again,
    }


def _extension(acted: Acted) -> Extension:
    assert isinstance(acted.stored.statement, Extension)  # noqa: S101 - what was asked for
    return acted.stored.statement
