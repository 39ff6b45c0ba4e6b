# SPDX-License-Identifier: Apache-2.0
"""How soon people decide: who is asked and who presses a stamp.

The log has when a request was opened and when somebody decided, not for how long they looked.  What is
decided within a minute of its opening, or of the same person's decision on another request, had little chance
to be reviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from quorumseal.audit.answer import counted, listed
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure, decisions, quantile
from quorumseal.audit.population import Audited, Period
from quorumseal.ceremony.statements import Choice
from quorumseal.terminal.durations import duration_text

QUICK = timedelta(minutes=1)
_MANY = 0.5
"""From which share of quick decisions on somebody is pointed out."""
_FEW = 4
"""Below so many decisions a share says nothing."""


@dataclass(slots=True)
class _Person:
    after: list[timedelta] = field(default_factory=list)
    times: list[tuple[datetime, str]] = field(default_factory=list)
    rejections: int = 0

    @property
    def quick(self) -> int:
        return sum(each <= QUICK for each in self.after)

    @property
    def bursts(self) -> int:
        """How many decisions follow one on another ceremony within the minute."""
        ordered = sorted(self.times)
        return sum(
            later[0] - earlier[0] <= QUICK and later[1] != earlier[1] for earlier, later in pairwise(ordered)
        )

    @property
    def hasty(self) -> bool:
        return len(self.after) >= _FEW and max(self.quick, self.bursts) >= _MANY * len(self.after)


def review_time(ceremonies: Sequence[Audited], period: Period) -> Measure:
    """Measure from the opening to each person's decision."""
    people: dict[str, _Person] = {}
    for audited, logged, decision in decisions(ceremonies, period):
        person = people.setdefault(decision.context.signer, _Person())
        person.after.append(logged.entry.at - audited.opened_at)
        person.times.append((logged.entry.at, audited.id))
        person.rejections += decision.choice is Choice.REJECTION
    hasty = sorted(name for name, person in people.items() if person.hasty)
    said = "Nobody decided in this period."
    if people:
        said = f"{counted(len(people), 'person', 'people')} decided. " + (
            f"{listed(hasty)} made at least half of their decisions within a minute of the opening, "
            "or of one on another request."
            if hasty
            else "Nobody made half of their decisions within a minute of the opening, or of another decision."
        )
    return Measure(
        name="review-time",
        title="From the opening to the decision, by person",
        said=said,
        columns=(
            "person",
            "decisions",
            "rejections",
            "half within",
            "soonest",
            "within a minute",
            "within a minute of another",
        ),
        rows=tuple(
            (
                name,
                str(len(person.after)),
                str(person.rejections),
                duration_text(quantile(person.after, 0.5)),
                duration_text(min(person.after)),
                str(person.quick),
                str(person.bursts),
            )
            for name, person in sorted(people.items())
        ),
        picture=Bars(tuple(_bar(name, person) for name, person in sorted(people.items()))),
    )


def _bar(name: str, person: _Person) -> Bar:
    middle = quantile(person.after, 0.5)
    note = ", hasty" if person.hasty else ""
    return Bar(name, middle.total_seconds(), f"{duration_text(middle)}{note}", notable=person.hasty)
