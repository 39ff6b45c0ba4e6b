# SPDX-License-Identifier: Apache-2.0
"""What people are told while a ceremony waits for them: reminders, escalations, nudges."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from coordinator.notifying.addressing import about_of, capacity, still_missing, tell, when
from coordinator.notifying.notice import Notice, NoticeType
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.reminding import Reminder, Whom
from quorumseal.terminal import duration_text


def notice_of_reminder(ceremony: Ceremony, reminder: Reminder, *, at: datetime) -> Notice:
    """Return what one person is told at a mark."""
    release, left = about_of(ceremony.request.statement).release, _left(ceremony, at)
    roles, own = " and ".join(reminder.roles), capacity(ceremony, reminder.person, at=at)
    missing = (*still_missing(ceremony, at=at), _expires(ceremony))
    kind, verb = NoticeType.ESCALATION, "why"
    match reminder.mark.whom:
        case Whom.HELPERS:
            kind, verb = NoticeType.REMINDER, "review"
            turn = f"it is the turn of {roles}" if reminder.mark.percent == 0 else "it waits for you"
            headline, sentences = f"{release}: {turn}, {left} left", (*own, *missing)
        case Whom.DEPUTIES:
            headline = f"{release}: {roles} is late, {left} left; you are a deputy"
            sentences = (*(own or (f"A member of {roles} may delegate to you.",)), *missing)
        case _:
            headline, sentences = f"{release}: {roles} is late, {left} left; you are its lead", missing
    (notice,) = tell(
        ceremony,
        [reminder.person],
        kind,
        cause=str(reminder.mark),
        at=reminder.at,
        headline=headline,
        sentences=sentences,
        verb=verb,
    )
    return notice


def notices_of_nudge(
    ceremony: Ceremony, awaited: Mapping[str, frozenset[str]], *, by: str, at: datetime
) -> list[Notice]:
    """Return what those who can still help are told when somebody asks them again."""
    release, left = about_of(ceremony.request.statement).release, _left(ceremony, at)
    return [
        notice
        for person in sorted({person for people in awaited.values() for person in people})
        for notice in tell(
            ceremony,
            [person],
            NoticeType.NUDGE,
            cause=f"nudge {at.isoformat()}",
            at=at,
            headline=f"{by} asks you again to review {release}: {left} left",
            sentences=(*capacity(ceremony, person, at=at), _expires(ceremony)),
            verb="review",
        )
    ]


def _left(ceremony: Ceremony, at: datetime) -> str:
    """Say how long there is, to the nearest minute: whoever is told at a mark is told a little later."""
    return duration_text(max(ceremony.deadline - at, timedelta(0)) + timedelta(seconds=30))


def _expires(ceremony: Ceremony) -> str:
    return f"It expires {when(ceremony.deadline)}."
