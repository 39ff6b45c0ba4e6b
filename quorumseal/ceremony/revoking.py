# SPDX-License-Identifier: Apache-2.0
"""Keys that sign no more: what they signed from an instant on does not stand.

Another key of the same signer revokes one at once; two guardians do it together, since the later of the
instants that they name.  Only an earlier instant ever changes a revocation: nothing takes one back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.errors import (
    KeyUnknownError,
    RevocationLaterError,
    RevocationSignerError,
    StandingTimeError,
)
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.seconding import PAIR, ask_guardians, claims_beside, is_guardian, read_makers
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Decision, Delegation, KeyRevocation
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A key that signs no more, and the envelopes that say so."""

    key: str
    since: datetime
    envelopes: tuple[Envelope, ...]


def owner_of(key: str, policies: Sequence[Policy]) -> str:
    """Return whose key it is by the newest policy that lists it; the newest policy comes last."""
    for policy in reversed(policies):
        for name, signer in policy.signers.items():
            if any(each.key.key_id == key for each in signer.keys):
                return name
    raise KeyUnknownError(f"expected a key that a policy of this organisation lists, got {key}")


def lists(policy: Policy, key: str) -> bool:
    """Whether a key is in the roster of a policy."""
    return any(each.key.key_id == key for signer in policy.signers.values() for each in signer.keys)


def check_revocation(act: Signed[KeyRevocation], policies: Sequence[Policy]) -> bool:
    """Refuse a revocation by somebody who may not; return whether it needs a second guardian."""
    statement, policy = act.statement, policies[-1]
    if statement.since > statement.context.signed_at:
        raise StandingTimeError(
            f"expected a revocation since an instant before its signing "
            f"({instant_text(statement.context.signed_at)}), got {instant_text(statement.since)}",
            hint="name an instant that has passed, or none for now",
        )
    owner = owner_of(statement.key, policies)
    if act.key.key.key_id == statement.key:
        raise own_revocation(statement.key, owner, policy)
    if act.signer == owner:
        return False
    if not is_guardian(policy, act.signer):
        raise RevocationSignerError(
            f"expected a revocation by {owner} with another key, or by guardians, got one by {act.signer}",
            hint=f"ask {owner}, or {ask_guardians(policy, besides=owner)}",
        )
    return True


def own_revocation(key: str, owner: str, policy: Policy) -> RevocationSignerError:
    """Return why a key does not revoke itself, and who revokes it instead."""
    return RevocationSignerError(
        f"expected another key to revoke {key}, got that key: a key cannot revoke itself",
        hint=f"sign with another key of {owner} (--with-key), or {ask_guardians(policy, besides=owner)}",
    )


def revoked_after(
    act: Signed[KeyRevocation],
    claims: Iterable[Signed[KeyRevocation]],
    now: Revoked | None,
    *,
    seconded: bool,
) -> Revoked | None:
    """Return what an act makes of a key, with what other guardians signed; refuse a later instant."""
    statement = act.statement
    own, others = claims_beside(act, claims)
    bounds = [claim.statement.since for claim in own] + ([now.since] if now else [])
    if bounds and statement.since >= min(bounds):
        raise RevocationLaterError(
            f"expected a revocation since an instant before {instant_text(min(bounds))}, "
            f"got {instant_text(statement.since)}"
        )
    if not seconded:
        return Revoked(key=statement.key, since=statement.since, envelopes=(act.envelope,))
    partner = min(others, key=lambda claim: claim.statement.since, default=None)
    if partner is None:
        return now
    since = max(statement.since, partner.statement.since)
    if now is not None and since >= now.since:
        return now
    return Revoked(key=statement.key, since=since, envelopes=(partner.envelope, act.envelope))


def read_revoked(
    envelopes: Sequence[Envelope], policies: Sequence[SignedPolicy], *, closed: bool = False
) -> Revoked:
    """Return the revocation that envelopes make, or refuse them; ``closed`` as in ``read_makers``."""
    acts, known = read_makers(KeyRevocation, envelopes, policies, closed=closed)
    if len({act.key for act in acts}) != 1:
        raise RevocationSignerError("expected guardians who revoke one key, got two keys")
    if known is not None:
        versions = [signed.policy for signed in policies[: policies.index(known) + 1]]
        needed = {
            check_revocation(signed_as(KeyRevocation, authenticate(envelope, known)), versions)
            for envelope in envelopes
        }
        if needed != {len(acts) == PAIR}:
            raise RevocationSignerError(
                f"expected a revocation by the owner of {acts[0].key} or by two guardians, "
                f"got {len(acts)} signatures"
            )
    return Revoked(key=acts[0].key, since=max(act.since for act in acts), envelopes=tuple(envelopes))


def hit(
    revoked: Revoked,
    decisions: Mapping[str, Signed[Decision]],
    stands_for: Mapping[str, Signed[Delegation]],
    times: Mapping[str, datetime],
) -> frozenset[str]:
    """Return whose decision falls: made since then by the key, or for somebody who delegated by it."""
    return frozenset(
        signer
        for signer, decision in decisions.items()
        if times[signer] >= revoked.since
        and revoked.key in {decision.key.key.key_id, *_delegated_by(stands_for.get(signer))}
    )


def _delegated_by(delegation: Signed[Delegation] | None) -> tuple[str, ...]:
    return (delegation.key.key.key_id,) if delegation else ()
