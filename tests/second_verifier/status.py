# SPDX-License-Identifier: Apache-2.0
"""The status file (docs/spec/verification.md, step 9)."""

from typing import Any

from tests.second_verifier import keys, values
from tests.second_verifier.chaining import Chain, walk
from tests.second_verifier.envelopes import envelope, in_toto
from tests.second_verifier.policy import Policy
from tests.second_verifier.reading import exactly, fields, items, strict, text
from tests.second_verifier.refusing import Refused, need
from tests.second_verifier.statements import authentic, read
from tests.second_verifier.verifying import Held, Terms, Trust, hold, holds

FORMAT = "status.format"


def apply(held: Held, trust: Trust, terms: Terms, standing: str) -> None:
    """Refuse what the status takes back."""
    if terms.status is None:
        need(trust.status_max_age is None, "status.missing")
        return
    signed = envelope(strict(terms.status, at_most=64 << 20))
    kind, subjects, predicate = in_toto(signed.payload, at_most=64 << 20)
    need(kind == "https://quorumseal.dev/status/v1", FORMAT)
    said = fields(
        predicate,
        {
            "format": exactly(0, FORMAT),
            "at": values.instant,
            "organisation": values.name,
            "log": values.origin,
            "lapsed": items(values.digest),
            "revocations": items(text),
        },
        {"keys": items(_key, 1), "policies": items(lambda it: it, 1, 256)},
    )
    newest = held.chain.policies[-1]
    chain = held.chain
    if said["policies"] is not None:
        chain = walk(said["policies"], trust)
        for ours, theirs in zip(held.chain.policies, chain.policies, strict=False):
            need(ours.digest == theirs.digest, "policy_chain.forked")
    if len(chain.policies) > len(held.chain.policies):
        newest = chain.policies[-1]
    need(said["organisation"] == newest.organisation and said["log"] == newest.origin, FORMAT)
    need(len(subjects) == 1 and subjects[0].name == "log", FORMAT)
    need(subjects[0].digest == values.sha256(newest.origin.encode()), FORMAT)
    by_log = keys.signed(keys.ED25519, newest.log_keys[-1].spki, signed.signed, signed.signatures[0])
    need(by_log, "statement.signature")
    need(terms.now is not None or trust.status_max_age is None, "status.stale")
    if terms.now is not None:
        need(said["at"] <= terms.now + newest.skew, "status.stale")
        need(trust.status_max_age is None or terms.now - said["at"] <= trust.status_max_age, "status.stale")
    _revocations(said["revocations"], held, trust)
    first = held.judged[0].ceremony
    if standing == "provisional":
        need(first.request.digest not in said["lapsed"], "provisional.lapsed")
    fallen: dict[str, int] = {}
    for item in said["keys"] or ():
        key, since = _revoked(item, chain, held.chain)
        fallen[key] = min(since, fallen.get(key, since))
    need(not fallen or holds(held, fallen), "revoked.key")


def _key(value: Any) -> dict[str, Any]:
    return fields(value, {"envelope": lambda it: it}, {"first": lambda it: it})


def _revocations(given: tuple[str, ...], held: Held, trust: Trust) -> None:
    first = held.judged[0].ceremony
    for data in given:
        found = hold(data.encode(), trust)
        ceremony = found.judged[0].ceremony
        need(ceremony.said["kind"] == "release-revocation" and not found.unlogged, "revocation.other")
        same = all(ceremony.said[name] == first.said[name] for name in ("product", "version"))
        taken = "sha256:" + ceremony.said["subjects"][0]["digest"]["sha256"]
        if taken in {it.ceremony.request.digest for it in held.judged}:
            raise Refused("revoked.release" if same else "revocation.other")


def _revoked(item: dict[str, Any], *chains: Chain) -> tuple[str, int]:
    found = []
    for value in (item["first"], item["envelope"]):
        if value is None:
            continue
        statement = read(envelope(value), "key-revocation/v1")
        policy = _policy(statement.said["policy"], chains)
        found.append((authentic(statement, policy), policy))
    key = found[0][0].said["key"]
    need(all(statement.said["key"] == key for statement, _ in found), "revocation.signer")
    for statement, _ in found:
        need(statement.said["since"] <= statement.signed_at, "standing.time")
    if len(found) == 1:
        statement, policy = found[0]
        mine = {own.id for own in policy.signers[statement.signer].keys}
        every = {
            own.id
            for chain in chains
            for version in chain.policies
            if statement.signer in version.signers
            for own in version.signers[statement.signer].keys
        }
        need(key in mine | every and statement.key != key, "revocation.signer")
    else:
        (one, policy), (other, also) = found
        need(policy.digest == also.digest and one.signer != other.signer, "revocation.signer")
        for statement in (one, other):
            guards = any(role.guardian and statement.signer in role.members for role in policy.roles.values())
            need(guards and policy.signers[statement.signer].person, "revocation.signer")
            need(statement.key != key, "revocation.signer")
    return str(key), max(statement.said["since"] for statement, _ in found)


def _policy(pin: Any, chains: tuple[Chain, ...]) -> Policy:
    for chain in chains:
        for policy in chain.policies:
            if (policy.version, policy.digest) == (pin["version"], pin["digest"]):
                return policy
    raise Refused("statement.policy")
