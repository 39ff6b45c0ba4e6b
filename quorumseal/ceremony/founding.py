# SPDX-License-Identifier: Apache-2.0
"""From policy.toml and who enrolled to the bytes that every founder signs."""

from collections.abc import Collection, Mapping

from quorumseal.ceremony.enrolment import Enrolment
from quorumseal.ceremony.enrolment_errors import FoundersShortError, NotEnrolledError
from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.policy_source import compile_policy, without_keys
from quorumseal.ceremony.quorum import explain, tally


def unenrolled(source: str, enrolled: Collection[str]) -> tuple[str, ...]:
    """Return whose keys are neither in ``policy.toml`` nor enrolled."""
    return tuple(name for name in without_keys(source) if name not in enrolled)


def first_policy(source: str, enrolled: Mapping[str, Enrolment], founders: Collection[str]) -> bytes:
    """Compile version 1 for its founders to sign, or refuse it before anybody does."""
    missing = unenrolled(source, enrolled)
    if missing:
        raise NotEnrolledError(f"expected keys of everybody in policy.toml, got none of {', '.join(missing)}")
    policy = compile_policy(source, enrolled)
    if policy.version != 1:
        raise PolicyError(f"policy.toml: expected version 1 to found an organisation, got {policy.version}")
    _require_founders(policy, founders)
    return write_policy(policy)


def _require_founders(policy: Policy, founders: Collection[str]) -> None:
    needs = policy.needs(policy.governance)
    consents = {f: frozenset(n.role for n in needs if f in n.members) for f in sorted(founders)}
    count = tally(needs, consents, policy.signers.keys() - consents.keys())
    if not count.quorum_met:
        raise FoundersShortError(
            f"expected founders who meet the governance quorum of policy.toml, "
            f"got {'; '.join(explain(count))}"
        )
