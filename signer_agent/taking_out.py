# SPDX-License-Identifier: Apache-2.0
"""Revoke a key, suspend somebody: written by the verified log, judged by the rules, then signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.errors import KeyUnknownError
from quorumseal.ceremony.policy import Policy, SignerKey
from quorumseal.ceremony.revoking import Revoked, lists, owner_of
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.statements import (
    KeyRevocation,
    RevocationReason,
    Suspension,
    SuspensionReason,
)
from quorumseal.ceremony.suspending import Suspended
from signer_agent.absences import draft_of
from signer_agent.agent import Agent
from signer_agent.drafting import Draft, make_context
from signer_agent.errors import UsageError
from signer_agent.observing import ObservedStanding

SHORTEST = 8
_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """One key of somebody, and how it stands."""

    owner: str
    key: SignerKey
    listed: bool
    """Whether the newest policy has it."""
    revoked: Revoked | None
    waiting: tuple[str, ...]
    """The guardians whose revocation waits for a second."""
    suspended: Suspended | None

    @property
    def id(self) -> str:
        """Its digest."""
        return self.key.key.key_id


def known_keys(seen: ObservedStanding, *, at: datetime) -> tuple[KnownKey, ...]:
    """Return every key that a policy ever listed, by its owner; those of the newest policy first."""
    policies = _policies(seen)
    found = {
        key.key.key_id: key for policy in policies for each in policy.signers.values() for key in each.keys
    }
    keys = [_known(key, policies, seen.standing, at) for key in found.values()]
    return tuple(sorted(keys, key=lambda each: (not each.listed, each.owner, each.key.valid_until, each.id)))


def find_key(seen: ObservedStanding, named: str, *, at: datetime) -> KnownKey:
    """Return the key that somebody means by its digest, or by enough of its beginning."""
    digits = named.removeprefix(_PREFIX).lower()
    found = [each for each in known_keys(seen, at=at) if each.id.removeprefix(_PREFIX).startswith(digits)]
    if len(digits) < SHORTEST or len(found) > 1:
        raise UsageError(
            f"expected the digest of one key, or {SHORTEST} digits or more of it, got {named[:80]}",
            hint="`quorumseal key list` shows the keys of everybody",
        )
    if not found:
        raise KeyUnknownError(f"expected a key that a policy of this organisation lists, got {named[:80]}")
    return found[0]


def write_revocation(
    agent: Agent, seen: ObservedStanding, key: str, *, since: datetime, reason: RevocationReason
) -> Draft:
    """Write the revocation of a key; raise what the rules refuse of it."""
    act = KeyRevocation(
        context=make_context(seen.policy, agent.name, seen.head.seen, at=agent.now()),
        number=seen.standing.next_number(agent.name, f"key {key}"),
        key=key,
        since=since,
        reason=reason,
    )
    return draft_of(agent, seen, act)


def write_suspension(
    agent: Agent, seen: ObservedStanding, person: str, *, until: datetime, reason: SuspensionReason
) -> Draft:
    """Write the suspension of somebody; raise what the rules refuse of it."""
    act = Suspension(
        context=make_context(seen.policy, agent.name, seen.head.seen, at=agent.now()),
        number=seen.standing.next_number(agent.name, f"suspension of {person}"),
        person=person,
        until=until,
        reason=reason,
    )
    return draft_of(agent, seen, act)


def guardians_beside(policy: Policy, *people: str) -> tuple[str, ...]:
    """Return who may second what a guardian signed, but for some people."""
    members = frozenset[str]().union(*(policy.roles[role].members for role in policy.guardians))
    return tuple(sorted(members - policy.machines - set(people)))


def _known(key: SignerKey, policies: Sequence[Policy], standing: Standing, at: datetime) -> KnownKey:
    key_id = key.key.key_id
    owner = owner_of(key_id, policies)
    suspended = standing.suspended.get(owner)
    revoked = standing.revoked.get(key_id)
    waiting = [guardian for (about, guardian) in standing.revocations if about == key_id]
    return KnownKey(
        owner=owner,
        key=key,
        listed=lists(policies[-1], key_id),
        revoked=revoked,
        waiting=() if revoked else tuple(sorted(waiting)),
        suspended=suspended if suspended and at < suspended.until else None,
    )


def _policies(seen: ObservedStanding) -> list[Policy]:
    return [signed.policy for signed in seen.chain.policies]
