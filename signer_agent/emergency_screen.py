# SPDX-License-Identifier: Apache-2.0
"""How an emergency is drawn: under a banner that nobody overlooks, with all that its request says.

What the requester wrote stands apart under their name: it is their word, to which their signature commits.
"""

from collections.abc import Mapping
from datetime import datetime

from quorumseal.ceremony.breaking_glass import joined, more_people
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.statements import Emergency, Request
from quorumseal.terminal import Cell, Foreign, Mark, Screen, distance_text, duration_text, instant_text

Row = tuple[str, Cell]


def banner_of(ceremony: Ceremony) -> tuple[tuple[Cell, ...], ...]:
    """Return the lines of the banner: that this is no ordinary release, and how it differs."""
    emergency, allowed = _emergency(ceremony)
    drill = "DRILL. " if ceremony.policy.drill else ""
    quorum, usual = quorum_text(allowed.quorum), quorum_text(ceremony.rule.quorum)
    return (
        (f"{drill}BREAK-GLASS EMERGENCY: {emergency.reason}, incident", Foreign(emergency.incident)),
        (f"{_people(emergency.people)} ({quorum}) release it instead of {usual}.",),
    )


def draw_banner(screen: Screen, ceremony: Ceremony) -> None:
    """Draw the banner of an emergency; nothing for an ordinary ceremony."""
    if ceremony.emergency is not None:
        for line in banner_of(ceremony):
            screen.banner(*line)


def draw_emergency(
    screen: Screen, ceremony: Ceremony, texts: Mapping[str, str], *, at: datetime, ratified: bool = False
) -> None:
    """Draw what the request of an emergency says, where it stands, and what its requester wrote."""
    request = ceremony.request.statement
    emergency, _ = _emergency(ceremony)
    screen.heading("Emergency")
    screen.facts(emergency_facts(ceremony, at=at))
    for sentence in course(ceremony, at=at, ratified=ratified):
        screen.item(Mark.WARNING, sentence)
    draw_text(screen, request, "why it cannot wait", texts.get(request.why or ""))
    draw_text(screen, request, "what it does to whom", texts.get(emergency.impact))


def draw_text(screen: Screen, request: Request, what: str, text: str | None) -> None:
    """Draw a text of the requester, or say that it is not here."""
    who = request.context.signer
    if text is None:
        screen.item(Mark.WARNING, f"What {who} wrote ({what}) is not here: it was erased, or is withheld")
        return
    screen.line(f"  {what}, in the words of {who}:")
    screen.quote(text)


def emergency_facts(ceremony: Ceremony, *, at: datetime) -> list[Row]:
    """Return what the request of an emergency says, in two columns."""
    request = ceremony.request.statement
    emergency, allowed = _emergency(ceremony)
    guardians = sorted(t.role for t in allowed.quorum if t.role in ceremony.policy.guardians)
    at = ceremony.ended_at or at
    here = len(joined(ceremony, at=at))
    return [
        ("  reason", f"{emergency.reason} (the rule knows {', '.join(sorted(allowed.reasons))})"),
        ("  incident", Foreign(emergency.incident)),
        (
            "  needs",
            f"{_people(emergency.people)}: {quorum_text(allowed.quorum)}; guardian: {', '.join(guardians)}",
        ),
        ("  joined", f"{here} of {emergency.people}"),
        ("  skips", _skipped(ceremony, allowed)),
        ("  veto", _veto_text(ceremony, allowed)),
        ("  provisional", f"until {_when(emergency.provisional_until, at)}"),
        ("  ratify by", _when(emergency.ratify_by, at)),
        ("  hard stop", _when(request.hard_stop, at)),
    ]


def course(ceremony: Ceremony, *, at: datetime, ratified: bool = False) -> tuple[str, ...]:
    """Say where an emergency stands, and what time will do to it; nothing once it came to nothing."""
    emergency, allowed = _emergency(ceremony)
    if ceremony.state is State.OPEN:
        if (ends := ceremony.window_ends) is not None:
            return (
                (
                    f"its quorum is met: any member of any role may veto it until {instant_text(ends)}, "
                    f"{distance_text(ends, at)}; then it is released provisionally"
                ),
            )
        more = more_people(ceremony, at=at)
        also = (f"{_people(more)} more must join, of any role of its quorum",) if more else ()
        return (
            *also,
            (
                f"nothing is released before its quorum has stood for {duration_text(allowed.veto_window)} "
                "without a veto"
            ),
        )
    if ceremony.state is not State.PROVISIONAL:
        return (f"{ceremony.stopped_by} vetoed it",) if ceremony.stopped_by else ()
    return (*(() if ratified else _ends(emergency, at)), *_report(ceremony, at))


def quorum_text(quorum: tuple[Threshold, ...]) -> str:
    """Say how many of which role."""
    return ", ".join(f"{threshold.count} of {threshold.role}" for threshold in quorum)


def _ends(emergency: Emergency, at: datetime) -> tuple[str, ...]:
    until, by = emergency.provisional_until, emergency.ratify_by
    if at >= by:
        return (f"unless a ratification was approved by {instant_text(by)}, it has lapsed",)
    if at >= until:
        return (
            f"its provisional bundle counted until {instant_text(until)}",
            f"it can be ratified until {instant_text(by)}, {distance_text(by, at)}",
        )
    return (
        (
            f"its provisional bundle counts until {instant_text(until)}, {distance_text(until, at)}, "
            "and only for whoever allows that"
        ),
        f"unless it is ratified by {instant_text(by)}, {distance_text(by, at)}, it lapses",
    )


def _report(ceremony: Ceremony, at: datetime) -> tuple[str, ...]:
    due = ceremony.report_due
    if due is None:
        return ()
    late = " and is late: the next emergency needs three people" if at >= due else ""
    return (f"a report by somebody who took no part is due {instant_text(due)}{late}",)


def _skipped(ceremony: Ceremony, allowed: BreakGlass) -> str:
    """Say what the rule would ask for in quiet times, and does not ask for now."""
    now = {threshold.role: threshold.count for threshold in allowed.quorum}
    fewer = [
        f"{threshold.count - now.get(threshold.role, 0)} of {threshold.role}"
        for threshold in ceremony.rule.quorum
        if threshold.count > now.get(threshold.role, 0)
    ]
    checks = [f"check {check}" for check in sorted(ceremony.rule.checks - allowed.checks)]
    return ", ".join([*fewer, *checks]) or "nothing"


def _veto_text(ceremony: Ceremony, allowed: BreakGlass) -> str:
    before = ", ".join(sorted(ceremony.vetoed_by))
    length = f"any member of any role, for {duration_text(allowed.veto_window)} once its quorum is met"
    return f"{length}; not {before}, who vetoed this release before" if before else length


def _when(instant: datetime, at: datetime) -> str:
    return f"{instant_text(instant)}, {distance_text(instant, at)}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _emergency(ceremony: Ceremony) -> tuple[Emergency, BreakGlass]:
    emergency, allowed = ceremony.request.statement.emergency, ceremony.emergency
    assert emergency is not None  # noqa: S101 - asked of emergencies only
    assert allowed is not None  # noqa: S101 - the rule admitted one
    return emergency, allowed
