# SPDX-License-Identifier: Apache-2.0
"""Decisions and acts in an open ceremony (docs/spec/statements.md)."""

from tests.second_verifier.ceremony import Ceremony, Decision, cost
from tests.second_verifier.refusing import need
from tests.second_verifier.statements import Statement, request_subjects


def about(ceremony: Ceremony, found: Statement) -> None:
    """Of this ceremony and this request."""
    need(found.said["ceremony"] == ceremony.said["ceremony"], "statement.ceremony")
    need(found.said["request"] == ceremony.request.digest, "statement.request")


def allowed(ceremony: Ceremony, found: Statement, at: int) -> None:
    """Neither the key nor the person was taken out."""
    need(found.key not in ceremony.removed_keys, "decision.removed_since")
    need(found.key not in ceremony.revoked, "key.revoked")
    need(not at < ceremony.suspended.get(found.signer, at), "signer.suspended")


def on_time(ceremony: Ceremony, found: Statement, at: int) -> None:
    """Signed and logged between opening and deadline, by clocks that may differ."""
    skew = ceremony.policy.skew
    need(found.signed_at >= ceremony.opened - skew, "decision.signed_before_opening")
    need(found.signed_at <= at + skew, "decision.signed_in_future")
    need(at < ceremony.deadline, "chain.outcome", "time is over")
    need(found.signed_at < ceremony.deadline, "decision.signed_after_deadline")


def decide(ceremony: Ceremony, found: Statement, at: int, *, proved_at: int, token: str = "") -> None:
    """Record a decision, or refuse it."""
    said, signer = found.said, found.signer
    roles = frozenset(said["roles"])
    about(ceremony, found)
    allowed(ceremony, found, at)
    on_time(ceremony, found, at)
    need(signer not in ceremony.asking, "decision.requester")
    need(roles <= {role for role, _ in ceremony.quorum}, "decision.unknown_role")
    member = by = None
    if said["delegation"] is None:
        held = ceremony.policy.roles
        mine = {role for role in roles if signer in held[role].members}
        need(mine == roles, "decision.not_a_member")
        need(not any((role, signer) in ceremony.removed_members for role in roles), "decision.removed_since")
    else:
        delegation = _delegation(ceremony, found, at)
        member, by = delegation.signer, delegation.key
        need(not at < ceremony.suspended.get(member, at), "signer.suspended")
    need(ceremony.policy.signers[signer].person or not ceremony.emergency, "decision.not_a_member")
    _not_used_up(ceremony, signer, member)
    if found.type == "approval/v1":
        need(found.subjects == request_subjects(ceremony.said), "statement.subjects")
        passed = {check["name"] for check in said["checks"] if check["outcome"] == "pass"}
        need(set(ceremony.checks) <= passed, "decision.check_not_passed")
        need(said["not_after"] is None or at < said["not_after"], "decision.not_after")
        roles &= ceremony.come()
        need(bool(roles), "decision.stage")
    need(said["replaces"] == ceremony.last.get(signer), "decision.replaces")
    need(ceremony.decided.get(signer, 0) < 8, "decision.too_many")
    ceremony.spend(cost(found.envelope.payload, token), "ceremony.full")
    ceremony.decided[signer] = ceremony.decided.get(signer, 0) + 1
    ceremony.last[signer] = found.digest
    ceremony.standing[signer] = Decision(
        statement=found, at=at, roles=roles, member=member, delegated_by=by, proved_at=proved_at
    )


def _delegation(ceremony: Ceremony, found: Statement, at: int) -> Statement:
    code = "decision.delegation"
    live = [d for d in ceremony.delegations.values() if d.digest == found.said["delegation"]]
    need(len(live) == 1, code)
    said = live[0].said
    need(said["since"] <= at < said["until"] and said["deputy"] == found.signer, code)
    need(found.said["roles"] == (said["role"],), code)
    return live[0]


def _not_used_up(ceremony: Ceremony, signer: str, member: str | None) -> None:
    for who, decision in ceremony.standing.items():
        if who == signer or decision.statement.type == "abstention/v1":
            continue
        uses = {who, decision.member}
        need(signer not in uses and (member is None or member not in uses), "decision.used_up")


def conclusion(ceremony: Ceremony, found: Statement, at: int) -> str | None:
    """What a decision causes at once: the type of the next entry."""
    if found.type == "rejection/v1":
        if ceremony.emergency:
            if found.signer not in ceremony.vetoed_by:
                return "rejected"
        elif set(found.said["roles"]) & set(ceremony.rule.veto) or ceremony.hopeless():
            return "rejected"
    met = ceremony.met(at)
    if not ceremony.emergency:
        return "approved" if met else None
    if met and ceremony.window is None:
        return "window-opened"
    if not met and ceremony.window is not None:
        return "window-broken"
    return None


def act(ceremony: Ceremony, found: Statement, at: int) -> None:
    """What every act has to be."""
    about(ceremony, found)
    allowed(ceremony, found, at)
    on_time(ceremony, found, at)
    need(found.said["seen"] in ceremony.hashes, "act.entry_not_seen")


def extend(ceremony: Ceremony, found: Statement, at: int) -> None:
    """Move the deadline."""
    act(ceremony, found, at)
    said = found.said
    extends = any(found.signer in ceremony.policy.roles[role].members for role in ceremony.rule.extenders)
    asked = {ceremony.request.signer, ceremony.said["on_behalf_of"]}
    need(extends and found.signer not in asked, "extension.signer")
    need(len(ceremony.extensions) < 2, "extension.too_many")
    previous = ceremony.extensions[-1] if ceremony.extensions else None
    need(said["number"] == len(ceremony.extensions) + 1 and said["previous"] == previous, "extension.order")
    need(ceremony.deadline < said["deadline"] <= ceremony.said["hard_stop"], "extension.deadline")
    ceremony.extensions.append(found.digest)
    ceremony.deadline = said["deadline"]


def veto(ceremony: Ceremony, found: Statement, at: int) -> None:
    """Stop an emergency."""
    act(ceremony, found, at)
    need(ceremony.emergency, "emergency.none")
    has_role = any(found.signer in role.members for role in ceremony.policy.roles.values())
    need(has_role and found.signer not in ceremony.vetoed_by, "veto.signer")


def cancel(ceremony: Ceremony, found: Statement, at: int) -> None:
    """End it, by whoever may request."""
    act(ceremony, found, at)
    may = any(found.signer in ceremony.policy.roles[role].members for role in ceremony.rule.requesters)
    asked = {ceremony.request.signer, ceremony.said["on_behalf_of"]}
    need(may or found.signer in asked, "cancellation.signer")
