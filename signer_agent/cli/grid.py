# SPDX-License-Identifier: Apache-2.0
"""``review --grid`` and ``approve --grid``: all re-approvals that wait, under one confirmation."""

from argparse import ArgumentParser, Namespace

from quorumseal.verifier.outcomes import Outcome
from signer_agent.agent import Agent
from signer_agent.cli.looking import sources_of
from signer_agent.cli.opening import command, open_key, opened, print_json, screen
from signer_agent.cli.progress import counting
from signer_agent.cli.verdict import Person, somebody
from signer_agent.errors import GridChangedError, UsageError
from signer_agent.fork import require_unblocked
from signer_agent.grid import Grid, Settled, look_at_all, require_same, sign_all, write_all
from signer_agent.grid_screen import draw_grid, draw_settled, grid_json, settled_json
from signer_agent.settings import Settings

_ALONE = ("ceremony", "reason", "role", "member", "valid_for")
"""What belongs to one ceremony, and means nothing for many."""


def add_grid(parser: ArgumentParser) -> None:
    """Let a verb be about all re-approvals that wait."""
    parser.add_argument(
        "--grid", action="store_true", help="all re-approvals that wait for you together, in one table"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PRODUCT@VERSION",
        help="leave a row of the table out; may be repeated",
    )


def add_list(parser: ArgumentParser) -> None:
    """Let a verb be told which table was looked at."""
    parser.add_argument(
        "--list", dest="listed", metavar="DIGEST", help="refuse any other table than the one of this digest"
    )


def run_review(arguments: Namespace) -> int:
    """Show the table."""
    _check(arguments)
    with opened(arguments) as (agent, settings):
        grid = look_at_all(agent, sources_of(settings, arguments), without=arguments.without)
    if arguments.json:
        print_json(grid_json(grid))
        return 0
    shown = screen()
    draw_grid(shown, grid)
    refused = [row.name for row in grid.rows if row.refusal is not None]
    if not grid.rows:
        shown.next("What else waits", command(arguments, "inbox"))
    elif refused:
        left_out = [word for name in refused for word in ("--without", name)]
        shown.next(
            "To leave these out", command(arguments, "review", "--grid", *_given(arguments), *left_out)
        )
    else:
        words = ["approve", "--grid", *_given(arguments), "--list", grid.digest]
        shown.next("To approve exactly this list", command(arguments, *words))
    return 0


def run_approve(arguments: Namespace) -> int:
    """Show the table, ask once, and sign each."""
    _check(arguments)
    with opened(arguments) as (agent, settings):
        require_unblocked(agent.home)
        grid = _shown(agent, settings, arguments)
        drafts = write_all(grid, checked=arguments.checked)
        count = len(grid.rows)
        if count:
            Person(ask=somebody(), yes=arguments.yes).confirm(
                f"{agent.name}: approval of {count} release{'s' if count > 1 else ''} anew."
            )
        again = look_at_all(agent, sources_of(settings, arguments), without=arguments.without)
        require_same(grid, again)
        again.require()
        settled: tuple[Settled, ...] = ()
        if count:
            policy = grid.rows[0].review.observation.newest
            settled = sign_all(
                agent,
                grid,
                drafts,
                lambda: open_key(settings, arguments.passphrase_fd, policy),
                progress=counting("signing"),
            )
    return _report(settled, grid, arguments)


def _shown(agent: Agent, settings: Settings, arguments: Namespace) -> Grid:
    """Look, show it, and refuse another list than the one that was asked for."""
    grid = look_at_all(agent, sources_of(settings, arguments), without=arguments.without)
    if not arguments.json:
        draw_grid(screen(), grid)
    if arguments.listed is not None and arguments.listed != grid.digest:
        raise GridChangedError(
            f"expected the list {arguments.listed[:80]}, got {grid.digest}",
            hint="look at it again with `quorumseal review --grid`; nothing was signed",
        )
    return grid


def _report(settled: tuple[Settled, ...], grid: Grid, arguments: Namespace) -> int:
    whole = all(each.stored is not None for each in settled) and len(settled) == len(grid.rows)
    if arguments.json:
        print_json(settled_json(settled, grid))
    else:
        shown = screen()
        if grid.rows:
            draw_settled(shown, settled, grid)
        if whole:
            shown.next("What else waits", command(arguments, "inbox"))
        else:
            shown.next("To send the rest", command(arguments, "approve", "--grid", *_given(arguments)))
    return 0 if whole else Outcome.PENDING


def _check(arguments: Namespace) -> None:
    given = [name for name in _ALONE if getattr(arguments, name, None)]
    if given:
        raise UsageError(
            f"expected nothing about one ceremony beside --grid, got {given[0].replace('_', '-')}",
            hint="without --grid, name the one that you mean",
        )


def _given(arguments: Namespace) -> list[str]:
    """Return the arguments that make the same list again."""
    words = [word for path in arguments.artifacts for word in ("--artifacts", str(path))]
    words += ["--fetch"] if arguments.fetch else []
    return words + [word for name in arguments.without for word in ("--without", name)]
