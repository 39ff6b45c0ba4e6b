# SPDX-License-Identifier: Apache-2.0
"""What a policy that can be built is still short of: whose absence stops it, what runs out, what is unused.

A policy that nobody could satisfy is never built; what is said here is about policies that somebody, or
somebody on some day, could not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, unique

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.quorum import shortage
from quorumseal.ceremony.quorum_standings import Standing, every_quorum, standings

SOON = timedelta(days=60)
_MOST_NAMED = 5


@unique
class Level(StrEnum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """Somebody who may ask can never get an answer."""
    WARNING = "warning"
    """One absence, or some time, makes it a problem."""
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at."""

    level: Level
    where: str
    says: str
    hint: str


def lint(policy: Policy, *, at: datetime) -> tuple[Finding, ...]:
    """Return everything to look at, what matters most first."""
    findings = [
        *_unanswered(policy),
        *_absences(policy, standings(policy)),
        *_emergencies(policy),
        *_times(policy, at),
        *_unused(policy),
        *_machines(policy),
        *_witnesses(policy),
    ]
    order = list(Level)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.level)))


def _unanswered(policy: Policy) -> Iterator[Finding]:
    """Yield who may ask and never gets an answer; those for whom the reason is the same, together."""
    for asked in every_quorum(policy):
        reasons: dict[str, list[frozenset[str]]] = {}
        for asking in asked.unanswered:
            left = [replace(need, members=need.members - asking) for need in asked.needs]
            reasons.setdefault(shortage(left), []).append(asking)
        for reason, asking_too in reasons.items():
            first, *others = (" and ".join(sorted(asking)) for asking in asking_too)
            also = f"; the same when {_few(others)} asks" if others else ""
            yield Finding(
                level=Level.PROBLEM,
                where=asked.where,
                says=f"when {first} asks, {reason}{also}",
                hint="add members, lower a threshold, or let somebody outside these roles ask",
            )


def _few(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return " or ".join(names)
    return f"{', '.join(names[:_MOST_NAMED])} or one of {len(names) - _MOST_NAMED} more"


def _absences(policy: Policy, quorums: Sequence[Standing]) -> Iterator[Finding]:
    for standing in quorums:
        if standing.bears.indispensable:
            yield Finding(
                level=Level.WARNING,
                where=standing.name,
                says=_indispensable(standing),
                hint="add a member, so that somebody may be away",
            )
    tight = [s for s in quorums if s.name in policy.rules and s.bears.spare == 0]
    needed = {role for standing in tight for role in standing.bears.tightest.roles}
    for role in sorted(needed):
        if not policy.roles[role].deputies:
            yield Finding(
                level=Level.NOTE,
                where=f"role {role}",
                says="lists no deputies, and nobody in it may be away",
                hint="list deputies: a delegation can only activate one who is listed",
            )


def _indispensable(standing: Standing) -> str:
    group, people = standing.bears.tightest, sorted(standing.bears.indispensable)
    when = f"when {' and '.join(sorted(standing.askers))} asks, " if standing.askers else ""
    who = f"{' and '.join(people)} {'is' if len(people) == 1 else 'are each'} indispensable"
    have = "has" if len(group.roles) == 1 else "have"
    seats = f"{group.seats} seat{'' if group.seats == 1 else 's'}"
    return f"{when}{who}: {' and '.join(group.roles)} {have} {seats} for {len(group.people)}"


def _emergencies(policy: Policy) -> Iterator[Finding]:
    for rule in policy.rules.values():
        if rule.emergency is None:
            yield Finding(
                level=Level.NOTE,
                where=f"rule {rule.name}",
                says="has no break_glass: in an emergency there is the full quorum or nothing",
                hint=f"add [rules.{rule.name}.break_glass], or leave it on purpose",
            )


def _times(policy: Policy, at: datetime) -> Iterator[Finding]:
    if policy.expires <= at + SOON:
        yield Finding(
            level=Level.PROBLEM if policy.expires <= at else Level.WARNING,
            where="policy",
            says=f"expires {policy.expires:%Y-%m-%d}",
            hint="give the next version a later end; bundles made until then stay valid",
        )
    for signer in policy.signers.values():
        last = max(key.valid_until for key in signer.keys)
        if last <= at + SOON:
            yield Finding(
                level=Level.PROBLEM if last <= at else Level.WARNING,
                where=f"signer {signer.name}",
                says=f"has no key that is valid after {last:%Y-%m-%d}",
                hint="add a key whose time overlaps with this one's",
            )
    holidays = policy.calendar.holidays
    if holidays and max(holidays) < at.date():
        yield Finding(
            level=Level.NOTE,
            where="calendar",
            says=f"lists no holiday after {max(holidays):%Y-%m-%d}",
            hint="draft the next year's with `quorumseal policy holidays`",
        )


def _unused(policy: Policy) -> Iterator[Finding]:
    ruling = {rule for kinds in policy.products.values() for rule in kinds.values()}
    placed = {who for role in policy.roles.values() for who in role.members | role.deputies}
    for what, names, used, says, hint in (
        ("rule", policy.rules.keys(), ruling, "is the rule of no product", "remove it, or use it"),
        (
            "role",
            policy.roles.keys(),
            _roles_in_use(policy),
            "is asked for by no rule",
            "remove it, or use it",
        ),
        ("signer", policy.signers.keys(), placed, "is in no role", "remove them, or give them a role"),
    ):
        for name in sorted(names - used):
            yield Finding(level=Level.NOTE, where=f"{what} {name}", says=says, hint=hint)


def _roles_in_use(policy: Policy) -> frozenset[str]:
    used = {threshold.role for threshold in policy.governance}
    for rule in policy.rules.values():
        used |= {threshold.role for threshold in rule.quorum} | rule.requesters | rule.extenders
        used |= {threshold.role for threshold in rule.emergency.quorum} if rule.emergency else set()
    return frozenset(used)


def _machines(policy: Policy) -> Iterator[Finding]:
    for role in sorted({threshold.role for rule in policy.rules.values() for threshold in rule.quorum}):
        for machine in sorted(policy.roles[role].members & policy.machines):
            yield Finding(
                level=Level.NOTE,
                where=f"role {role}",
                says=f"counts the machine {machine} like a person",
                hint="see that what it checks is worth a seat",
            )


def _witnesses(policy: Policy) -> Iterator[Finding]:
    """Yield how few witnesses may be away, and where two halves of them could see two logs."""
    asked, there = policy.log.cosignatures, len(policy.witnesses)
    if asked and asked == there:
        yield Finding(
            level=Level.WARNING,
            where="log",
            says=f"needs a cosignature of every one of its {there} witnesses before anything is published",
            hint="add a witness, or ask for fewer, so that one may be away",
        )
    if 0 < 2 * asked <= there:
        yield Finding(
            level=Level.NOTE,
            where="log",
            says=f"needs {asked} of {there} witnesses: a log could show two histories to two halves of them",
            hint=f"ask for {there // 2 + 1} or more: then any two that suffice have a witness in common",
        )
