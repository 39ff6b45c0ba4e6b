# SPDX-License-Identifier: Apache-2.0
"""What of a policy ends by itself: the policy, and people's keys; and when that is to be said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique

from quorumseal.ceremony.policy import Policy, Signer, SignerKey

WARNINGS = (timedelta(days=60), timedelta(days=30), timedelta(days=7))
"""How long before the end it is said, the longest first."""


@unique
class Expiring(StrEnum):
    """What sort of thing ends."""

    POLICY = "policy"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """Something that ends, and when.  ``name`` is whose key it is, or which version of the policy."""

    what: Expiring
    name: str
    ends: datetime
    key_id: str = ""


def warned(ends: datetime, *, at: datetime) -> timedelta | None:
    """Return the last of the warnings that is due: None before the first, and once it is over."""
    if at >= ends:
        return None
    return min((span for span in WARNINGS if ends - at <= span), default=None)


def expiries(policy: Policy, *, at: datetime) -> tuple[Expiry, ...]:
    """Return what has ended or ends within the first warning, the first to end first."""
    ending = [Expiry(what=Expiring.POLICY, name=str(policy.version), ends=policy.expires)]
    ending += [
        Expiry(what=Expiring.KEY, name=signer.name, ends=key.valid_until, key_id=key.key.key_id)
        for signer in policy.signers.values()
        for key in signer.keys
        if not _succeeded(signer, key, at=at)
    ]
    near = (each for each in ending if each.ends - at <= WARNINGS[0])
    return tuple(sorted(near, key=lambda each: (each.ends, each.what, each.name, each.key_id)))


def _succeeded(signer: Signer, key: SignerKey, *, at: datetime) -> bool:
    """Whether its holder can sign with another key already, for longer than anybody is warned of."""
    return any(
        other is not key and other.valid_at(at) and other.valid_until - at > WARNINGS[0]
        for other in signer.keys
    )
