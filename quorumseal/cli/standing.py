# SPDX-License-Identifier: Apache-2.0
"""Where a ceremony stands: the line that answers, a lane for each role, what is missing, the exit code."""

from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.breaking_glass import awaited, more_people
from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.falling import losses
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.quorum import RoleTally, Tally, explain
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.cli.output import Json
from quorumseal.terminal import Mark, Screen, distance_text, duration_text, instant_text
from quorumseal.verifier.outcomes import Outcome
from signer_agent.observing import Observation
from signer_agent.screen import ENDED_MARKS, ended_text

OUTCOMES = {
    State.OPEN: Outcome.PENDING,
    State.APPROVED: Outcome.VERIFIED,
    State.PROVISIONAL: Outcome.PROVISIONAL,
    State.REJECTED: Outcome.REJECTED,
}


def outcome_of_state(state: State) -> Outcome:
    """Return the exit code of whoever waited for a ceremony that is in this state."""
    return OUTCOMES.get(state, Outcome.ENDED)


def tally_of(ceremony: Ceremony, at: datetime) -> Tally:
    """Count now, or when the ceremony ended."""
    return ceremony.tally(at=ceremony.ended_at or at)


def awaited_of(ceremony: Ceremony, at: datetime) -> tuple[str, ...]:
    """Return whose approval would bring the end nearer."""
    return awaited(ceremony, at=ceremony.ended_at or at)


def headline(ceremony: Ceremony, at: datetime) -> tuple[Mark, str]:
    """Return the first line about a ceremony."""
    what, deadline = release_name(ceremony), ceremony.deadline
    if ceremony.state is not State.OPEN:
        mark = ENDED_MARKS.get(ceremony.state, Mark.FAILED)
        return mark, f"{what} {ended_text(ceremony)} {distance_text(ceremony.ended_at or at, at)}"
    if at >= deadline:
        return Mark.WARNING, f"{what} is past its deadline, {distance_text(deadline, at)}"
    if (ends := ceremony.window_ends) is not None:
        return Mark.WARNING, f"{what} can be vetoed: its window ends {distance_text(ends, at)}"
    people = ", ".join(awaited_of(ceremony, at)) or "nobody"
    return Mark.WAITING, f"{what} is open for {duration_text(deadline - at)}, and waits for {people}"


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
    roles = by_name(ceremony, tally_of(ceremony, at), at=at).roles
    width = max(len(role.role) for role in roles)
    for role in roles:
        mark, text = lane(role, is_open=ceremony.state is State.OPEN)
        drawn.item(mark, f"{role.role:<{width}}  {text}")
    if more := more_people(ceremony, at=ceremony.ended_at or at):
        drawn.item(Mark.WAITING, f"{'anyone':<{width}}  {more} more, of any of these roles")


def draw_losses(drawn: Screen, ceremony: Ceremony, at: datetime) -> None:
    """Warn of revoked keys and suspended people."""
    for sentence in losses(ceremony, at=at, say=instant_text):
        drawn.item(Mark.WARNING, sentence)


def missing(ceremony: Ceremony, at: datetime) -> tuple[str, ...]:
    """Say in sentences what keeps a ceremony from being approved; none if it is."""
    count = tally_of(ceremony, at)
    sentences = [] if count.quorum_met else [*explain(by_name(ceremony, count, at=at))]
    if more := more_people(ceremony, at=ceremony.ended_at or at):
        sentences.append(f"it needs {more} more, of any role of its quorum")
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
        "awaited": list(awaited_of(ceremony, at)) if ceremony.state is State.OPEN else [],
        "missing": list(missing(ceremony, at)),
        "taken_out": list(losses(ceremony, at=at, say=exact)),
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


def ratification_among(after: Sequence[Observation]) -> Observation | None:
    """Return which of what followed an emergency made it permanent."""
    for seen in after:
        ceremony = seen.chain.ceremony
        if ceremony.request.statement.kind is Kind.RATIFICATION and ceremony.state is State.APPROVED:
            return seen
    return None


def draw_followers(drawn: Screen, after: Sequence[Observation], at: datetime) -> None:
    """Draw what ratifies a release or takes it back; a revocation that was approved above all."""
    for seen in after:
        mark, text = headline(seen.chain.ceremony, at)
        revoked = (
            seen.chain.ceremony.request.statement.kind is Kind.REVOCATION
            and seen.chain.ceremony.state is State.APPROVED
        )
        drawn.item(Mark.FAILED if revoked else mark, f"{text} (ceremony {seen.chain.id})")


def follower_json(seen: Observation) -> Json:
    """Return what ratifies or revokes a release as JSON."""
    ceremony = seen.chain.ceremony
    return {
        "ceremony": seen.chain.id,
        "kind": str(ceremony.request.statement.kind),
        "state": str(ceremony.state),
        "ended_at": exact(ceremony.ended_at) if ceremony.ended_at else None,
    }
