# SPDX-License-Identifier: Apache-2.0
"""What time brings after an emergency: it is to be ratified, or lapses; a report on it is owed.

Nobody signs a lapse and no entry says it: it follows from the instants in the request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.values import whole_milliseconds


@unique
class Owed(StrEnum):
    """What is due after an emergency."""

    RATIFICATION = "ratification"
    REPORT = "report"


REMINDED_OF = {Owed.RATIFICATION: (50, 90, 100), Owed.REPORT: (75, 100)}
"""At which parts of the time for it, in percent, everybody hears of it; at 100 that it is too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """Something that everybody is due to hear about an emergency that was used."""

    at: datetime
    owed: Owed
    percent: int
    until: datetime
    """When it is too late."""

    def __str__(self) -> str:
        return f"{self.owed} {self.percent}"

    @property
    def too_late(self) -> bool:
        """Whether it has lapsed, or the report is late."""
        return self.percent == 100


def aftermath(ceremony: Ceremony, *, ratified: bool, at: datetime) -> tuple[Aftermath, ...]:
    """Return what is due by an instant, told already or not: the newest about each thing that is owed."""
    newest = {each.owed: each for each in _marks(ceremony, ratified=ratified) if each.at <= at}
    return tuple(newest.values())


def next_aftermath(ceremony: Ceremony, *, ratified: bool, at: datetime) -> datetime | None:
    """Return the next instant at which something becomes due; none where nothing will."""
    return min((each.at for each in _marks(ceremony, ratified=ratified) if each.at > at), default=None)


def owed_until(ceremony: Ceremony, *, ratified: bool) -> dict[Owed, datetime]:
    """Return what is owed after an emergency that nobody vetoed, and until when."""
    rule, emergency, ended_at = ceremony.emergency, ceremony.request.statement.emergency, ceremony.ended_at
    if ceremony.state is not State.PROVISIONAL or rule is None or emergency is None or ended_at is None:
        return {}
    owed = {} if ratified else {Owed.RATIFICATION: emergency.ratify_by}
    return owed if ceremony.reports else {**owed, Owed.REPORT: ended_at + rule.report}


def _marks(ceremony: Ceremony, *, ratified: bool) -> Iterator[Aftermath]:
    """Give every mark, those of one thing in their order."""
    for owed, until in owed_until(ceremony, ratified=ratified).items():
        begins = ceremony.ended_at or until
        for percent in REMINDED_OF[owed]:
            at = whole_milliseconds(begins + (until - begins) * percent / 100)
            yield Aftermath(at=at, owed=owed, percent=percent, until=until)
