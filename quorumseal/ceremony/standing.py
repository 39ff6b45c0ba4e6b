# SPDX-License-Identifier: Apache-2.0
"""Acts outside any ceremony: who is away, who stands in for whom, whose keys and who do not count.

Folded from the standing entries.
Of one signer, kind and object the highest number counts; a lower one is refused, so none can be replayed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from quorumseal.ceremony.checking import check_key
from quorumseal.ceremony.delegating import check_delegation
from quorumseal.ceremony.errors import (
    AbsenceMissingError,
    DelegationMissingError,
    DelegationNotAllowedError,
    KeyRevokedError,
    SignerSuspendedError,
    StandingOrderError,
    StandingTimeError,
)
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.revoking import Revoked, check_revocation, revoked_after
from quorumseal.ceremony.signed import Signed, signed_as
from quorumseal.ceremony.statements import (
    Absence,
    Delegation,
    KeyRevocation,
    StandingAct,
    Suspension,
    Withdrawal,
)
from quorumseal.ceremony.suspending import Suspended, check_end, check_suspension, suspended_after
from quorumseal.ceremony.values import instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands now."""

    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The highest number of each signer and object: ``absence``, or a role that was delegated."""
    absences: Mapping[str, Signed[Absence]] = field(default_factory=dict)
    delegations: Mapping[tuple[str, str], Signed[Delegation]] = field(default_factory=dict)
    revocations: Mapping[tuple[str, str], Signed[KeyRevocation]] = field(default_factory=dict)
    """What each guardian said last of each key, by key and guardian."""
    revoked: Mapping[str, Revoked] = field(default_factory=dict)
    """The keys that sign no more, by key id."""
    suspensions: Mapping[tuple[str, str], Signed[Suspension]] = field(default_factory=dict)
    """What each guardian said last of each person, by person and guardian."""
    suspended: Mapping[str, Suspended] = field(default_factory=dict)
    """Who does not count, or did not for a while, by name."""
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
            if at < delegation.statement.until
            and delegation.key.valid_at(at)
            and delegation.key.key.key_id not in self.revoked
        )

    def is_suspended(self, signer: str, *, at: datetime) -> bool:
        """Whether somebody does not count at an instant."""
        suspended = self.suspended.get(signer)
        return suspended is not None and at < suspended.until

    def next_number(self, signer: str, about: str) -> int:
        """Return the number that the signer's next act about an object needs."""
        return self.numbers.get((signer, about), 0) + 1


def about(act: StandingAct) -> str:
    """Return what an act is about: of those about the same, only the newest counts."""
    match act:
        case KeyRevocation():
            return f"key {act.key}"
        case Suspension():
            return f"suspension of {act.person}"
        case Delegation(role=role) | Withdrawal(role=str(role)):
            return f"role {role}"
        case Absence() | Withdrawal():
            return "absence"
        case unknown:
            assert_never(unknown)


def stand(
    standing: Standing,
    signed: Signed[StandingAct],
    policy: Policy,
    *,
    at: datetime,
    earlier: Sequence[Policy] = (),
) -> Standing:
    """Return what stands after an act; the same again changes nothing.

    An act may be about a key that only ``earlier`` policies list.
    """
    if signed.digest in standing.recorded:
        return standing
    act, key = signed.statement, (signed.signer, about(signed.statement))
    if act.number <= standing.numbers.get(key, 0):
        raise StandingOrderError(
            f"expected number {standing.next_number(*key)} or higher for {key[1]} of {key[0]}, "
            f"got {act.number}"
        )
    check_key(signed, at)
    _check_trusted(standing, signed, at)
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
    if isinstance(act, KeyRevocation):
        return _revoke(after, signed_as(KeyRevocation, signed), (*earlier, policy), at)
    if isinstance(act, Suspension):
        return _suspend(after, signed_as(Suspension, signed), policy, at)
    return _apply(after, act, signed, policy, at)


def _check_trusted(standing: Standing, signed: Signed[StandingAct], at: datetime) -> None:
    key = signed.key.key.key_id
    if key in standing.revoked:
        since = instant_text(standing.revoked[key].since)
        raise KeyRevokedError(
            f"expected a key of {signed.signer} that signs, got {key}, revoked since {since}"
        )
    if standing.is_suspended(signed.signer, at=at):
        until = instant_text(standing.suspended[signed.signer].until)
        raise SignerSuspendedError(
            f"expected a signer who counts, got {signed.signer}, suspended until {until}"
        )


def _revoke(
    standing: Standing, act: Signed[KeyRevocation], policies: Sequence[Policy], at: datetime
) -> Standing:
    key, seconded = act.statement.key, check_revocation(act, policies)
    claims = [
        claim
        for (about_key, guardian), claim in standing.revocations.items()
        if about_key == key and _trusted(standing, claim, guardian, at)
    ]
    revoked = revoked_after(act, claims, standing.revoked.get(key), seconded=seconded)
    return replace(
        standing,
        revocations={**standing.revocations, **({(key, act.signer): act} if seconded else {})},
        revoked={**standing.revoked, **({key: revoked} if revoked else {})},
    )


def _suspend(standing: Standing, act: Signed[Suspension], policy: Policy, at: datetime) -> Standing:
    check_suspension(act, policy)
    check_end(act.statement, at=at)
    person = act.statement.person
    claims = [
        claim
        for (about_person, guardian), claim in standing.suspensions.items()
        if about_person == person and _trusted(standing, claim, guardian, at)
    ]
    suspended = suspended_after(act, claims, standing.suspended.get(person), at=at)
    return replace(
        standing,
        suspensions={**standing.suspensions, (person, act.signer): act},
        suspended={**standing.suspended, **({person: suspended} if suspended else {})},
    )


def _trusted(
    standing: Standing, claim: Signed[KeyRevocation] | Signed[Suspension], guardian: str, at: datetime
) -> bool:
    """Whether what a guardian said before can still be seconded."""
    return claim.key.key.key_id not in standing.revoked and not standing.is_suspended(guardian, at=at)


def _apply(
    standing: Standing,
    act: Absence | Delegation | Withdrawal,
    signed: Signed[StandingAct],
    policy: Policy,
    at: datetime,
) -> Standing:
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
