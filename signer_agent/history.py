# SPDX-License-Identifier: Apache-2.0
"""Under which policy a ceremony runs: the newest, an earlier one that it pinned, or one that is proposed."""

from collections.abc import Sequence
from dataclasses import dataclass

from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy import POLICY, Kind
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import PolicyReference, Request, Statement
from quorumseal.ceremony.values import ceremony_id, digest_of
from quorumseal.client.values import CeremonyRecord
from quorumseal.tlog import leaf_hash, verify_inclusion
from quorumseal.verifier.bundle import Adopted, PolicyVersion, parse_version
from quorumseal.verifier.part import Part, open_log_checkpoint, verify_part
from quorumseal.verifier.policy_chain import walk_all
from signer_agent.agent import Agent
from signer_agent.errors import OlderPolicyError, OtherAnswerError, UnknownProposalError
from signer_agent.kept import keep_policies

_MOST_PROPOSALS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The verified versions of a policy, and as what each of them came."""

    policies: tuple[SignedPolicy, ...]
    versions: tuple[PolicyVersion, ...]

    @property
    def newest(self) -> SignedPolicy:
        """The one in force."""
        return self.policies[-1]

    def named(self, reference: PolicyReference) -> SignedPolicy | None:
        """Return the version that a statement names."""
        return next((policy for policy in self.policies if policy.digest == reference.digest), None)

    def replaced_at(self, policy: SignedPolicy) -> int | None:
        """Return the index of the entry that decided on the version after; none where it is in force."""
        for earlier, follower in zip(self.policies, self.versions[1:], strict=False):
            if earlier.digest == policy.digest and isinstance(follower, Adopted):
                return max(follower.change.index, follower.acceptance.index)
        return None


def observe_history(agent: Agent) -> History:
    """Return the organisation's policies, verified from the trust file and not older than any seen before."""
    versions = tuple(parse_version(version) for version in agent.connection.organisation().policies)
    history = History(policies=walk_all(versions, agent.trust), versions=versions)
    newest, seen = history.newest, agent.journal.highest_policy()
    if seen is not None and newest.policy.version < seen.version:
        raise OlderPolicyError(
            f"expected policy version {seen.version} or newer, which this agent has seen, "
            f"got version {newest.policy.version}",
            hint="the coordinator offers an old policy: ask its operator why; nothing was signed",
        )
    if seen is not None and seen.digest not in {policy.digest for policy in history.policies}:
        raise OlderPolicyError(
            f"expected policy version {seen.version} to be {seen.digest}, "
            f"got {history.policies[seen.version - 1].digest}",
            hint="there are two policies of one version: ask who signed the other; nothing was signed",
        )
    agent.journal.keep_policy(newest, at=agent.now())
    keep_policies(agent.home, versions)
    return history


def pinned_by(agent: Agent, record: CeremonyRecord, newest: SignedPolicy) -> SignedPolicy:
    """Return the policy that a ceremony's request names, where there is good reason for it."""
    reference = policy_named(record.part.entries)
    if reference.digest == newest.digest:
        return newest
    history = observe_history(agent)
    policy = history.named(reference)
    if policy is None:
        _require_acceptance(record.part.entries, reference)
        return _proposed(agent, reference, history.newest)
    end = history.replaced_at(policy)
    if end is not None:
        _require_opened_before(record, end, history)
    return policy


def policy_named(entries: Sequence[bytes]) -> PolicyReference:
    """Return the policy that the request of a ceremony names; nothing is verified."""
    return _opening(entries).context.policy


def _opening(entries: Sequence[bytes]) -> Statement:
    if not entries:
        raise OtherAnswerError("expected the entries of a ceremony, got none")
    return read_statement(read_entry(entries[0]).envelope.payload)


def _require_acceptance(entries: Sequence[bytes], reference: PolicyReference) -> None:
    """Refuse a policy that is not in force yet for anything but its own acceptance."""
    request = _opening(entries)
    if (
        not isinstance(request, Request)
        or request.kind is not Kind.POLICY_ACCEPTANCE
        or request.subjects[0].digest != reference.digest
    ):
        raise UnknownProposalError(
            f"expected a policy in force, or the acceptance of policy version {reference.version} "
            f"({reference.digest}), got another ceremony under it",
            hint="until a policy is adopted nothing is decided under it but whether to accept it",
        )


def _require_opened_before(record: CeremonyRecord, end: int, history: History) -> None:
    """Refuse an old policy for a ceremony that is not proved to have been opened while it was in force."""
    checkpoint = open_log_checkpoint(record.part.checkpoint, history.newest.policy.log)
    opening = leaf_hash(record.part.entries[0])
    verify_inclusion(opening, record.opened_index, checkpoint.size, record.opened_inclusion, checkpoint.root)
    if record.opened_index >= end:
        raise OlderPolicyError(
            f"expected a ceremony that was opened before its policy was replaced (entry {end} of the log), "
            f"got one opened by entry {record.opened_index}",
            hint="the coordinator goes by a policy that holds no more; nothing was signed",
        )


def _proposed(agent: Agent, reference: PolicyReference, newest: SignedPolicy) -> SignedPolicy:
    """Return a policy that an acceptance is under, from the change that proposes it."""
    page = agent.connection.list_ceremonies(
        product=POLICY, version=str(newest.policy.version + 1), page_size=_MOST_PROPOSALS
    )
    for summary in page.ceremonies[:_MOST_PROPOSALS]:
        if summary.kind != Kind.POLICY_CHANGE:
            continue
        part = agent.connection.ceremony(ceremony_id(summary.ceremony), 0).part
        if policy_named(part.entries).digest != newest.digest:
            continue
        proposed = _verified(part, newest)
        if digest_of(proposed) == reference.digest:
            return adopted_policy(proposed, ("", ""))
    raise UnknownProposalError(
        f"expected a policy that a change proposes to follow version {newest.policy.version}, "
        f"got version {reference.version} ({reference.digest})",
        hint="an acceptance is about a policy that was proposed; ask its requester to start the change too",
    )


def _verified(part: Part, newest: SignedPolicy) -> bytes:
    proposed = verify_part(part, newest).chain.ceremony.proposed
    assert proposed is not None  # noqa: S101 - no change replays without one
    return proposed
