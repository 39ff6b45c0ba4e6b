# SPDX-License-Identifier: Apache-2.0
"""Where a ceremony stands: the line that answers, a lane for each role, what is missing, the exit code."""

from datetime import datetime

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.quorum import RoleTally, Tally, explain
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.output import Json
from quorumseal.terminal import Mark, Screen, distance_text, duration_text
from quorumseal.verifier.outcomes import Outcome

OUTCOMES = {State.OPEN: Outcome.PENDING, State.APPROVED: Outcome.VERIFIED, State.REJECTED: Outcome.REJECTED}


def outcome_of_state(state: State) -> Outcome:
    """Return the exit code of whoever waited for a ceremony that is in this state."""
    return OUTCOMES.get(state, Outcome.ENDED)


def tally_of(ceremony: Ceremony, at: datetime) -> Tally:
    """Count now, or when the ceremony ended."""
    return ceremony.tally(at=ceremony.ended_at or at)


def headline(ceremony: Ceremony, at: datetime) -> tuple[Mark, str]:
    """Return the first line about a ceremony."""
    what, deadline = release_name(ceremony), ceremony.deadline
    if ceremony.state is not State.OPEN:
        mark = Mark.DONE if ceremony.state is State.APPROVED else Mark.FAILED
        ended = "expired" if ceremony.state is State.EXPIRED else f"was {ceremony.state}"
        return mark, f"{what} {ended} {distance_text(ceremony.ended_at or at, at)}"
    if at >= deadline:
        return Mark.WARNING, f"{what} is past its deadline, {distance_text(deadline, at)}"
    awaited = ", ".join(tally_of(ceremony, at).awaited) or "nobody"
    return Mark.WAITING, f"{what} is open for {duration_text(deadline - at)}, and waits for {awaited}"


def lane(role: RoleTally, *, is_open: bool) -> tuple[Mark, str]:
    """Return what one role's lane shows."""
    text = f"{len(role.seated)} of {role.threshold}"
    if role.seated:
        text += f": {', '.join(role.seated)}"
    if not role.missing:
        return Mark.DONE, text
    if is_open and role.helpful:
        text += f"; awaited: {', '.join(role.helpful)}"
    return (Mark.WAITING if is_open and role.helpful else Mark.FAILED), text


def draw_lanes(drawn: Screen, ceremony: Ceremony, at: datetime) -> None:
    """Draw a lane for each role."""
    roles = tally_of(ceremony, at).roles
    width = max(len(role.role) for role in roles)
    for role in roles:
        mark, text = lane(role, is_open=ceremony.state is State.OPEN)
        drawn.item(mark, f"{role.role:<{width}}  {text}")


def missing(ceremony: Ceremony, at: datetime) -> tuple[str, ...]:
    """Say in sentences what keeps a ceremony from being approved; none if it is."""
    count = tally_of(ceremony, at)
    sentences = [] if count.quorum_met else [*explain(count)]
    rejecting = sorted(ceremony.rejecters)
    if rejecting:
        sentences.insert(0, f"{' and '.join(rejecting)} rejected it")
    if ceremony.state is State.OPEN and not count.reachable:
        sentences.append("nobody is left who could meet the quorum: cancel it, or let it expire")
    return tuple(sentences)


def standing_json(ceremony: Ceremony, at: datetime) -> dict[str, Json]:
    """Return the count as JSON."""
    count = tally_of(ceremony, at)
    return {
        "state": str(ceremony.state),
        "quorum_met": count.quorum_met,
        "reachable": count.reachable,
        "awaited": list(count.awaited) if ceremony.state is State.OPEN else [],
        "missing": list(missing(ceremony, at)),
        "roles": [
            {
                "role": role.role,
                "threshold": role.threshold,
                "seated": list(role.seated),
                "awaited": list(role.helpful) if ceremony.state is State.OPEN else [],
            }
            for role in count.roles
        ],
    }
