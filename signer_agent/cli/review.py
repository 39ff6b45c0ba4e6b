# SPDX-License-Identifier: Apache-2.0
"""Show everything about a ceremony that you need to decide on it, from the bytes that you would sign.

Nothing is signed.  The artifacts are hashed on this machine where they are found.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.terminal import Screen
from signer_agent.cli.grid import add_grid, run_review
from signer_agent.cli.looking import add_artifacts, add_ceremony, look_at
from signer_agent.cli.opening import add_home, command, opened, print_json, screen
from signer_agent.documents import review_json
from signer_agent.inbox_screen import handle_of
from signer_agent.review import Review, Standing
from signer_agent.screen import draw_review


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``review`` takes."""
    add_ceremony(parser)
    add_artifacts(parser)
    add_grid(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Show the review."""
    if arguments.grid:
        return run_review(arguments)
    with opened(arguments) as (agent, settings):
        review = look_at(agent, settings, arguments)
    if arguments.json:
        print_json(review_json(review))
    else:
        draw(screen(), review, arguments)
    return 0


def draw(shown: Screen, review: Review, arguments: Namespace) -> None:
    """Draw the review, and what to do next."""
    draw_review(shown, review)
    named = handle_of(review)
    given = [word for path in arguments.artifacts for word in ("--artifacts", str(path))]
    given += ["--fetch"] if arguments.fetch else []
    match review.standing:
        case Standing.AWAITED | Standing.OPEN if review.findings.missing:
            shown.next(
                "Hash the artifacts yourself before you decide",
                command(arguments, "review", named, *(given or ["--artifacts", "PATH"])),
            )
        case Standing.AWAITED | Standing.OPEN if not all(f.matches for f in review.findings.found.values()):
            shown.next(
                "These are other bytes than asked for; to say no",
                command(arguments, "reject", named, "--reason", "other bytes", *given),
            )
        case Standing.AWAITED | Standing.OPEN if review.ceremony.emergency is not None:
            shown.next(
                "To join (or reject --reason …, or break-glass veto)",
                command(arguments, "break-glass", "join", named, *given),
            )
        case Standing.AWAITED | Standing.OPEN:
            shown.next(
                "To approve (or reject --reason …, or abstain)", command(arguments, "approve", named, *given)
            )
        case Standing.UNSENT:
            shown.next("Send what you signed again", command(arguments, "approve", named))
        case standing if standing is not Standing.ENDED and review.ceremony.emergency is not None:
            shown.next("To stop it", command(arguments, "break-glass", "veto", named))
        case _:
            shown.next("What else waits", command(arguments, "inbox"))
