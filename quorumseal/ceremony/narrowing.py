# SPDX-License-Identifier: Apache-2.0
"""What a later policy takes from a ceremony that is still open under an earlier one.

A ceremony keeps the policy under which it was opened: nobody new may decide in it.  But keys and members that
a later version no longer lists stop counting there, for whatever is logged after that version.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from quorumseal.ceremony.errors import RemovedSinceError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, PolicyReference, Statement

Members = frozenset[tuple[str, str]]
"""Roles, each with one of its members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """The keys, members and deputies that a later policy no longer lists."""

    policy: PolicyReference
    keys: frozenset[str] = frozenset()
    members: Members = frozenset()
    deputies: Members = frozenset()


def narrowing(pinned: Policy, newer: SignedPolicy) -> Narrowing | None:
    """Return what a later policy takes from ceremonies under an earlier one; none where it takes nothing."""
    reference = PolicyReference(version=newer.policy.version, digest=newer.digest)
    keys = _keys(pinned) - _keys(newer.policy)
    members = _members(pinned) - _members(newer.policy)
    deputies = _deputies(pinned) - _deputies(newer.policy)
    if not (keys or members or deputies):
        return None
    return Narrowing(policy=reference, keys=keys, members=members, deputies=deputies)


def check_still_listed(signed: Signed[Statement], narrowed: Mapping[int, Narrowing]) -> None:
    """Refuse what somebody hands in with a key, or in a role, that was taken from them since."""
    roles = signed.statement.roles if isinstance(signed.statement, Decision) else frozenset()
    for each in narrowed.values():
        if signed.key.key.key_id in each.keys:
            raise RemovedSinceError(
                f"expected a key that policy version {each.policy.version} still lists, "
                f"got key {signed.key.key.key_id} of {signed.signer}",
                hint="what is logged from now on does not count; a new ceremony follows the new policy",
            )
        for role in sorted(roles):
            if (role, signed.signer) in each.members:
                raise RemovedSinceError(
                    f"expected a member of {role} under policy version {each.policy.version} still, "
                    f"got {signed.signer}",
                    hint="what is logged from now on does not count; a new ceremony follows the new policy",
                )


def _keys(policy: Policy) -> frozenset[str]:
    return frozenset(key.key.key_id for signer in policy.signers.values() for key in signer.keys)


def _members(policy: Policy) -> Members:
    return frozenset((role.name, member) for role in policy.roles.values() for member in role.members)


def _deputies(policy: Policy) -> Members:
    return frozenset((role.name, deputy) for role in policy.roles.values() for deputy in role.deputies)
