# SPDX-License-Identifier: Apache-2.0
"""Another key for a signer: how the next policy lists it, and how fast the keys of a role may change.

Everybody sees a new name; nobody sees a new key behind a name that stays.  So a change after which those who
stay in a role fill its threshold with new keys alone is refused; two changes may do it, the second decided by
keys that the first left in place.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from quorumseal.ceremony.errors import KeyRotationError, RotationTooFastError
from quorumseal.ceremony.policy import Policy, Signer, SignerKey
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.signatures import PublicKey

USUAL_OVERLAP = timedelta(days=14)


def rotate_key(
    current: SignedPolicy,
    signer: str,
    old: PublicKey,
    new: PublicKey,
    *,
    at: datetime,
    overlap: timedelta = USUAL_OVERLAP,
) -> Policy:
    """Return the next policy, in which a signer has a new key from now on, and the old one for a while."""
    known = current.policy.signer(signer)
    retiring = _key(known, old)
    if not retiring.valid_at(at):
        raise KeyRotationError(
            f"expected a key of {signer} that is valid now, got {old.key_id}, "
            f"valid from {retiring.valid_from:%Y-%m-%d} to {retiring.valid_until:%Y-%m-%d}",
            hint="rotate the key that signs now",
        )
    keys = (
        *(
            replace(key, valid_until=min(key.valid_until, at + overlap)) if key is retiring else key
            for key in known.keys
        ),
        SignerKey(key=new, valid_from=at, valid_until=at + (retiring.valid_until - retiring.valid_from)),
    )
    return succeed(current, signers={**current.policy.signers, signer: replace(known, keys=keys)})


def succeed(current: SignedPolicy, **fields: object) -> Policy:
    """Return the policy that follows the current one, with other fields."""
    version = current.policy.version + 1
    return replace(current.policy, version=version, previous=current.digest, **fields)  # type: ignore[arg-type] # names and types are the caller's


def check_rotation(old: Policy, new: Policy, *, at: datetime, until: datetime) -> None:
    """Refuse a proposal of an instant after which, by its deadline, a role has the same people and new keys.

    Of those who stay in a role that both policies ask for, as many as the lower of its two thresholds keep a
    key, or all where fewer stay.  A key is kept if the old policy has it for the same signer, valid at the
    instant, and the new one lists it, valid then too, until its old end or past the deadline.
    """
    before, after = _thresholds(old), _thresholds(new)
    for role in sorted(before.keys() & after.keys()):
        staying = old.roles[role].members & new.roles[role].members
        needed = min(before[role], after[role], len(staying))
        kept = sorted(name for name in staying if _keeps_a_key(old, new, name, at, until))
        if len(kept) < needed:
            raise RotationTooFastError(
                f"role {role}: expected {needed} or more of those who stay to keep a key that version "
                f"{old.version} knows, got {len(kept)} ({', '.join(kept) or 'nobody'})",
                hint="let old and new keys overlap until after the deadline of this change",
            )


def _key(signer: Signer, key: PublicKey) -> SignerKey:
    for each in signer.keys:
        if each.key == key:
            return each
    raise KeyRotationError(
        f"expected a key of {signer.name} ({', '.join(k.key.key_id for k in signer.keys)}), got {key.key_id}",
        hint="name the home whose key the policy lists",
    )


def _keeps_a_key(old: Policy, new: Policy, name: str, at: datetime, until: datetime) -> bool:
    listed = {key.key: key for key in new.signers[name].keys}
    return any(
        key.valid_at(at)
        and (kept := listed.get(key.key)) is not None
        and kept.valid_at(at)
        and kept.valid_until >= min(key.valid_until, until)
        for key in old.signers[name].keys
    )


def _thresholds(policy: Policy) -> Mapping[str, int]:
    """Return the highest threshold that any quorum of a policy has for each role."""
    highest: dict[str, int] = {}
    for quorum in (
        policy.governance,
        *(rule.quorum for rule in policy.rules.values()),
        *(rule.emergency.quorum for rule in policy.rules.values() if rule.emergency is not None),
    ):
        for threshold in quorum:
            highest[threshold.role] = max(highest.get(threshold.role, 0), threshold.count)
    return highest
