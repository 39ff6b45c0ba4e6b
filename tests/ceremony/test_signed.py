# SPDX-License-Identifier: Apache-2.0
"""Whose statement it is: the policy names the keys and their schemes, the envelope only hints."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import Cancellation, Context, Decision, PolicyReference, Request
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Scheme
from tests.forging import verdict
from tests.organisation import NOW, Organisation, changed, key_of

ACME = Organisation()
SIGNED = ACME.sign_request()
DECISION = ACME.decision("alice", SIGNED)


def in_context(**fields: object) -> Decision:
    context: Context = replace(DECISION.context, **fields)  # type: ignore[arg-type] # by the caller
    return replace(DECISION, context=context)


def test_a_statement_is_authenticated_by_its_exact_bytes() -> None:
    signed = authenticate(ACME.seal(DECISION), ACME.policy)
    assert signed.statement == DECISION
    assert signed.digest == digest_of(write_statement(DECISION))
    assert signed.signer == "alice"
    assert signed.key.key == ACME.key("alice").public


@pytest.mark.parametrize(
    ("decision", "refusal"),
    [
        (in_context(organisation="other.example"), errors.ForeignOrganisationError),
        (in_context(log="log.other.example"), errors.ForeignLogError),
        (
            in_context(policy=PolicyReference(version=2, digest=ACME.policy.digest)),
            errors.OtherPolicyError,
        ),
        (
            in_context(policy=PolicyReference(version=1, digest="sha256:" + "0" * 64)),
            errors.OtherPolicyError,
        ),
        (in_context(signer="zoe"), errors.UnknownSignerError),
        (in_context(signer="bob"), errors.StatementSignatureError),
        (in_context(signed_at=NOW - timedelta(days=31)), errors.KeyNotValidError),
        (in_context(signed_at=NOW + timedelta(days=365)), errors.KeyNotValidError),
    ],
)
def test_a_statement_of_another_place_is_refused_with_its_own_code(
    decision: Decision, refusal: type[errors.CeremonyError]
) -> None:
    envelope = ACME.seal(decision, key=ACME.key("alice"))
    with pytest.raises(refusal) as refused:
        authenticate(envelope, ACME.policy)
    assert type(refused.value) is refusal


@pytest.mark.parametrize(
    "key_id", ["", "sha256:" + "0" * 64, ACME.key("bob").public.key_id, "\u202e", "x" * 4096]
)
def test_a_key_id_changes_nothing(key_id: str) -> None:
    envelope = replace(ACME.seal(DECISION), key_id=key_id)
    signed = authenticate(envelope, ACME.policy)
    assert (signed.signer, signed.key.key) == ("alice", ACME.key("alice").public)
    forged = replace(ACME.seal(DECISION, key=ACME.key("bob")), key_id=ACME.key("alice").public.key_id)
    with pytest.raises(errors.StatementSignatureError):
        authenticate(forged, ACME.policy)


def test_any_valid_key_of_the_signer_will_do_and_is_the_one_that_is_judged() -> None:
    policy = ACME.build_policy()
    alice = policy.signers["alice"]
    new = key_of("alice's new key")
    keys = (
        replace(alice.keys[0], valid_until=NOW + timedelta(hours=1)),
        SignerKey(key=new.public, valid_from=NOW + timedelta(hours=1), valid_until=NOW + timedelta(days=9)),
    )
    acme = changed(ACME)
    signed = ACME.sign_policy(replace(policy, signers={**policy.signers, "alice": replace(alice, keys=keys)}))
    object.__setattr__(acme, "_signed", signed)
    request = acme.sign_request()
    for hours, key, valid in [
        (0, acme.key("alice"), True),
        (0, new, False),
        (2, new, True),
        (2, acme.key("alice"), False),
    ]:
        at = NOW + timedelta(hours=hours)
        envelope = acme.seal(acme.decision("alice", request, at=at), key=key)
        if valid:
            assert authenticate(envelope, signed).key.key == key.public
        else:
            with pytest.raises(errors.KeyNotValidError):
                authenticate(envelope, signed)


@pytest.mark.parametrize("signer", ["alice", "carol"])
def test_the_scheme_comes_from_the_policy(signer: str) -> None:
    """Each signer's name under each scheme: only the key of the policy, under its own scheme, signs."""
    for scheme in Scheme:
        envelope = ACME.seal(ACME.decision(signer, SIGNED), key=key_of(signer, scheme))
        if key_of(signer, scheme).public == ACME.key(signer).public:
            assert authenticate(envelope, ACME.policy).signer == signer
        else:
            with pytest.raises(errors.StatementSignatureError):
                authenticate(envelope, ACME.policy)


def test_changed_bytes_are_nobodys() -> None:
    envelope = ACME.seal(DECISION)
    changed_bytes = envelope.payload.replace(b"artifacts", b"artefacts")
    with pytest.raises(errors.StatementSignatureError):
        authenticate(replace(envelope, payload=changed_bytes), ACME.policy)


def test_a_statement_is_only_ever_taken_for_what_it_is() -> None:
    chain, _ = ACME.run()
    envelopes = {
        Request: SIGNED.envelope,
        Decision: ACME.seal(DECISION),
        Cancellation: ACME.seal(ACME.cancellation("mallory", chain)),
    }
    for kind, envelope in envelopes.items():
        signed = authenticate(envelope, ACME.policy)
        assert type(signed.statement) is kind
        codes = {
            Request: verdict(partial(signed_as, Request, signed)),
            Decision: verdict(partial(signed_as, Decision, signed)),
            Cancellation: verdict(partial(signed_as, Cancellation, signed)),
        }
        assert codes.pop(kind) == "accepted"
        assert set(codes.values()) == {"statement.format"}
