# SPDX-License-Identifier: Apache-2.0
"""The policy chain: from the pinned version 1, each later one by two ceremonies (policy.md, Change)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.second_verifier import parts
from tests.second_verifier.envelopes import envelope
from tests.second_verifier.parts import Judged, Part
from tests.second_verifier.policy import Policy, founded, read_policy
from tests.second_verifier.reading import fields
from tests.second_verifier.refusing import need


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Every version from 1 on, and the index in the log from which each holds."""

    policies: tuple[Policy, ...]
    held: tuple[int, ...]

    def named(self, pin: Any) -> tuple[Policy, int]:
        """The version that a statement pins."""
        number = pin["version"]
        known = number <= len(self.policies)
        need(known and self.policies[number - 1].digest == pin["digest"], "policy_chain.broken")
        return self.policies[number - 1], self.held[number - 1]

    def since(self, policy: Policy) -> Sequence[Policy]:
        """A version, and those after it."""
        return self.policies[policy.version - 1 :]


def walk(values: Sequence[Any], trust: Any) -> Chain:
    """The chain, if each link holds."""
    signed = envelope(values[0], several=True)
    first = read_policy(signed.payload)
    need(first.digest == trust.policy, "policy_chain.broken", "not the pinned one")
    need(first.version == 1 and first.organisation == trust.organisation, "policy_chain.broken")
    founded(first, signed)
    policies, held = [first], [-1]
    links = []
    for value in values[1:]:
        read = fields(value, {"change": parts.read_part, "acceptance": parts.read_part})
        policy, until = _link(policies[-1], read["change"], read["acceptance"], held[-1])
        policies.append(policy)
        held.append(until)
        links.append((read["change"], read["acceptance"]))
    for number, (change, acceptance) in enumerate(links):
        _proved(policies[number:], change, acceptance)
    need(policies[-1].version >= trust.minimum_version, "policy_chain.below_minimum")
    return Chain(policies=tuple(policies), held=tuple(held))


def _link(before: Policy, change: Part, acceptance: Part, held: int) -> tuple[Policy, int]:
    broken = "policy_chain.broken"
    need(change.logged and acceptance.logged, broken, "both are logged")
    assert change.index is not None
    assert acceptance.index is not None
    gave = _approved(parts.judge(change, before), "policy-change")
    assert gave.ceremony.proposed is not None
    after = read_policy(gave.ceremony.proposed)
    took = _approved(parts.judge(acceptance, after), "policy-acceptance")
    said, also = gave.ceremony.said, took.ceremony.said
    need(also["subjects"] == said["subjects"], broken)
    need(said["version"] == also["version"] == str(after.version), "policy.proposal")
    _follows(before, after, gave)
    need(min(change.index, acceptance.index) > held, "policy_chain.not_yet")
    return after, max(change.index, acceptance.index)


def _approved(judged: Judged, kind: str) -> Judged:
    need(judged.ceremony.said["kind"] == kind, "policy_chain.broken")
    need(judged.ceremony.ended == "approved", "policy_chain.broken", f"it {judged.ceremony.ended}")
    return judged


def _proved(policies: Sequence[Policy], change: Part, acceptance: Part) -> None:
    before, after = policies[0], policies[1]
    assert change.index is not None
    assert acceptance.index is not None
    later = change if change.index > acceptance.index else acceptance
    need(change.index != acceptance.index, "policy_chain.broken")
    keys = [(key.from_size, str(key.from_root)) for key in after.log_keys[1:]]
    for part, since in ((change, policies), (acceptance, policies[1:])):
        past = list(keys) if part is change else []
        if part is later:
            past += parts.state(acceptance if later is change else change)
        parts.prove(part, since, past)
    need(before.origin == after.origin, "policy.proposal")


def _follows(before: Policy, after: Policy, change: Judged) -> None:
    """A proposal that could follow the version in force."""
    proposal = "policy.proposal"
    need(after.version == before.version + 1 and after.previous == before.digest, proposal)
    need(after.organisation == before.organisation and after.origin == before.origin, proposal)
    need(after.drill == before.drill and change.ceremony.opened < after.expires, proposal)
    _log_keys(before, after, change)
    _rotation(before, after, change)


def _log_keys(before: Policy, after: Policy, change: Judged) -> None:
    code = "policy.log_succession"
    stays = len(before.log_keys)
    need(after.log_keys[:stays] == before.log_keys and len(after.log_keys) <= stays + 1, code)
    if len(after.log_keys) > stays:
        seen = change.ceremony.said["checkpoint"]
        new = after.log_keys[-1]
        need(new.from_size <= seen["size"], code)
        need(new.from_size < seen["size"] or new.from_root == seen["root"], code)


def _rotation(before: Policy, after: Policy, change: Judged) -> None:
    """Of those who stay in a role, enough keep a key."""
    highest = [_thresholds(before), _thresholds(after)]
    signed_at, deadline = change.ceremony.opened, change.ceremony.said["deadline"]
    for role in highest[0].keys() & highest[1].keys():
        staying = set(before.roles[role].members) & set(after.roles[role].members)
        keeping = [name for name in staying if _keeps(before, after, name, signed_at, deadline)]
        needed = min(highest[0][role], highest[1][role], len(staying))
        need(len(keeping) >= needed, "policy.rotation_too_fast", role)


def _thresholds(policy: Policy) -> dict[str, int]:
    found: dict[str, int] = {}
    quorums = [policy.governance]
    for rule in policy.rules.values():
        quorums += [rule.quorum, *([rule.break_glass.quorum] if rule.break_glass else [])]
    for quorum in quorums:
        for role, threshold in quorum:
            found[role] = max(found.get(role, 0), threshold)
    return found


def _keeps(before: Policy, after: Policy, name: str, signed_at: int, deadline: int) -> bool:
    new = {key.spki: key for key in after.signers[name].keys}
    for old in before.signers[name].keys:
        kept = new.get(old.spki)
        if kept is None or not old.valid_from <= signed_at < old.valid_until:
            continue
        valid = kept.valid_from <= signed_at < kept.valid_until
        if valid and (kept.valid_until >= old.valid_until or kept.valid_until > deadline):
            return True
    return False
