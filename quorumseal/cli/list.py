# SPDX-License-Identifier: Apache-2.0
"""List ceremonies, newest first.

What it shows is the coordinator's word; `show` verifies one ceremony.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.desk import add_home, command, now, open_desk
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.publications import AWAITING
from quorumseal.client.values import CeremonySummary
from quorumseal.terminal import Foreign, Mark, distance_text

_MOST = 200
_FEWEST = 13
_ID = 36


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``list`` takes."""
    parser.add_argument(
        "--state",
        action="append",
        choices=[*State],
        default=[],
        metavar="STATE",
        help=f"only {', '.join(State)}; repeatable",
    )
    parser.add_argument("--product", default="", help="only ceremonies of this product")
    parser.add_argument("--version", default="", help="only ceremonies of this version")
    parser.add_argument(
        "--most", type=int, default=20, metavar="N", help=f"at most N (default: 20; {_MOST} at most)"
    )
    add_home(parser)


def run(arguments: Namespace) -> int:
    """List, and say whose word it is."""
    most = max(1, min(arguments.most, _MOST))
    with open_desk(arguments) as desk:
        page = desk.connection.list_ceremonies(
            states=arguments.state, product=arguments.product, version=arguments.version, page_size=most
        )
    if arguments.json:
        print_json({"verified": False, "ceremonies": [_json(each) for each in page.ceremonies]})
        return 0
    drawn, at = screen(), now()
    if not page.ceremonies:
        drawn.answer(Mark.WAITING, "the coordinator lists no such ceremony")
        return 0
    waiting = sum(each.state == State.OPEN for each in page.ceremonies)
    listed, more = len(page.ceremonies), " or more" if page.next_token else ""
    drawn.answer(
        Mark.WAITING if waiting else Mark.DONE,
        f"{listed}{more} ceremon{'y' if listed == 1 else 'ies'}, {waiting} open, as the coordinator says",
    )
    digits = _telling([each.ceremony for each in page.ceremonies])
    drawn.table(
        ["release", "state", "asked for by", "time", "ceremony"],
        [
            [
                Foreign(_name(each)),
                Foreign(each.state),
                Foreign(each.requester),
                _time(each, at),
                Foreign(each.ceremony[:digits]),
            ]
            for each in page.ceremonies
        ],
    )
    for each in (each for each in page.ceremonies if each.publication == AWAITING):
        state = Foreign(f"{each.state}, and awaiting witnesses of the log")
        drawn.item(Mark.WAITING, Foreign(_name(each)), "is", state)
    drawn.next("Look at one, verified", command(arguments, "show", page.ceremonies[0].ceremony))
    return 0


def _name(summary: CeremonySummary) -> str:
    release = f"{summary.product} {summary.version}"
    if summary.mode == Mode.BREAK_GLASS:
        return f"EMERGENCY {release}"
    return release if summary.kind == Kind.RELEASE else f"{summary.kind} of {release}"


def _time(summary: CeremonySummary, at: datetime) -> str:
    if summary.ended_at is not None:
        return f"ended {distance_text(summary.ended_at, at)}"
    return f"ends {distance_text(summary.deadline, at)}"


def _telling(ceremonies: Sequence[str]) -> int:
    """Return how much of their ids tells these ceremonies apart; the first part is the time of opening."""
    return next(
        digits
        for digits in range(_FEWEST, _ID + 1)
        if len({c[:digits] for c in ceremonies}) == len({*ceremonies})
    )


def _json(summary: CeremonySummary) -> Json:
    return {
        "ceremony": summary.ceremony,
        "product": summary.product,
        "version": summary.version,
        "kind": summary.kind,
        "mode": summary.mode,
        "state": summary.state,
        "requester": summary.requester,
        "opened_at": exact(summary.opened_at),
        "deadline": exact(summary.deadline),
        "ended_at": exact(summary.ended_at) if summary.ended_at else None,
        "publication": summary.publication or None,
    }
