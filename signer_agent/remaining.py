# SPDX-License-Identifier: Apache-2.0
"""Who remains while people are away: for which rules there would be too few, and from when on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import Need, shortage
from quorumseal.ceremony.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A rule whose quorum nobody could meet from an instant on."""

    at: datetime
    rule: str
    reason: str


def shortages(
    policy: Policy, standing: Standing, *, since: datetime, until: datetime
) -> tuple[Shortage, ...]:
    """Return each rule that too few people remain for at some time in between, once for each reason."""
    found: dict[tuple[str, str], Shortage] = {}
    for at in sorted({since, *(each for each in _turns(standing) if since < each < until)}):
        for rule in policy.rules.values():
            reason = shortage(_needs(policy, rule, standing, at))
            if reason:
                found.setdefault((rule.name, reason), Shortage(at=at, rule=rule.name, reason=reason))
    return tuple(found.values())


def deputies_at(standing: Standing, role: str, at: datetime) -> dict[str, str]:
    """Return who stands in for whom in a role at an instant, by the member's name."""
    return {
        member: delegation.statement.deputy
        for (member, about), delegation in standing.delegations.items()
        if about == role and delegation.statement.since <= at < delegation.statement.until
    }


def _turns(standing: Standing) -> Iterator[datetime]:
    """Give the instants at which somebody leaves, or stands in no more."""
    for absence in standing.absences.values():
        yield absence.statement.since
    for delegation in standing.delegations.values():
        yield delegation.statement.until


def _needs(policy: Policy, rule: Rule, standing: Standing, at: datetime) -> tuple[Need, ...]:
    away = {signer for signer in standing.absences if standing.away(signer, at=at)}
    needs = []
    for threshold in rule.quorum:
        members = policy.roles[threshold.role].members
        deputies = deputies_at(standing, threshold.role, at)
        instead = {deputies[member] for member in members & away if member in deputies}
        needs.append(
            Need(
                role=threshold.role,
                threshold=threshold.count,
                members=(members - away) | (frozenset(instead) - away),
            )
        )
    return tuple(needs)
