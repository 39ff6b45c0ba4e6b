# SPDX-License-Identifier: Apache-2.0
"""How quorums were miscounted elsewhere, each as a test by its name: people count, nothing else does.

Every test builds the situation whole (policy, signed bytes, entries) and lets the rules judge it.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import utils

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statements import Decision
from quorumseal.signatures import MalformedKeyError, PublicKey, Scheme
from tests.organisation import NOW, ROLES, Organisation, changed, key_of

ACME = Organisation()
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def approve(chain: Chain, signer: str, organisation: Organisation = ACME, **fields: object) -> Chain:
    decision = replace(organisation.decision(signer, chain.ceremony.request), **fields)  # type: ignore[arg-type]
    return extend(chain, Record(organisation.sign_decision(decision)), at=NOW)[0]


def test_one_key_under_two_ids_is_no_policy() -> None:
    policy = ACME.build_policy()
    alice = policy.signers["alice"].keys[0]
    twin = SignerKey(key=alice.key, valid_from=NOW, valid_until=NOW + timedelta(days=1))
    for owner in ("alice", "bob"):
        signer = policy.signers[owner]
        with pytest.raises(errors.PolicyError, match="expected it once"):
            replace(
                policy,
                signers={**policy.signers, owner: replace(signer, keys=(*signer.keys, twin))},
            )


def test_one_key_under_two_schemes_is_no_key() -> None:
    spki = key_of("alice").public.spki
    with pytest.raises(MalformedKeyError, match="one ecdsa-p256-sha256 key"):
        PublicKey.enrol(Scheme.ECDSA_P256, spki)


def test_two_keys_of_one_person_count_once() -> None:
    policy = ACME.build_policy()
    alice = policy.signers["alice"]
    second = key_of("alice's second key")
    keys = (*alice.keys, replace(alice.keys[0], key=second.public))
    signed = ACME.sign_policy(replace(policy, signers={**policy.signers, "alice": replace(alice, keys=keys)}))
    acme = changed(ACME)
    object.__setattr__(acme, "_signed", signed)
    chain, _ = acme.run("alice")
    again = acme.decision("alice", chain.ceremony.request, at=NOW + timedelta(seconds=1))
    other_key = signed_as(Decision, authenticate(acme.seal(again, key=second), signed))
    assert other_key.key.key == second.public
    with pytest.raises(errors.ReplacesError):
        extend(chain, Record(other_key), at=NOW + timedelta(minutes=1))
    replacing = replace(again, replaces=chain.ceremony.decisions["alice"].digest)
    replaced = signed_as(Decision, authenticate(acme.seal(replacing, key=second), signed))
    chain, _ = extend(chain, Record(replaced), at=NOW + timedelta(minutes=1))
    assert chain.ceremony.tally(at=NOW).seats["engineering"] == ("alice",)


def test_the_same_signature_repeated_counts_once() -> None:
    chain, _ = ACME.run("alice")
    standing = chain.ceremony.decisions["alice"]
    assert extend(chain, Record(standing), at=NOW + timedelta(minutes=2)) == (chain, ())


def test_the_other_signature_of_the_same_bytes_counts_once() -> None:
    """ECDSA has a second valid S for every R: anybody can make it, without the key."""
    chain, _ = ACME.run("carol")
    standing = chain.ceremony.decisions["carol"]
    r, s = utils.decode_dss_signature(standing.envelope.signature)
    twin = replace(standing.envelope, signature=utils.encode_dss_signature(r, P256_ORDER - s))
    again = signed_as(Decision, authenticate(twin, ACME.policy))
    assert again.envelope.signature != standing.envelope.signature
    assert extend(chain, Record(again), at=NOW + timedelta(minutes=2)) == (chain, ())


def test_a_threshold_of_0_is_no_policy() -> None:
    with pytest.raises(errors.PolicyError, match="a threshold of 1 to 64"):
        changed(ACME, quorum={"engineering": 0}).build_policy()


def test_an_empty_role_is_no_policy() -> None:
    with pytest.raises(errors.PolicyError, match="at least one member"):
        changed(ACME, roles={**ROLES, "security": ()}).build_policy()


def test_a_rule_without_roles_is_no_policy() -> None:
    with pytest.raises(errors.PolicyError, match="at least one role"):
        changed(ACME, quorum={}).build_policy()


def test_a_namesake_is_another_person() -> None:
    roles = {**ROLES, "engineering": ("alice", "alice.b", "erin")}
    acme = changed(ACME, roles=roles, quorum={"engineering": 2})
    chain = open_chain(acme.policy, acme.sign_request(), at=NOW)[0]
    chain = approve(chain, "alice", acme)
    stolen = replace(acme.decision("alice.b", chain.ceremony.request))
    with pytest.raises(errors.StatementSignatureError, match=r"a key of alice\.b"):
        authenticate(acme.seal(stolen, key=acme.key("alice")), acme.policy)
    assert approve(chain, "alice.b", acme).ceremony.state is State.APPROVED


def test_a_person_in_two_roles_fills_one_of_them() -> None:
    roles = {"engineering": ("bob", "erin"), "security": ("bob", "carol"), "managers": ("mallory",)}
    acme = changed(ACME, roles=roles, quorum={"engineering": 1, "security": 1})
    chain, _ = acme.run("bob")
    assert chain.ceremony.state is State.OPEN
    assert chain.ceremony.tally(at=NOW).awaited == ("carol", "erin")
    for other in ("carol", "erin"):
        assert approve(chain, other, acme).ceremony.state is State.APPROVED


def test_an_unknown_role_counts_nowhere() -> None:
    chain, _ = ACME.run()
    for role in ("audit", "managers"):
        with pytest.raises(errors.UnknownRoleError):
            approve(chain, "alice", roles=frozenset({"engineering", role}))


def test_a_role_that_somebody_does_not_hold_counts_nowhere() -> None:
    chain, _ = ACME.run()
    with pytest.raises(errors.NotAMemberError):
        approve(chain, "alice", roles=frozenset({"release"}))


def test_roles_are_not_nested() -> None:
    """A role that has the name of another role as its member holds nobody of it."""
    policy = ACME.build_policy()
    nested = replace(policy.roles["engineering"], members=frozenset({"alice", "security"}))
    with pytest.raises(errors.PolicyError, match="members of the roster, got 'security'"):
        replace(policy, roles={**policy.roles, "engineering": nested})


def test_an_approval_under_a_key_of_another_member_is_nobodys() -> None:
    chain, _ = ACME.run()
    decision = ACME.decision("alice", chain.ceremony.request)
    for thief in ("bob", "carol", "mallory"):
        with pytest.raises(errors.StatementSignatureError):
            authenticate(ACME.seal(decision, key=ACME.key(thief)), ACME.policy)


def test_silence_is_never_consent() -> None:
    chain, _ = ACME.run("alice", "bob", "carol")
    assert chain.ceremony.state is State.OPEN
    assert chain.ceremony.tally(at=NOW).awaited == ("dan", "rita")


def test_everybody_who_never_counts_is_not_enough_together() -> None:
    request = ACME.sign_request(ACME.request(requester="rita"))
    chain, _ = ACME.run("alice", "bob", "carol", request=request)
    with pytest.raises(errors.RequesterDecidesError):
        approve(chain, "rita")
    assert chain.ceremony.state is State.OPEN
    assert approve(chain, "dan").ceremony.state is State.APPROVED
