# SPDX-License-Identifier: Apache-2.0
"""How absences and delegations are drawn: who is away first, then who stands in for whom, then what lacks."""

from collections.abc import Sequence
from datetime import datetime

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.statements import (
    Absence,
    Delegation,
    KeyRevocation,
    StandingAct,
    Suspension,
    Withdrawal,
)
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.terminal import Mark, Screen, distance_text, instant_text
from signer_agent.documents import Json
from signer_agent.remaining import Shortage, shortages


def draw_standing(screen: Screen, policy: Policy, standing: Standing, *, at: datetime) -> None:
    """Draw what stands now and later, without the last line."""
    absences, delegations = _absences(standing, at), standing.live(at=at)
    gone = [absence.context.signer for absence in absences if absence.since <= at]
    who = f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} away" if gone else "Nobody is away"
    screen.answer(Mark.WAITING if gone else Mark.DONE, who)
    for absence in absences:
        begins = "" if absence.since <= at else f"from {instant_text(absence.since)} "
        ends = f"until {instant_text(absence.until)}, {distance_text(absence.until, at)}"
        screen.item(Mark.WAITING, f"{absence.context.signer} is away {begins}{ends}")
    for delegation in delegations:
        screen.item(Mark.DONE, delegation_text(delegation.statement, at))
    draw_shortages(screen, all_shortages(policy, standing, at))


def draw_shortages(screen: Screen, lacking: Sequence[Shortage]) -> None:
    """Warn where too few people remain."""
    for each in lacking:
        screen.item(Mark.WARNING, f"From {instant_text(each.at)}, rule {each.rule}: {each.reason}")


def all_shortages(policy: Policy, standing: Standing, at: datetime) -> tuple[Shortage, ...]:
    """Return what lacks from now until everybody is back."""
    last = max((absence.until for absence in _absences(standing, at)), default=at)
    return shortages(policy, standing, since=at, until=last) if last > at else ()


def act_text(act: StandingAct) -> str:
    """Say in a sentence what somebody signs."""
    signer = act.context.signer
    match act:
        case Absence():
            return f"{signer} is away from {instant_text(act.since)} to {instant_text(act.until)}"
        case Delegation():
            return delegation_text(act, act.since)
        case Withdrawal(role=None):
            return f"{signer} is back"
        case Withdrawal():
            return f"nobody stands in for {signer} as {act.role} any more"
        case KeyRevocation():
            return f"{signer} revokes key {act.key} since {instant_text(act.since)} ({act.reason})"
        case Suspension():
            return f"{signer} suspends {act.person} until {instant_text(act.until)} ({act.reason})"


def delegation_text(delegation: Delegation, at: datetime) -> str:
    """Say who stands in for whom, as what, and how long."""
    begins = "" if delegation.since <= at else f"from {instant_text(delegation.since)} "
    return (
        f"{delegation.deputy} may stand in for {delegation.context.signer} as {delegation.role} "
        f"{begins}until {instant_text(delegation.until)}"
    )


def standing_json(policy: Policy, standing: Standing, *, at: datetime) -> dict[str, Json]:
    """Return what stands, for programs."""
    return {
        "away": [
            {"signer": a.context.signer, "since": exact(a.since), "until": exact(a.until)}
            for a in _absences(standing, at)
        ],
        "delegations": [
            {
                "member": each.signer,
                "deputy": each.statement.deputy,
                "role": each.statement.role,
                "since": exact(each.statement.since),
                "until": exact(each.statement.until),
                "delegation": each.digest,
            }
            for each in standing.live(at=at)
        ],
        "shortages": shortages_json(all_shortages(policy, standing, at)),
    }


def shortages_json(lacking: Sequence[Shortage]) -> list[Json]:
    """Return where too few people remain."""
    return [{"at": exact(each.at), "rule": each.rule, "reason": each.reason} for each in lacking]


def _absences(standing: Standing, at: datetime) -> list[Absence]:
    """Return the absences that are not over, the next to end first."""
    every = (absence.statement for absence in standing.absences.values())
    return sorted((a for a in every if at < a.until), key=lambda a: (a.until, a.context.signer))
