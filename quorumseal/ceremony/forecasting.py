# SPDX-License-Identifier: Apache-2.0
"""Say early that a ceremony may miss its quorum: who is away, who was not seen, on whom it rests.

A forecast is a courtesy.  It decides nothing, and nobody is counted by it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from quorumseal.ceremony.helping import decided, stand_ins
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.quorum import Need, fillable, shortage
from quorumseal.ceremony.standing import Standing
from quorumseal.terminal.instants import instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What stands in the way of a quorum, in sentences."""

    out_of_reach: str = ""
    """Why it cannot be met before the deadline, as things stand; empty where it can."""
    at_risk: tuple[str, ...] = ()
    """What may keep it from being met."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it."""
        return (self.out_of_reach,) if self.out_of_reach else self.at_risk


def forecast(
    ceremony: Ceremony, standing: Standing, *, unseen: Collection[str] = (), at: datetime
) -> Forecast:
    """Return what can be said now; ``unseen`` are those whose agent has not been there lately."""
    if ceremony.state is not State.OPEN or ceremony.window_ends is not None:
        return Forecast()
    away = _away(ceremony, standing, at)
    needs = _able(ceremony, away.keys(), at)
    reason = shortage(needs) or _too_few(ceremony, needs)
    if reason:
        could = frozenset[str]().union(*(need.members for need in ceremony.needs))
        why = [f"{who} is away until {until}" for who, until in sorted(away.items()) if who in could]
        return Forecast(out_of_reach="; ".join([reason, *why]))
    undecided = frozenset[str]().union(*(need.members for need in needs)) - decided(ceremony, at=at)
    quiet = undecided & frozenset(unseen)
    silent = shortage([replace(need, members=need.members - quiet) for need in needs])
    agents = "agents were" if len(quiet) > 1 else "agent was"
    without = f"without {_listed(quiet)}, whose {agents} not seen lately, {silent}" if silent else ""
    return Forecast(at_risk=tuple(filter(None, (without, _rests_on(needs, undecided)))))


def _away(ceremony: Ceremony, standing: Standing, at: datetime) -> Mapping[str, str]:
    """Return who is away from now until the deadline or longer and has not decided, and until when."""
    return {
        signer: instant_text(absence.statement.until, zone=UTC)
        for signer, absence in standing.absences.items()
        if signer not in decided(ceremony, at=at)
        and absence.statement.since <= at
        and absence.statement.until >= ceremony.deadline
    }


def _able(ceremony: Ceremony, away: Collection[str], at: datetime) -> list[Need]:
    """Return each role with those who count there already, or could before the deadline."""
    approve, able = ceremony.consents(at=at).keys(), []
    for need in ceremony.needs:
        # Who approved before the turn of a role came may approve again.
        counted = {p for p in approve & need.members if need.role in ceremony.decisions[p].statement.roles}
        could = need.members - decided(ceremony, at=at) - ceremony.silenced(at=ceremony.deadline)
        gone = could & frozenset(away)
        deputies = stand_ins(ceremony, need.role, gone, at=at, by=ceremony.deadline) - frozenset(away)
        able.append(replace(need, members=could - gone | counted | deputies))
    return able


def _too_few(ceremony: Ceremony, needs: Sequence[Need]) -> str:
    """Say that an emergency needs more people than there are, whatever their roles."""
    emergency, people = ceremony.request.statement.emergency, {p for need in needs for p in need.members}
    if emergency is None or len(people) >= emergency.people:
        return ""
    return f"the emergency needs {emergency.people} people, but only {_listed(people)} can join"


def _rests_on(needs: Sequence[Need], undecided: Collection[str]) -> str:
    """Say which roles could not be filled any more without somebody in particular; empty if none is such."""
    found = {}
    for need in needs:
        others = [other for other in needs if other is not need]
        people = [
            person
            for person in need.members & frozenset(undecided)
            if not fillable([*others, replace(need, members=need.members - {person})])
        ]
        if people:
            found[need.role] = _listed(people)
    if not found:
        return ""
    first, *more = found
    others_too = "".join(f"; {role} on {found[role]}" for role in more)
    return f"{first} rests on {found[first]}{others_too}: nobody else is left who could"


def _listed(people: Collection[str]) -> str:
    *others, last = sorted(people)
    return f"{', '.join(others)} and {last}" if others else last
