# SPDX-License-Identifier: Apache-2.0
"""A policy change: two ceremonies about the same bytes, the change under the old policy, its acceptance under
the new one.

Each asks the governance quorum of its own policy, under its own keys, so that nobody hands the organisation
to people who did not take it, and nobody takes it who was not given it.
"""

from quorumseal.ceremony.errors import PolicyUnsignedError
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.log_succession import check_log_follows
from quorumseal.ceremony.policy import Kind, Policy
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy, read_policy
from quorumseal.ceremony.request_errors import ProposalError
from quorumseal.ceremony.rotating import check_rotation
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import digest_of, instant_text


def check_proposal(request: Request, proposed: bytes, policy: Policy) -> Policy:
    """Return the policy that a change proposes; refuse one that does not follow the policy in force."""
    if digest_of(proposed) != request.subjects[0].digest:
        raise ProposalError(
            f"expected the policy {request.subjects[0].digest} that the request is about, "
            f"got {digest_of(proposed)}",
            hint="hand in exactly the bytes that were signed for",
        )
    new = read_policy(proposed)
    for what, expected, got in (
        ("version", policy.version + 1, new.version),
        ("version before", request.context.policy.digest, new.previous),
        ("organisation", policy.organisation, new.organisation),
        ("word on whether it is a drill", policy.drill, new.drill),
    ):
        if expected != got:
            raise ProposalError(
                f"expected a policy with the {what} that follows version {policy.version}, got another",
                hint="write the next version from the one in force: `quorumseal policy edit`",
            )
    if new.expires <= request.opened_at:
        raise ProposalError(
            f"expected a policy that has not expired, got one that did {instant_text(new.expires)}",
            hint="give it a later end",
        )
    check_log_follows(policy.log, new.log, request.context.checkpoint)
    check_rotation(policy, new, at=request.opened_at, until=request.deadline)
    return new


def check_change(newer: SignedPolicy, older: SignedPolicy, change: Ceremony, acceptance: Ceremony) -> None:
    """Refuse a policy version unless both its ceremonies approved exactly it."""
    for kind, ceremony, under in (
        (Kind.POLICY_CHANGE, change, older),
        (Kind.POLICY_ACCEPTANCE, acceptance, newer),
    ):
        request = ceremony.request.statement
        if (request.kind, request.subjects[0].digest) != (kind, newer.digest):
            raise PolicyUnsignedError(
                f"expected a {kind} of policy {newer.digest}, "
                f"got a {request.kind} of {request.subjects[0].digest}"
            )
        if request.context.policy.digest != under.digest:
            raise PolicyUnsignedError(
                f"expected a {kind} under policy version {under.policy.version}, "
                f"got one under version {request.context.policy.version}"
            )
        if ceremony.state is not State.APPROVED:
            raise PolicyUnsignedError(
                f"expected a {kind} that was approved, got one that is {ceremony.state}",
                hint="a policy holds once both sides have approved it",
            )


def policy_adopted_by(change: Ceremony, acceptance: Ceremony) -> SignedPolicy | None:
    """Return the policy that an approved change and an approved acceptance agree on, where they do."""
    proposed = change.proposed
    if proposed is None or change.request.statement.subjects != acceptance.request.statement.subjects:
        return None
    ids = change.request.statement.ceremony, acceptance.request.statement.ceremony
    return adopted_policy(proposed, ids, approvers(change) | approvers(acceptance))


def approvers(ceremony: Ceremony) -> frozenset[str]:
    """Return who was counted when a ceremony was approved."""
    assert ceremony.ended_at is not None  # noqa: S101 - an approved one has ended
    return frozenset(signer for _, signers in ceremony.seats(at=ceremony.ended_at) for signer in signers)
