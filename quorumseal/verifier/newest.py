# SPDX-License-Identifier: Apache-2.0
"""The newest policy that several chains from one pinned version lead to; two that part are a fork."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import PolicyVersion, version_json
from quorumseal.verifier.errors import PolicyForkError, PolicyTooOldError
from quorumseal.verifier.policy_chain import walk_all
from quorumseal.verifier.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One version of a chain, verified, and as what it came."""

    policy: SignedPolicy
    version: PolicyVersion


def longest_chain(chains: Sequence[Sequence[PolicyVersion]], trust: Trust) -> tuple[Link, ...]:
    """Return the longest of the chains, each walked from the pin; refuse a fork, and what is too old.

    Two different policies of one version, each approved by its quorums, are never a matter of taste: whoever
    has both raises nothing, and keeps both as evidence.
    """
    anyhow = replace(trust, minimum_version=1)  # an older chain is a past of the newest, or a fork
    longest: tuple[Link, ...] = ()
    for chain in chains:
        links = tuple(
            Link(policy=policy, version=version)
            for policy, version in zip(walk_all(chain, anyhow), chain, strict=True)
        )
        for one, other in zip(longest, links, strict=False):
            if one.policy.digest != other.policy.digest:
                raise _fork(one, other)
        longest = max(longest, links, key=len)
    newest = longest[-1].policy.policy.version if longest else 0
    if newest < trust.minimum_version:
        raise PolicyTooOldError(
            f"expected a chain up to policy version {trust.minimum_version} or newer, got one up to {newest}",
            hint="whoever gave it hides newer versions, or has not heard of them: ask for a newer bundle",
        )
    return longest


def _fork(one: Link, other: Link) -> PolicyForkError:
    evidence = write(
        {"type": "policy-fork", "versions": [version_json(one.version), version_json(other.version)]}
    )
    return PolicyForkError(
        f"expected one policy version {one.policy.policy.version}, got two that its quorums approved: "
        f"{one.policy.digest} and {other.policy.digest}",
        evidence=evidence,
    )
