# SPDX-License-Identifier: Apache-2.0
"""From the pinned policy version to the one that a ceremony ran under."""

from collections.abc import Sequence

from quorumseal.ceremony.policy_document import SignedPolicy, genesis_previous, signed_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import JointEnvelope
from quorumseal.verifier.errors import PolicyChainError, PolicyTooOldError
from quorumseal.verifier.trust import Trust


def walk(versions: Sequence[JointEnvelope], trust: Trust) -> SignedPolicy:
    """Return the newest policy of a chain that begins at the pinned version 1, without a gap."""
    if not versions:
        raise PolicyChainError("expected a policy chain from version 1 on, got none")
    if len(versions) != 1:
        raise PolicyChainError(
            f"expected the pinned version 1 alone, got a chain of {len(versions)} versions",
            hint="a newer version of quorumseal may know how policies change",
        )
    if (got := digest_of(versions[0].payload)) != trust.policy:  # other bytes are not worth reading
        raise PolicyChainError(
            f"expected the pinned policy {trust.policy}, got {got}",
            hint="this trust file is for another organisation, or it pinned another policy",
        )
    first = signed_policy(versions[0])
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
    if policy.version < trust.minimum_version:
        raise PolicyTooOldError(
            f"expected policy version {trust.minimum_version} or newer, got {policy.version}",
            hint="ask the publisher for a bundle under a current policy",
        )
    return first
