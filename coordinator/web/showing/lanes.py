# SPDX-License-Identifier: Apache-2.0
"""A lane for each role: who sits in it, who is awaited, and when its people decided."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.quorum import RoleTally
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.statements import Choice
from quorumseal.terminal import duration_text

_WORDS: Final = {
    Choice.APPROVAL: ("calm", "approved"),
    Choice.REJECTION: ("rejected", "rejected"),
    Choice.ABSTENTION: ("past", "abstained"),
}

_SPARE: Final = "not needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in a lane: a mark and a word for how they stand in it."""

    name: str
    mark: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A decision on the lane's line, so many percent of the way from the opening to the end."""

    percent: str
    choice: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One role."""

    role: str
    threshold: int
    seated: int
    met: bool
    turn: bool
    """Whether its stage has begun."""
    people: tuple[Person, ...]
    spots: tuple[Spot, ...]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The line on which the spots of every lane lie."""

    begins: datetime
    ends: datetime
    now: str | None
    """How far time has come, in percent, while it is open."""

    def percent(self, at: datetime) -> str:
        """Say how far along an instant is, between the ends."""
        whole = max(self.ends - self.begins, timedelta(seconds=1))
        share = min(max((at - self.begins) / whole, 0.0), 1.0)
        return f"{2 + 96 * share:.2f}"


def track_of(ceremony: Ceremony, *, at: datetime) -> Track:
    """Return the line from the opening to the deadline, or to the end where that came later."""
    begins = ceremony.request.statement.opened_at
    ends = max(ceremony.deadline, ceremony.ended_at or ceremony.deadline, ceremony.window_ends or begins)
    line = Track(begins=begins, ends=ends, now=None)
    still = ceremony.state is State.OPEN
    return Track(begins=begins, ends=ends, now=line.percent(at) if still else None)


def lanes_of(ceremony: Ceremony, standing: Standing, *, at: datetime) -> tuple[Lane, ...]:
    """Return the lanes in the order of the rule."""
    counted = (ceremony.counted_at or at) if ceremony.state is not State.OPEN else at
    count, turn = ceremony.tally(at=counted), ceremony.open_roles(at=counted)
    track = track_of(ceremony, at=at)
    return tuple(
        Lane(
            role=role.role,
            threshold=role.threshold,
            seated=len(role.seated),
            met=not role.missing,
            turn=role.role in turn,
            people=tuple(_people(ceremony, standing, role, count.awaited, at=at)),
            spots=tuple(_spots(ceremony, role.role, track)),
            said=_said(role, turn=role.role in turn, still=ceremony.state is State.OPEN),
        )
        for role in count.roles
    )


def _said(role: RoleTally, *, turn: bool, still: bool) -> str:
    said = f"{len(role.seated)} of {role.threshold}"
    if not role.missing:
        return f"{said}, complete"
    if not still:
        return f"{said}, was not complete"
    return f"{said}, {role.missing} more" if turn else f"{said}, its turn has not come"


def _people(
    ceremony: Ceremony, standing: Standing, role: RoleTally, awaited: Collection[str], *, at: datetime
) -> Iterator[Person]:
    members = ceremony.policy.roles[role.role].members
    counted = {need.role: need.members for need in ceremony.needs}[role.role]
    elsewhere, silent = dict(role.elsewhere), ceremony.silenced(at=at)
    for name in sorted(members | counted, key=lambda name: (name not in role.seated, name)):
        mark, word = _stands(ceremony, standing, role, name, elsewhere.get(name), at=at)
        if (mark, word) == ("past", _SPARE) and name in awaited:
            mark, word = "open", "would help: a seat here frees somebody for another role"
        if name in silent and name not in role.seated:
            mark, word = "past", "does not count: suspended, or without a key"
        yield Person(name=known_as(ceremony, name), mark=mark, word=word)


def _stands(
    ceremony: Ceremony, standing: Standing, role: RoleTally, name: str, other: str | None, *, at: datetime
) -> tuple[str, str]:
    if name in role.seated:
        return "approved", "counts here"
    if name in ceremony.excluded:
        return "past", "asked for it, so does not decide"
    decision = ceremony.decisions.get(name)
    if decision is not None:
        mark, word = _WORDS[decision.statement.choice]
        if decision.statement.choice is not Choice.APPROVAL:
            return mark, word
        if other:
            return mark, f"approved, counts for {other}"
        return mark, word if role.role in decision.statement.roles else f"{word}, for another role"
    still = ceremony.state is State.OPEN
    absence = standing.absences.get(name)
    if still and absence is not None and standing.away(name, at=at):
        return "care", f"away for {duration_text(absence.statement.until - at)}"
    if still and name in role.helpful:
        return "open", "awaited"
    return "past", _SPARE if still else "did not decide"


def _spots(ceremony: Ceremony, role: str, track: Track) -> Iterator[Spot]:
    for name, decision in ceremony.decisions.items():
        if role in decision.statement.roles:
            made = ceremony.times.get(name, decision.statement.context.signed_at)
            since = made - track.begins
            after = f"after {duration_text(since)}" if since >= timedelta(seconds=1) else "at the opening"
            said = f"{known_as(ceremony, name)}: {decision.statement.choice} {after}"
            yield Spot(percent=track.percent(made), choice=str(decision.statement.choice), said=said)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Say names: ``alice, bob and carol``."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
