# SPDX-License-Identifier: Apache-2.0
"""Acme with spare keys and guardians, and what they sign to take a key or a person out."""

from datetime import datetime

from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    KeyRevocation,
    RevocationReason,
    Suspension,
    SuspensionReason,
)
from tests.burning import BREAK_GLASS, DAY
from tests.organisation import NOW, Organisation

LOSING = Organisation(
    guardians=frozenset({"security"}),
    spare=frozenset({"alice", "mallory"}),
    deputies={"engineering": ("frank",)},
    emergency=BREAK_GLASS,
)


def key_id(signer: str, acme: Organisation = LOSING) -> str:
    """Return the id of somebody's usual key."""
    return acme.key(signer).public.key_id


def key_revocation(
    signer: str,
    owner: str,
    *,
    acme: Organisation = LOSING,
    since: datetime = NOW,
    at: datetime | None = None,
    number: int = 1,
    reason: RevocationReason = RevocationReason.STOLEN,
) -> KeyRevocation:
    """Return an unsigned revocation of the usual key of ``owner``."""
    context = acme.context(signer, at=at or since)
    return KeyRevocation(context=context, number=number, key=key_id(owner, acme), since=since, reason=reason)


def suspension(
    signer: str,
    person: str,
    *,
    acme: Organisation = LOSING,
    until: datetime = NOW + DAY,
    at: datetime = NOW,
    number: int = 1,
) -> Suspension:
    """Return an unsigned suspension."""
    return Suspension(
        context=acme.context(signer, at=at),
        number=number,
        person=person,
        until=until,
        reason=SuspensionReason.COMPROMISE,
    )


def by_owner(
    owner: str,
    *,
    acme: Organisation = LOSING,
    since: datetime = NOW,
    at: datetime | None = None,
    number: int = 1,
) -> Signed[KeyRevocation]:
    """Let somebody revoke their usual key with their other one."""
    statement = key_revocation(owner, owner, acme=acme, since=since, at=at, number=number)
    return acme.sign(statement, key=acme.spare_key(owner))


def by_guardian(
    guardian: str,
    owner: str,
    *,
    acme: Organisation = LOSING,
    since: datetime = NOW,
    at: datetime | None = None,
    number: int = 1,
) -> Signed[KeyRevocation]:
    """Let a guardian revoke somebody's usual key."""
    return acme.sign(key_revocation(guardian, owner, acme=acme, since=since, at=at, number=number))


def suspends(
    guardian: str,
    person: str,
    *,
    acme: Organisation = LOSING,
    until: datetime = NOW + DAY,
    at: datetime = NOW,
    number: int = 1,
) -> Signed[Suspension]:
    """Let a guardian suspend somebody."""
    return acme.sign(suspension(guardian, person, acme=acme, until=until, at=at, number=number))
