# SPDX-License-Identifier: Apache-2.0
"""Show one ceremony: what is asked for, who decided what, where its bundle is.

Everything but the bundle's whereabouts was recomputed here from the signed entries and the log's proof.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.statements import Report, Veto
from quorumseal.cli import ceremony_screen, standing
from quorumseal.cli.desk import add_ceremony, command, now, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.publications import draw_publications, publications_json
from quorumseal.terminal import Screen
from signer_agent.background import followers
from signer_agent.documents import emergency_json
from signer_agent.emergency_screen import draw_banner, draw_emergency
from signer_agent.observing import Observation


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``show`` takes."""
    add_ceremony(parser)


def run(arguments: Namespace) -> int:
    """Show it."""
    with open_desk(arguments) as desk:
        seen = desk.look(arguments.ceremony)
        after = followers(desk.agent, seen)
    ceremony, at = seen.chain.ceremony, now()
    if arguments.json:
        print_json(
            {
                "verified": True,
                **ceremony_screen.ceremony_json(ceremony, seen.policy),
                "quorum": standing.standing_json(ceremony, at),
                "emergency": emergency_json(ceremony, seen.reasons, at=at),
                "why": seen.reasons.get(ceremony.request.statement.why or ""),
                "followed_by": [standing.follower_json(each) for each in after],
                "publications": publications_json(seen.publications),
                "log": {"size": seen.head.checkpoint.size, "root": seen.head.seen.root},
            }
        )
        return 0
    drawn, ratification = screen(), standing.ratification_among(after)
    drawn.answer(*standing.headline(ceremony, at))
    draw_banner(drawn, ceremony)
    standing.draw_followers(drawn, after, at)
    standing.draw_lanes(drawn, ceremony, at)
    standing.draw_losses(drawn, ceremony, at)
    if ceremony.emergency is not None:
        draw_emergency(drawn, ceremony, seen.reasons, at=at, ratified=ratification is not None)
    drawn.heading("Request")
    ceremony_screen.draw_request(drawn, ceremony, seen.policy)
    ceremony_screen.draw_artifacts(drawn, ceremony)
    ceremony_screen.draw_evidence(drawn, ceremony)
    ceremony_screen.draw_decisions(drawn, ceremony)
    _draw_reasons(drawn, seen)
    _draw_acts(drawn, seen)
    if seen.publications:
        drawn.heading("Bundle, as the coordinator says")
        draw_publications(drawn, seen.publications)
    if ratification is not None:
        drawn.next(*next_command(ratification.chain.ceremony, ratification.chain.id, arguments))
    else:
        drawn.next(*next_command(ceremony, arguments.ceremony, arguments))
    return 0


def next_command(ceremony: Ceremony, named: str, arguments: Namespace) -> tuple[str, Sequence[str]]:
    """Return what to do next about a ceremony, which is called what the person called it."""
    match ceremony.state:
        case State.OPEN:
            return "What is missing", command(arguments, "why", named)
        case State.PROVISIONAL:
            return "To make it permanent", command(arguments, "ratify", named)
        case State.APPROVED if ceremony.request.statement.kind in GOVERNED:
            return "See which policy is in force", command(arguments, "policy", "log")
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


def _draw_acts(drawn: Screen, seen: Observation) -> None:
    """Draw what was written beyond decisions: why a release is taken back, a veto, reports."""
    request = seen.chain.ceremony.request.statement
    acts = [(veto.context.signer, "vetoed it", veto.reason) for veto in seen.signed(Veto)]
    acts += [(report.context.signer, "reported", report.text) for report in seen.signed(Report)]
    if request.kind is Kind.REVOCATION and request.why is not None:
        acts.append((request.context.signer, "takes it back", request.why))
    for signer, what, commitment in acts:
        text = seen.reasons.get(commitment)
        if text is not None:
            drawn.line()
            drawn.line(f"{signer} {what}, and wrote:")
            drawn.quote(text)
