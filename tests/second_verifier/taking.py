# SPDX-License-Identifier: Apache-2.0
"""Delegations, and what takes trust away from an open ceremony (docs/spec/entries-and-bundle.md)."""

from collections.abc import Mapping
from typing import Any

from tests.second_verifier import values
from tests.second_verifier.ceremony import Ceremony
from tests.second_verifier.envelopes import envelope
from tests.second_verifier.policy import DAY, Policy
from tests.second_verifier.reading import fields, integer, items
from tests.second_verifier.refusing import need
from tests.second_verifier.statements import Statement, authentic, read


def delegate(ceremony: Ceremony, found: Statement, at: int) -> None:
    """A delegation that is live in this ceremony."""
    said, policy = found.said, ceremony.policy
    role, slot = said["role"], (found.signer, said["role"])
    need(found.signed_at <= at + policy.skew, "decision.signed_in_future")
    need(role in {name for name, _ in ceremony.quorum}, "delegation.deputy", "a role that is asked for")
    need(found.signer in policy.roles[role].members, "decision.not_a_member")
    stands_in = said["deputy"] in policy.roles[role].deputies and policy.signers[said["deputy"]].person
    need(stands_in, "delegation.deputy")
    need(not {found.signer, said["deputy"]} & ceremony.asking, "decision.requester")
    need(said["since"] < said["until"] and at < said["until"], "standing.time")
    need(said["number"] > ceremony.numbers.get(slot, 0), "standing.number")
    _stands(ceremony, found, at)
    need((role, found.signer) not in ceremony.removed_members, "decision.removed_since")
    need((role, said["deputy"]) not in ceremony.removed_deputies, "decision.removed_since")
    ceremony.numbers[slot] = said["number"]
    ceremony.delegations[slot] = found


def withdraw(ceremony: Ceremony, found: Statement, at: int) -> None:
    """The end of one."""
    said = found.said
    slot = (found.signer, said["role"])
    need(found.signed_at <= at + ceremony.policy.skew, "decision.signed_in_future")
    need(said["role"] is not None and slot in ceremony.delegations, "delegation.missing")
    need(said["number"] > ceremony.numbers.get(slot, 0), "standing.number")
    _stands(ceremony, found, at)
    ceremony.numbers[slot] = said["number"]
    del ceremony.delegations[slot]


def _stands(ceremony: Ceremony, found: Statement, at: int) -> None:
    need(found.key not in ceremony.removed_keys, "decision.removed_since")
    need(found.key not in ceremony.revoked, "key.revoked")
    need(not at < ceremony.suspended.get(found.signer, at), "signer.suspended")


def narrow(ceremony: Ceremony, body: Any) -> None:
    """What a later policy took."""
    pair = {"role": values.name, "signer": values.name}

    def pairs(value: Any) -> list[tuple[str, str]]:
        found = [(it["role"], it["signer"]) for it in items(lambda it: fields(it, pair))(value)]
        need(found == sorted(set(found)), "entry.format")
        return found

    read_body = fields(
        body,
        {
            "version": integer(1),
            "digest": values.digest,
            "keys": items(values.digest),
            "members": pairs,
            "deputies": pairs,
        },
    )
    need(list(read_body["keys"]) == sorted(set(read_body["keys"])), "entry.format")
    need(
        read_body["version"] > max(ceremony.policy.version, ceremony.narrowed_to), "ceremony.narrowed_before"
    )
    ceremony.narrowed_to = read_body["version"]
    ceremony.removed_keys |= set(read_body["keys"])
    ceremony.removed_members |= set(read_body["members"])
    ceremony.removed_deputies |= set(read_body["deputies"])
    for slot, delegation in list(ceremony.delegations.items()):
        signer, role = slot
        ended = (role, signer) in ceremony.removed_members
        if ended or (role, delegation.said["deputy"]) in ceremony.removed_deputies:
            del ceremony.delegations[slot]


