# SPDX-License-Identifier: Apache-2.0
"""Show one ceremony: what is asked for, who decided what, where its bundle is.

Everything but the bundle's whereabouts was recomputed here from the signed entries and the log's proof.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from quorumseal.ceremony.lifecycle import State
from quorumseal.cli import ceremony_screen, standing
from quorumseal.cli.desk import add_ceremony, command, now, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.publications import draw_publications, publications_json
from quorumseal.terminal import Screen
from signer_agent.observing import Observation


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``show`` takes."""
    add_ceremony(parser)


def run(arguments: Namespace) -> int:
    """Show it."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
    ceremony, at = seen.chain.ceremony, now()
    if arguments.json:
        print_json(
            {
                "verified": True,
                **ceremony_screen.ceremony_json(ceremony, seen.policy),
                "quorum": standing.standing_json(ceremony, at),
                "publications": publications_json(seen.publications),
                "log": {"size": seen.head.checkpoint.size, "root": seen.head.seen.root},
            }
        )
        return 0
    drawn = screen()
    drawn.answer(*standing.headline(ceremony, at))
    standing.draw_lanes(drawn, ceremony, at)
    drawn.heading("Request")
    ceremony_screen.draw_request(drawn, ceremony, seen.policy)
    ceremony_screen.draw_artifacts(drawn, ceremony)
    ceremony_screen.draw_evidence(drawn, ceremony)
    ceremony_screen.draw_decisions(drawn, ceremony)
    _draw_reasons(drawn, seen)
    if seen.publications:
        drawn.heading("Bundle, as the coordinator says")
        draw_publications(drawn, seen.publications)
    drawn.next(*next_command(ceremony.state, arguments.ceremony, arguments))
    return 0


def next_command(state: State, named: str, arguments: Namespace) -> tuple[str, Sequence[str]]:
    """Return what to do next about a ceremony, which is called what the person called it."""
    match state:
        case State.OPEN:
            return "What is missing", command(arguments, "why", named)
        case State.APPROVED:
            return "Get the bundle", command(arguments, "release", "fetch", named)
        case _:
            return "Why", command(arguments, "why", named)


def _draw_reasons(drawn: Screen, seen: Observation) -> None:
    for signer, decision in seen.chain.ceremony.decisions.items():
        text = seen.reasons.get(decision.statement.reason or "")
        if text is not None:
            drawn.line()
            drawn.line(f"{signer} wrote:")
            drawn.quote(text)
