# SPDX-License-Identifier: Apache-2.0
"""Which reminders are due, and to whom.  No reminder is ever part of the log.

Each role that waits has a **span**: from the instant at which its turn came to the deadline in force, or to
the end of the role's window.  At 25, 50, 75 and 90 % of it those who can still help are reminded, at 60 %
the role's deputies are told, at 85 % its lead.  Who is late to hear gets the newest mark only.

An extension moves the marks that were ahead when it was signed; those that were past stay where they were.
Whoever sends reminders sends each mark once to a person: a mark says which one it is, wherever it lies.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, unique

from quorumseal.ceremony.helping import decided, helpers, waiting
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.values import whole_milliseconds

REMINDED_AT = (25, 50, 75, 90)
DEPUTIES_AT, LEAD_AT = 60, 85


@unique
class Whom(StrEnum):
    """Who is told at a mark."""

    HELPERS = "helpers"
    DEPUTIES = "deputies"
    LEAD = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A part of a span, the same one after it has moved."""

    whom: Whom
    percent: int
    about: str = ""
    """The role that is late or has a window, or a later stage; nothing where all share a span."""

    def __str__(self) -> str:
        return f"{self.whom} {self.percent} {self.about}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """Somebody is due to hear of a ceremony that waits."""

    at: datetime
    """When it became due."""
    mark: Mark
    person: str
    roles: tuple[str, ...]
    """The roles that wait, as far as the person can do something about them."""

    @property
    def key(self) -> tuple[str, str]:
        """What is told once in a ceremony."""
        return str(self.mark), self.person


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """From when to when the marks of some roles lie."""

    name: str
    roles: frozenset[str]
    begins: datetime
    window: timedelta | None
    percents: tuple[int, ...]


def due(ceremony: Ceremony, standing: Standing, *, at: datetime) -> tuple[Reminder, ...]:
    """Return what has become due by an instant, told already or not: to each person a span's newest mark."""
    found: list[Reminder] = []
    able = helpers(ceremony, standing, at=at)
    for span in _spans(ceremony, able.keys(), at):
        for person in sorted({person for role in span.roles for person in able[role]}):
            helps = tuple(sorted(role for role in span.roles if person in able[role]))
            found += _newest(ceremony, span, Whom.HELPERS, span.percents, span.name, person, helps, at)
        for role in sorted(span.roles):
            for whom, percent in ((Whom.DEPUTIES, DEPUTIES_AT), (Whom.LEAD, LEAD_AT)):
                for person in sorted(_responsible(ceremony, standing, role, whom, at)):
                    found += _newest(ceremony, span, whom, (percent,), role, person, (role,), at)
    return tuple(sorted(found, key=lambda reminder: (reminder.at, reminder.key)))


def coming(ceremony: Ceremony, standing: Standing, *, at: datetime) -> Iterator[Reminder]:
    """Give what becomes due after an instant if nobody does anything, the earliest first."""
    known = {reminder.key for reminder in due(ceremony, standing, at=at)}
    for instant in sorted({each for each in _turning_points(ceremony, standing, at) if each > at}):
        for reminder in due(ceremony, standing, at=instant):
            if reminder.key not in known:
                known.add(reminder.key)
                yield replace(reminder, at=instant)


def next_reminder(ceremony: Ceremony, standing: Standing, *, at: datetime) -> datetime | None:
    """Return the next instant at which something becomes due; none where nothing will."""
    first = next(coming(ceremony, standing, at=at), None)
    return None if first is None else first.at


def _newest(
    ceremony: Ceremony,
    span: _Span,
    whom: Whom,
    percents: Iterable[int],
    about: str,
    person: str,
    roles: tuple[str, ...],
    at: datetime,
) -> list[Reminder]:
    """Return the last of some marks that is past, if any is."""
    past = [
        (percent, instant) for percent in percents if (instant := _instant(ceremony, span, percent)) <= at
    ]
    if not past:
        return []
    percent, instant = past[-1]
    mark = Mark(whom=whom, percent=percent, about=about)
    return [Reminder(at=instant, mark=mark, person=person, roles=roles)]


def _responsible(
    ceremony: Ceremony, standing: Standing, role: str, whom: Whom, at: datetime
) -> frozenset[str]:
    """Return who answers for a role that is late: never who asks for the release, nor who is away."""
    named = ceremony.policy.roles[role]
    if whom is Whom.LEAD:
        people = frozenset({named.lead} if named.lead else ())
    else:
        people = named.deputies - decided(ceremony, at=at)
    asked = ceremony.request.statement.requesters
    return frozenset(p for p in people - asked if not standing.away(p, at=at))


def _spans(ceremony: Ceremony, roles: Iterable[str], at: datetime) -> list[_Span]:
    """Return the spans of the roles that wait: one of each window, each later stage, and the rest."""
    opened = ceremony.request.statement.opened_at
    named: dict[str, _Span] = {}
    for role in roles:
        window, stage = ceremony.policy.roles[role].window, _stage(ceremony, role)
        name = role if window else f"stage {stage + 1}" if stage else ""
        if name in named:
            named[name] = replace(named[name], roles=named[name].roles | {role})
            continue
        named[name] = _Span(
            name=name,
            roles=frozenset({role}),
            begins=_turn(ceremony, stage, at) if stage else opened,
            window=window,
            percents=(0, *REMINDED_AT) if stage else REMINDED_AT,
        )
    return list(named.values())


def _stage(ceremony: Ceremony, role: str) -> int:
    stages = () if ceremony.emergency is not None else ceremony.rule.stages
    return next((number for number, stage in enumerate(stages) if role in stage), 0)


def _turn(ceremony: Ceremony, stage: int, at: datetime) -> datetime:
    """Return when a stage came: when the last approval that counts in those before it was signed."""
    before = frozenset[str]().union(*ceremony.rule.stages[:stage])
    return max(
        ceremony.decisions[signer].statement.context.signed_at
        for signer, counts in ceremony.consents(at=at).items()
        if counts & before
    )


def _instant(ceremony: Ceremony, span: _Span, percent: int) -> datetime:
    """Return where a mark lies: an extension that was signed before it moves it, a later one does not."""
    lies = _part(span, ceremony.request.statement.deadline, percent)
    for extension in ceremony.extensions:
        signed_at = extension.statement.context.signed_at
        if signed_at <= max(lies, span.begins):
            lies = _part(span, extension.statement.deadline, percent)
    return lies


def _part(span: _Span, deadline: datetime, percent: int) -> datetime:
    length = deadline - span.begins
    if span.window is not None:
        length = min(length, span.window)
    return whole_milliseconds(span.begins + length * percent / 100)


def _turning_points(ceremony: Ceremony, standing: Standing, at: datetime) -> Iterator[datetime]:
    """Give every instant at which time alone may make something due."""
    for span in _spans(ceremony, waiting(ceremony, at=at), at):
        for percent in (*span.percents, DEPUTIES_AT, LEAD_AT):
            yield _instant(ceremony, span, percent)
    for absence in standing.absences.values():
        yield absence.statement.until
    for delegation in ceremony.delegations.values():
        yield delegation.statement.since
    for decision in ceremony.decisions.values():
        if decision.statement.not_after is not None:
            yield decision.statement.not_after
