# SPDX-License-Identifier: Apache-2.0
"""How the earlier ceremony is drawn that is ratified, approved anew or taken back, verified like its own."""

from quorumseal.ceremony.statements import Report
from quorumseal.terminal import Cell, Foreign, Mark, Screen, distance_text, instant_text
from signer_agent.emergency_screen import draw_text
from signer_agent.observing import Observation
from signer_agent.review import Review


def draw_about(screen: Screen, review: Review) -> None:
    """Draw what is ratified, approved anew or revoked, and why."""
    about, request = review.background.about, review.request.statement
    if about is None:
        return
    if request.ratified is not None:
        screen.heading("What is ratified: an emergency that was released provisionally")
        _draw_emergency(screen, about, review)
        return
    if request.reapproved is not None:
        screen.heading("What is approved anew: a release that was approved before")
        _draw_facts(screen, _facts(about, review), about)
        return
    screen.heading("What is taken back")
    _draw_release(screen, about, review)
    draw_text(screen, request, "why", review.observation.reasons.get(request.why or ""))


def _draw_emergency(screen: Screen, about: Observation, review: Review) -> None:
    ceremony = about.chain.ceremony
    request = ceremony.request.statement
    facts = _facts(about, review)
    if request.emergency is not None:
        facts += [
            ("  reason", request.emergency.reason),
            ("  incident", Foreign(request.emergency.incident)),
            ("  ratify by", instant_text(request.emergency.ratify_by)),
        ]
    _draw_facts(screen, facts, about)
    draw_text(screen, request, "why it could not wait", about.reasons.get(request.why or ""))
    if request.emergency is not None:
        draw_text(screen, request, "what it did to whom", about.reasons.get(request.emergency.impact))
    for report in about.signed(Report):
        screen.line(f"  report, in the words of {report.context.signer}:")
        screen.quote(about.reasons.get(report.text, ""))


def _draw_release(screen: Screen, about: Observation, review: Review) -> None:
    ceremony = about.chain.ceremony
    _draw_facts(screen, _facts(about, review), about)
    for subject in ceremony.request.statement.subjects:
        screen.item(Mark.FAILED, f"{subject.name}: nobody is to use it any more")
        screen.line(f"    {subject.digest}")


def _draw_facts(screen: Screen, facts: list[tuple[str, Cell]], about: Observation) -> None:
    screen.facts([*facts, ("  request", "")])
    screen.line(f"    {about.chain.ceremony.request.digest}")


def _facts(about: Observation, review: Review) -> list[tuple[str, Cell]]:
    ceremony = about.chain.ceremony
    request, ended = ceremony.request.statement, ceremony.ended_at
    seats = ceremony.tally(at=ended or review.at).seats
    people = "; ".join(f"{role}: {', '.join(seated)}" for role, seated in seats.items() if seated)
    return [
        ("  release", f"{request.product} {request.version}, {request.kind}, {request.mode}"),
        ("  ceremony", request.ceremony),
        ("  asked for by", request.context.signer),
        ("  approved by", people or "nobody"),
        (
            f"  {ceremony.state}",
            f"{instant_text(ended)}, {distance_text(ended, review.at)}" if ended else "not ended",
        ),
    ]
