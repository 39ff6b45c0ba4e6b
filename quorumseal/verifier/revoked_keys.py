# SPDX-License-Identifier: Apache-2.0
"""What remains of an approval once keys are taken out of it that were revoked since before.

The envelopes come in a status file and are verified here, under the policies that the bundle and the status
bring: the log's key alone revokes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.breaking_glass import emergency_met
from quorumseal.ceremony.lifecycle import Ceremony, without
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import explain, quorum_met
from quorumseal.ceremony.revoking import Revoked, hit, read_revoked
from quorumseal.ceremony.values import instant_text
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
    quorum_met: bool
    missing: tuple[str, ...]
    """What it lacks, in sentences."""


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
        after = without(after, hit(since, after.decisions, after.stands_for, after.times))
        after = replace(after, revoked={**after.revoked, since.key: since})
    met = emergency_met(after, at=at) if after.emergency else quorum_met(after.needs, after.consents(at=at))
    missing = () if met else (*_lost_request(after), *explain(after.tally(at=at)))
    return Remains(ceremony=after, uses=tuple(uses), quorum_met=met, missing=missing)


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


def _lost_request(ceremony: Ceremony) -> tuple[str, ...]:
    if not ceremony.request_fell:
        return ()
    revoked = ceremony.revoked[ceremony.request.key.key.key_id]
    since = instant_text(revoked.since)
    return (f"the request by {ceremony.request.signer} was made by a key revoked since {since}",)
