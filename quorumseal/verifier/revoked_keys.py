# SPDX-License-Identifier: Apache-2.0
"""What remains of an approval once keys are taken out of it that were revoked since before.

The envelopes come in a status file and are verified here, under the policies that the bundle and the status
bring: the log's key alone revokes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.compromise import shortfall
from quorumseal.ceremony.lifecycle import Ceremony, without_key
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.revoking import Revoked, read_revoked
from quorumseal.signatures import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedUse:
    """One thing that a revoked key signed in a ceremony that was approved."""

    ceremony: str
    signer: str
    """Whose key it is, or for whom somebody decided through a delegation that it signed."""
    key: str
    since: datetime
    at: datetime
    """When it is proved to have been signed."""
    counts: bool
    """Whether it came before, and counts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """A ceremony that was approved, without what revoked keys signed in it."""

    ceremony: Ceremony
    uses: tuple[RevokedUse, ...]
    missing: tuple[str, ...]
    """What its quorum falls short of, in sentences; nothing where it is met without them."""

    @property
    def quorum_met(self) -> bool:
        """Whether it holds."""
        return not self.missing


def judge_revoked_keys(
    makers: Sequence[tuple[Envelope, ...]], policies: Sequence[SignedPolicy]
) -> tuple[Revoked, ...]:
    """Return the revocations that envelopes make, each verified under the policy that it names."""
    return tuple(read_revoked(envelopes, policies, closed=True) for envelopes in makers)


def without_revoked(ceremony: Ceremony, revoked: Collection[Revoked], *, logged: bool) -> Remains:
    """Take out what the keys signed since their revocation; of what no log has, whatever they signed."""
    at = ceremony.counted_at
    assert at is not None  # noqa: S101 - what was approved has ended
    uses: list[RevokedUse] = []
    after = ceremony
    for each in revoked:
        since = each if logged else replace(each, since=min(each.since, *_times(ceremony)))
        uses += _uses(ceremony, since)
        after = without_key(after, since)
    return Remains(ceremony=after, uses=tuple(uses), missing=shortfall(after, at=at))


def _times(ceremony: Ceremony) -> tuple[datetime, ...]:
    return (ceremony.logged_at, *ceremony.times.values())


def _uses(ceremony: Ceremony, revoked: Revoked) -> list[RevokedUse]:
    """Return what a key signed: the request, decisions, delegations that decisions rely on."""
    request = ceremony.request
    keys = [(request.signer, request.key, ceremony.logged_at)]
    keys += [(signer, each.key, ceremony.times[signer]) for signer, each in ceremony.decisions.items()]
    keys += [(used.signer, used.key, ceremony.times[deputy]) for deputy, used in ceremony.stands_for.items()]
    return [
        RevokedUse(
            ceremony=request.statement.ceremony,
            signer=signer,
            key=revoked.key,
            since=revoked.since,
            at=at,
            counts=at < revoked.since,
        )
        for signer, key, at in keys
        if key.key.key_id == revoked.key
    ]