def _guardian(policy: Policy, name: str) -> bool:
    person = name in policy.signers and policy.signers[name].person
    return person and any(role.guardian and name in role.members for role in policy.roles.values())


def _pair(ceremony: Ceremony, body: Mapping[str, Any], kind: str) -> tuple[Statement, Statement | None]:
    """The statement, and of two guardians the first; each verified where its policy is the ceremony's."""
    found = []
    for value in (body["envelope"], body["first"]):
        if value is None:
            continue
        statement = read(envelope(value), kind)
        need(statement.said["organisation"] == ceremony.policy.organisation, "statement.organisation")
        need(statement.said["log"] == ceremony.policy.origin, "statement.log")
        if statement.said["policy"]["version"] == ceremony.policy.version:
            statement = authentic(statement, ceremony.policy)
        found.append(statement)
    return found[0], found[1] if len(found) == 2 else None


_BODY = {"envelope": lambda it: it}


def revoke(ceremony: Ceremony, body: Any, at: int) -> None:
    """A key signs no more."""
    second, first = _pair(ceremony, fields(body, _BODY, {"first": lambda it: it}), "key-revocation/v1")
    key, since = second.said["key"], second.said["since"]
    owner = next((s for s in ceremony.policy.signers.values() if key in {k.id for k in s.keys}), None)
    need(owner is not None, "revocation.signer", "a key that the policy lists")
    assert owner is not None
    need(second.said["since"] <= second.signed_at, "standing.time")
    need(second.signed_at <= at + ceremony.policy.skew, "decision.signed_in_future")
    if first is None:
        need(second.signer == owner.name and second.key != key, "revocation.signer")
    else:
        need(first.said["key"] == key and first.signer != second.signer, "revocation.signer")
        need(first.said["policy"] == second.said["policy"], "revocation.signer")
        if second.key and first.key:
            guards = (_guardian(ceremony.policy, it.signer) for it in (first, second))
            need(all(guards), "revocation.signer")
            need(key not in (first.key, second.key), "revocation.signer")
        need(first.said["since"] <= first.signed_at, "standing.time")
        since = max(since, first.said["since"])
    for it in (first, second):
        need(it is None or it.key not in ceremony.revoked, "key.revoked")
    need(since < ceremony.revoked.get(key, since + 1), "revocation.later")
    ceremony.revoked[key] = since
    for signer, decision in list(ceremony.standing.items()):
        if key in (decision.statement.key, decision.delegated_by) and decision.proved_at >= since:
            _fall(ceremony, signer)
    for slot, delegation in list(ceremony.delegations.items()):
        if delegation.key == key:
            del ceremony.delegations[slot]


def suspend(ceremony: Ceremony, body: Any, at: int) -> None:
    """Somebody does not count for a while."""
    both = {"envelope": lambda it: it, "first": lambda it: it}
    second, first = _pair(ceremony, fields(body, both), "suspension/v1")
    assert first is not None
    person = second.said["person"]
    need(person in ceremony.policy.signers, "suspension.signer")
    need(first.said["person"] == person and first.signer != second.signer, "suspension.signer")
    need(person not in (first.signer, second.signer), "suspension.signer")
    need(first.said["policy"] == second.said["policy"], "suspension.signer")
    if first.key and second.key:
        need(all(_guardian(ceremony.policy, it.signer) for it in (first, second)), "suspension.signer")
    until = min(first.said["until"], second.said["until"])
    for it in (first, second):
        need(it.key not in ceremony.revoked, "key.revoked")
        need(it.signed_at < it.said["until"] <= it.signed_at + 30 * DAY * 1000, "standing.time")
    need(at < until and until > ceremony.suspended.get(person, 0), "suspension.shorter")
    ceremony.suspended[person] = until
    for signer, decision in list(ceremony.standing.items()):
        if person in (signer, decision.member):
            _fall(ceremony, signer)


def _fall(ceremony: Ceremony, signer: str) -> None:
    """Whoever decided may decide again as if for the first time."""
    del ceremony.standing[signer]
    del ceremony.last[signer]
