# SPDX-License-Identifier: Apache-2.0
"""What an open ceremony is heading for: who is away, on whom it rests, whom the coordinator reminds when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.breaking_glass import awaited
from quorumseal.ceremony.forecasting import Forecast, forecast
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.reminding import Reminder, coming
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.desk import Desk
from quorumseal.cli.output import Json
from quorumseal.terminal import Mark, Screen, distance_text, instant_text
from signer_agent.observing import observe_standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """What is known of the time ahead."""

    forecast: Forecast
    reminders: tuple[Reminder, ...]


def foresee(desk: Desk, ceremony: Ceremony, present: Collection[str], *, at: datetime) -> Prospects:
    """Return the prospects of an open ceremony, from absences that were verified.

    ``present`` is the coordinator's word.  Where nobody runs an agent all day, it says nothing of anybody.
    """
    standing = observe_standing(desk.agent).standing
    unseen = [person for person in awaited(ceremony, at=at) if present and person not in present]
    return Prospects(
        forecast=forecast(ceremony, standing, unseen=unseen, at=at),
        reminders=tuple(coming(ceremony, standing, at=at)),
    )


def look_ahead(desk: Desk, ceremony: Ceremony) -> Prospects | None:
    """Return the prospects of a ceremony as it is now; none where it has ended."""
    if ceremony.state is not State.OPEN:
        return None
    present = {each.signer for each in desk.connection.presence()}
    return foresee(desk, ceremony, present, at=desk.agent.now())


def draw_forecast(drawn: Screen, prospects: Prospects) -> None:
    """Draw what may keep a ceremony from its quorum."""
    if prospects.forecast.out_of_reach:
        drawn.item(Mark.FAILED, prospects.forecast.out_of_reach)
    for sentence in prospects.forecast.at_risk:
        drawn.item(Mark.WARNING, sentence)


def next_reminder_text(prospects: Prospects, *, at: datetime) -> str:
    """Say when the coordinator reminds whom next; empty where it will not."""
    left = [reminder for reminder in prospects.reminders if reminder.at > at]
    if not left:
        return ""
    first = left[0].at
    people = sorted({reminder.person for reminder in left if reminder.at == first})
    return f"The next reminder is due {instant_text(first)}, {distance_text(first, at)}: {', '.join(people)}."


def prospects_json(prospects: Prospects | None) -> dict[str, Json]:
    """Return them for programs; nothing is ahead of what has ended."""
    if prospects is None:
        return {"out_of_reach": "", "at_risk": [], "reminders": []}
    return {
        "out_of_reach": prospects.forecast.out_of_reach,
        "at_risk": list(prospects.forecast.at_risk),
        "reminders": [
            {
                "at": exact(each.at),
                "mark": str(each.mark),
                "person": each.person,
                "roles": list(each.roles),
            }
            for each in prospects.reminders
        ],
    }
