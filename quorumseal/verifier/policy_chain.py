# SPDX-License-Identifier: Apache-2.0
"""From the pinned policy version to the one that a ceremony ran under."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from quorumseal.ceremony.changing import check_change, policy_adopted_by
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import (
    SignedPolicy,
    adopted_policy,
    genesis_previous,
    signed_policy,
)
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope
from quorumseal.tlog import hash_text
from quorumseal.verifier.bundle import Adopted, PolicyVersion
from quorumseal.verifier.errors import (
    ConclusionCheckpointError,
    PolicyChainError,
    PolicyNotYetError,
    PolicyTooOldError,
)
from quorumseal.verifier.part import Part, VerifiedPart, verify_part, verify_seen_checkpoints
from quorumseal.verifier.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChain:
    """Every version from the pinned one on, each approved under the one before."""

    versions: tuple[SignedPolicy, ...]
    begins: Mapping[str, int] = field(default_factory=dict)
    """The index of the entry from which on a later version holds, by its digest."""

    @property
    def newest(self) -> SignedPolicy:
        """The last one."""
        return self.versions[-1]

    def of(self, part: Part) -> SignedPolicy:
        """Return the version that a ceremony's request names; the newest where it names none of them."""
        digest = _named(part)
        return next((policy for policy in self.versions if policy.digest == digest), self.newest)

    def logs(self, policy: SignedPolicy) -> tuple[Log, ...]:
        """Return how a version and those after it say who signs for the log."""
        return tuple(
            each.policy.log for each in self.versions if each.policy.version >= policy.policy.version
        )

    def require_held(self, policy: SignedPolicy, part: Part) -> None:
        """Refuse a ceremony that concluded before the version that it is under held."""
        begins = self.begins.get(policy.digest, 0)
        if part.index < begins:
            raise PolicyNotYetError(
                f"expected a ceremony that concluded after policy version {policy.policy.version} held "
                f"(entry {begins} of the log), got one that did at entry {part.index}",
                hint="nobody can have been asked under a policy that was not there; tell the publisher",
            )

    def require_recent(self, policy: SignedPolicy, trust: Trust) -> None:
        """Refuse a version that a consumer does not accept any more."""
        if policy.policy.version < trust.minimum_version:
            raise PolicyTooOldError(
                f"expected policy version {trust.minimum_version} or newer, got {policy.policy.version}",
                hint="ask the publisher for a bundle under a current policy",
            )


def walk(versions: Sequence[PolicyVersion], trust: Trust) -> SignedPolicy:
    """Return the newest policy of a chain that begins at the pinned version 1, without a gap."""
    return walk_all(versions, trust)[-1]


def walk_all(versions: Sequence[PolicyVersion], trust: Trust) -> tuple[SignedPolicy, ...]:
    """Return every policy of such a chain, oldest first."""
    chain = policy_chain(versions, trust)
    chain.require_recent(chain.newest, trust)
    return chain.versions


def policy_chain(versions: Sequence[PolicyVersion], trust: Trust) -> PolicyChain:
    """Return every policy of a chain that begins at the pinned version 1, however old the newest is."""
    if not versions:
        raise PolicyChainError("expected a policy chain from version 1 on, got none")
    policies = [_pinned(versions[0], trust)]
    for version in versions[1:]:
        policies.append(_next(policies[-1], version))
    begins = {
        policy.digest: max(version.change.index, version.acceptance.index)
        for policy, version in zip(policies, versions, strict=True)
        if isinstance(version, Adopted)
    }
    return PolicyChain(versions=tuple(policies), begins=begins)


def _named(part: Part) -> str | None:
    """Return the digest of the policy that a part's request names; a replay says what is wrong with it."""
    with suppress(Refusal, LookupError):
        entry = read_entry(part.entries[0])
        if entry.signed:
            return read_statement(entry.envelope.payload).context.policy.digest
    return None


def _pinned(version: PolicyVersion, trust: Trust) -> SignedPolicy:
    if not isinstance(version, JointEnvelope):
        raise PolicyChainError("expected a chain that begins with version 1, got a later one")
    if (got := digest_of(version.payload)) != trust.policy:  # other bytes are not worth reading
        raise PolicyChainError(
            f"expected the pinned policy {trust.policy}, got {got}",
            hint="this trust file is for another organisation, or it pinned another policy",
        )
    first = signed_policy(version)
    policy = first.policy
    if (policy.organisation, policy.version, policy.previous) != (
        trust.organisation,
        1,
        genesis_previous(trust.organisation),
    ):
        raise PolicyChainError(
            f"expected version 1 of {trust.organisation}, got version {policy.version} "
            f"of {policy.organisation} after {policy.previous}"
        )
    return first


def _next(older: SignedPolicy, version: PolicyVersion) -> SignedPolicy:
    """Return the version that follows, which a change under the older one and an acceptance approved."""
    if not isinstance(version, Adopted):
        raise PolicyChainError(
            f"expected version {older.policy.version + 1} with the ceremonies that approved it, "
            "got another founding",
            hint="only version 1 is founded; ask the publisher for the chain of the log",
        )
    newer = adopted_policy(version.payload, ("", ""))
    if (newer.policy.version, newer.policy.previous) != (older.policy.version + 1, older.digest):
        raise PolicyChainError(
            f"expected version {older.policy.version + 1} after {older.digest}, "
            f"got version {newer.policy.version} after {newer.policy.previous}",
            hint="a version is missing, repeated, or of another chain; ask the publisher for the log's own",
        )
    logs = older.policy.log, newer.policy.log  # whichever was decided last, the new key may have signed it
    change = verify_part(version.change, older, *logs)
    acceptance = verify_part(version.acceptance, newer, *logs)
    check_change(newer, older, change.chain.ceremony, acceptance.chain.ceremony)
    _check_log((version.change, change), (version.acceptance, acceptance))
    adopted = policy_adopted_by(change.chain.ceremony, acceptance.chain.ceremony)
    assert adopted is not None  # noqa: S101 - both were found to be about these bytes
    return adopted


def _check_log(*parts: tuple[Part, VerifiedPart]) -> None:
    """See that the log has both, each at its conclusion, and that the later extends the earlier."""
    for part, verified in parts:
        if verified.checkpoint.size != part.index + 1:
            raise ConclusionCheckpointError(
                f"expected the checkpoint of size {part.index + 1}, signed at the conclusion, "
                f"got size {verified.checkpoint.size}"
            )
    (first, earlier), (second, later) = sorted(parts, key=lambda each: each[1].checkpoint.size)
    verify_seen_checkpoints(first, earlier.checkpoint)
    before = SeenCheckpoint(size=earlier.checkpoint.size, root=hash_text(earlier.checkpoint.root))
    verify_seen_checkpoints(second, later.checkpoint, (before,))


def own_policy(version: PolicyVersion) -> SignedPolicy:
    """Return the policy that a bundle names itself, which nothing vouches for."""
    if isinstance(version, Adopted):
        return adopted_policy(version.payload, ("", ""))
    return signed_policy(version)
