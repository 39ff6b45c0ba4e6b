# SPDX-License-Identifier: Apache-2.0
"""Acts outside any ceremony: who is away, and who stands in for whom.  Folded from the standing entries.

Of one signer, kind and object the highest number counts; a lower one is refused, so none can be replayed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from quorumseal.ceremony.checking import check_key
from quorumseal.ceremony.delegating import check_delegation
from quorumseal.ceremony.errors import (
    AbsenceMissingError,
    DelegationMissingError,
    DelegationNotAllowedError,
    StandingOrderError,
    StandingTimeError,
)
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Absence, Delegation, StandingAct, Withdrawal
from quorumseal.ceremony.values import instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands now."""

    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The highest number of each signer and object: ``absence``, or a role that was delegated."""
    absences: Mapping[str, Signed[Absence]] = field(default_factory=dict)
    delegations: Mapping[tuple[str, str], Signed[Delegation]] = field(default_factory=dict)
    recorded: frozenset[str] = frozenset()

    def away(self, signer: str, *, at: datetime) -> bool:
        """Whether a signer said that they would be away at an instant."""
        absence = self.absences.get(signer)
        return absence is not None and absence.statement.since <= at < absence.statement.until

    def live(self, *, at: datetime) -> tuple[Signed[Delegation], ...]:
        """Return the delegations that have not run out, nor their keys, in the order of member and role."""
        return tuple(
            delegation
            for _, delegation in sorted(self.delegations.items())
            if at < delegation.statement.until and delegation.key.valid_at(at)
        )

    def next_number(self, signer: str, about: str) -> int:
        """Return the number that the signer's next act about an object needs."""
        return self.numbers.get((signer, about), 0) + 1


def about(act: StandingAct) -> str:
    """Return what an act is about: of those about the same, only the newest counts."""
    return "absence" if isinstance(act, Absence) or act.role is None else f"role {act.role}"


def stand(standing: Standing, signed: Signed[StandingAct], policy: Policy, *, at: datetime) -> Standing:
    """Return what stands after an act; the same again changes nothing."""
    if signed.digest in standing.recorded:
        return standing
    act, key = signed.statement, (signed.signer, about(signed.statement))
    if act.number <= standing.numbers.get(key, 0):
        raise StandingOrderError(
            f"expected number {standing.next_number(*key)} or higher for {key[1]} of {key[0]}, "
            f"got {act.number}"
        )
    check_key(signed, at)
    if act.context.signed_at - at > policy.clock_skew:
        raise StandingTimeError(
            f"expected an act signed by now ({instant_text(at)}), got {instant_text(act.context.signed_at)}",
            hint="check the clock of the signer's machine",
        )
    after = replace(
        standing,
        numbers={**standing.numbers, key: act.number},
        recorded=standing.recorded | {signed.digest},
    )
    return _apply(after, signed, policy, at)


def _apply(standing: Standing, signed: Signed[StandingAct], policy: Policy, at: datetime) -> Standing:
    act = signed.statement
    if isinstance(act, Withdrawal):
        return _withdraw(standing, signed.signer, act.role)
    if act.until <= at:
        raise StandingTimeError(
            f"expected an end after now ({instant_text(at)}), got {instant_text(act.until)}",
            hint="choose a later end",
        )
    again: Signed[Absence] | Signed[Delegation]
    if isinstance(act, Absence):
        again = Signed(act, signed.envelope, signed.key, signed.digest)
        return replace(standing, absences={**standing.absences, signed.signer: again})
    check_delegation(act, policy)
    _check_circle(standing, act)
    again = Signed(act, signed.envelope, signed.key, signed.digest)
    return replace(standing, delegations={**standing.delegations, (signed.signer, act.role): again})


def _withdraw(standing: Standing, signer: str, role: str | None) -> Standing:
    if role is None:
        if signer not in standing.absences:
            raise AbsenceMissingError(f"expected an absence of {signer}, got none")
        return replace(standing, absences={s: a for s, a in standing.absences.items() if s != signer})
    key = signer, role
    if key not in standing.delegations:
        raise DelegationMissingError(f"expected a delegation of {role} by {signer}, got none")
    return replace(standing, delegations={k: d for k, d in standing.delegations.items() if k != key})


def _check_circle(standing: Standing, delegation: Delegation) -> None:
    """Refuse a deputy who has handed on a role of their own for some of that time."""
    for (member, role), other in standing.delegations.items():
        span = other.statement
        if member == delegation.deputy and span.since < delegation.until and delegation.since < span.until:
            raise DelegationNotAllowedError(
                f"expected a deputy who is there, got {member}, who delegated {role} to {span.deputy} "
                f"until {instant_text(span.until)}",
                hint="delegate to another deputy; delegations are never handed on",
            )
