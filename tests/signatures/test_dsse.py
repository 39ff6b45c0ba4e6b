# SPDX-License-Identifier: Apache-2.0
"""An envelope carries one payload and one signature in one spelling; its keyid decides nothing."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal import strict_json
from quorumseal.refusal import Refusal
from quorumseal.signatures import (
    PAYLOAD_TYPE,
    BadSignatureError,
    Base64Error,
    Ed25519PrivateKey,
    Envelope,
    JointEnvelope,
    P256PrivateKey,
    PrivateKey,
    PublicKey,
    Scheme,
    dsse,
)
from quorumseal.strict_json import JsonValue

ALICE: PrivateKey = Ed25519PrivateKey(b"\x01" * 32)
BOB: PrivateKey = Ed25519PrivateKey(b"\x02" * 32)
CAROL: PrivateKey = P256PrivateKey(b"\x03" * 32)
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
ENVELOPE = dsse.sign(PAYLOAD, ALICE)


@pytest.mark.parametrize(
    ("payload_type", "payload", "encoded"),
    [
        (
            "http://example.com/HelloWorld",
            b"hello world",
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        ),
        ("", b"", b"DSSEv1 0  0 "),
        ("\u00e9", "\u00fc".encode(), b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"),
        ("a", bytes(10), b"DSSEv1 1 a 10 " + bytes(10)),
    ],
    ids=["of the specification", "empty", "lengths in bytes, not letters", "NUL bytes"],
)
def test_the_bytes_that_are_signed_are_those_of_the_specification(
    payload_type: str, payload: bytes, encoded: bytes
) -> None:
    assert dsse.pae(payload_type, payload) == encoded


def test_the_signature_in_the_specification_verifies() -> None:
    # The specification's example has r and s bare (raw ECDSA); here they are put into DER.
    x = 46950820868899156662930047687818585632848591499744589407958293238635476079160
    y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
    bare = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    key = PublicKey.from_raw(Scheme.ECDSA_P256, b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    signature = b"\x30\x44\x02\x20" + bare[:32] + b"\x02\x20" + bare[32:]
    key.verify(signature, dsse.pae("http://example.com/HelloWorld", b"hello world"))


@given(st.text(max_size=8), st.binary(max_size=8), st.text(max_size=8), st.binary(max_size=8))
def test_two_different_pairs_never_give_the_same_bytes(a: str, b: bytes, c: str, d: bytes) -> None:
    assert (dsse.pae(a, b) == dsse.pae(c, d)) == ((a, b) == (c, d))


@pytest.mark.parametrize("key", [ALICE, CAROL], ids=["ed25519", "ecdsa-p256-sha256"])
@given(payload=st.binary(max_size=200))
def test_what_is_sealed_can_be_sent_read_and_verified(key: PrivateKey, payload: bytes) -> None:
    sealed = dsse.sign(payload, key)
    received = Envelope.read(strict_json.write(sealed.to_json()))
    assert received == sealed
    assert received.verify(key.public) == payload


def test_an_envelope_already_parsed_is_read_from_its_value() -> None:
    assert Envelope.read(ENVELOPE.to_json(), where="entry.envelope") == ENVELOPE


def test_the_signature_covers_the_payload_type() -> None:
    with pytest.raises(BadSignatureError):
        replace(ENVELOPE, signature=ALICE.sign(dsse.pae("text/plain", PAYLOAD))).verify(ALICE.public)
    with pytest.raises(BadSignatureError):
        replace(ENVELOPE, signature=ALICE.sign(PAYLOAD)).verify(ALICE.public)


KEY_IDS = {
    "stripped": "",
    "of another key": BOB.public.key_id,
    "of a key of another scheme": CAROL.public.key_id,
    "a name": "alice",
    "upper case": ALICE.public.key_id.upper(),
    "controls and bidi": "\x1b[2J\u202e",
    "very long": "x" * dsse.MAX_KEY_ID,
}


@pytest.mark.parametrize("key_id", KEY_IDS.values(), ids=KEY_IDS)
def test_the_key_id_never_changes_the_result(key_id: str) -> None:
    envelope = Envelope.read(strict_json.write(replace(ENVELOPE, key_id=key_id).to_json()))
    assert envelope.key_id == key_id
    assert envelope.verify(ALICE.public) == PAYLOAD
    for other in (BOB, CAROL):
        with pytest.raises(BadSignatureError):
            envelope.verify(other.public)


def test_a_key_id_shuffled_between_two_envelopes_changes_nothing() -> None:
    other = dsse.sign(PAYLOAD, BOB)
    assert replace(ENVELOPE, key_id=other.key_id).verify(ALICE.public) == PAYLOAD
    assert replace(other, key_id=ENVELOPE.key_id).verify(BOB.public) == PAYLOAD
    with pytest.raises(BadSignatureError):
        replace(other, key_id=ENVELOPE.key_id).verify(ALICE.public)


Change = Callable[[dict[str, Any]], object]

REFUSED: list[tuple[str, Change, str]] = [
    ("no payload type", lambda e: e.pop("payloadType"), "json.missing_field"),
    ("another payload type", lambda e: e.update(payloadType="text/plain"), "envelope.payload_type"),
    ("the type in capitals", lambda e: e.update(payloadType=PAYLOAD_TYPE.upper()), "envelope.payload_type"),
    (
        "a type with a parameter",
        lambda e: e.update(payloadType=PAYLOAD_TYPE + ";v=1"),
        "envelope.payload_type",
    ),
    ("a payload type that is no text", lambda e: e.update(payloadType=1), "json.invalid_field"),
    ("no payload", lambda e: e.pop("payload"), "json.missing_field"),
    ("a payload as object", lambda e: e.update(payload={}), "json.invalid_field"),
    ("no signatures", lambda e: e.pop("signatures"), "json.missing_field"),
    ("signatures as object", lambda e: e.update(signatures=e["signatures"][0]), "json.invalid_field"),
    ("an empty list of signatures", lambda e: e.update(signatures=[]), "envelope.signature_count"),
    (
        "the same signature twice",
        lambda e: e.update(signatures=e["signatures"] * 2),
        "envelope.signature_count",
    ),
    ("a second signature", lambda e: e["signatures"].append({"sig": "AA=="}), "envelope.signature_count"),
    ("a signature as text", lambda e: e.update(signatures=["AA=="]), "json.invalid_field"),
    ("a signature without sig", lambda e: e["signatures"][0].pop("sig"), "json.missing_field"),
    ("a keyid that is null", lambda e: e["signatures"][0].update(keyid=None), "json.invalid_field"),
    ("a keyid too long", lambda e: e["signatures"][0].update(keyid="x" * 257), "json.invalid_field"),
    ("a scheme in the envelope", lambda e: e["signatures"][0].update(scheme="none"), "json.unknown_field"),
    ("a certificate in the envelope", lambda e: e["signatures"][0].update(cert="…"), "json.unknown_field"),
    ("a field that nobody knows", lambda e: e.update(note=""), "json.unknown_field"),
]


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_envelope_of_another_shape_is_refused(change: Change, code: str) -> None:
    value = cast("dict[str, Any]", ENVELOPE.to_json())
    change(value)
    with pytest.raises(Refusal) as refusal:
        Envelope.read(value)
    assert refusal.value.code == code
    assert str(refusal.value).startswith("envelope.")


@pytest.mark.parametrize("source", [[], "text", None, 1], ids=["list", "text", "null", "number"])
def test_what_is_no_object_is_no_envelope(source: JsonValue) -> None:
    with pytest.raises(Refusal, match="envelope: expected an object"):
        Envelope.read(source)


def test_an_envelope_in_bytes_is_read_by_the_strict_reader() -> None:
    twice = strict_json.write(ENVELOPE.to_json()).replace(b'"payload":', b'"payload":"AA==","payload":')
    with pytest.raises(Refusal) as refusal:
        Envelope.read(twice)
    assert refusal.value.code == "json.duplicate_key"


OTHER_BASE64 = {
    "no padding": "QQ",
    "half of the padding": "QQ=",
    "too much padding": "QQ===",
    "padding where none is due": "QUJD=",
    "padding in the middle": "QQ==QQ==",
    "only padding": "====",
    "bits set that nobody reads": "QR==",
    "more such bits": "QUJ=",
    "one letter": "Q",
    "a blank inside": "QU JD",
    "a line break at the end": "QUJD\n",
    "a blank in front": " QUJD",
    "the letters of base64url": "__-_",
    "a letter that base64 does not have": "QU*D",
    "a letter that is not ASCII": "QUJ\u00e9",
    "a full-width letter": "QUJ\uff24",
    "a NUL": "QUJ\x00",
}


@pytest.mark.parametrize("field", ["payload", "sig"])
@pytest.mark.parametrize("text", OTHER_BASE64.values(), ids=OTHER_BASE64)
def test_base64_in_another_spelling_is_refused(text: str, field: str) -> None:
    value = cast("dict[str, Any]", ENVELOPE.to_json())
    (value if field == "payload" else value["signatures"][0])[field] = text
    with pytest.raises(Base64Error) as refusal:
        Envelope.read(value)
    assert refusal.value.code == "envelope.base64"
    assert f"{field}: expected canonical base64" in str(refusal.value)


@given(st.binary(max_size=60))
def test_every_length_of_payload_and_signature_has_its_one_spelling(data: bytes) -> None:
    envelope = Envelope(payload=data, signature=data)
    assert Envelope.read(envelope.to_json()) == envelope


JOINT = JointEnvelope.of(dsse.sign(PAYLOAD, key) for key in (ALICE, BOB, CAROL))


def test_what_several_sign_is_written_once_and_each_signature_verifies_alone() -> None:
    written = strict_json.write(JOINT.to_json())
    assert written.count(base64.b64encode(PAYLOAD)) == 1
    received = JointEnvelope.read(written)
    assert received == JOINT
    keys = {key.public.key_id: key.public for key in (ALICE, BOB, CAROL)}
    assert {e.key_id for e in received.envelopes if e.verify(keys[e.key_id]) == PAYLOAD} == keys.keys()


def test_the_order_in_which_several_signed_changes_no_byte() -> None:
    assert JointEnvelope.of(JOINT.envelopes[::-1]) == JOINT


def test_signatures_over_different_payloads_cannot_be_joined() -> None:
    for envelopes in ([], [ENVELOPE, dsse.sign(b"{}", BOB)]):
        with pytest.raises(ValueError, match="one payload"):
            JointEnvelope.of(envelopes)


JOINT_REFUSED: dict[str, tuple[Change, str]] = {
    "nobody signed": (lambda e: e.update(signatures=[]), "envelope.signature_count"),
    "more signatures than anybody counts": (
        lambda e: e.update(signatures=e["signatures"] * 400), "envelope.signature_count",
    ),
    "a signature twice": (lambda e: e["signatures"].append(e["signatures"][-1]), "envelope.signature_order"),
    "a signature twice under two hints": (
        lambda e: e["signatures"].append({**e["signatures"][-1], "keyid": "zz"}), "envelope.signature_order",
    ),
    "another order": (lambda e: e["signatures"].reverse(), "envelope.signature_order"),
    "a payload for each": (lambda e: e["signatures"][0].update(payload="AA=="), "json.unknown_field"),
    "a hint too long": (lambda e: e["signatures"][0].update(keyid="x" * 257), "json.invalid_field"),
    "an envelope inside": (lambda e: e.update(envelopes=[]), "json.unknown_field"),
}  # fmt: skip


@pytest.mark.parametrize("case", JOINT_REFUSED)
def test_a_joint_envelope_has_one_spelling(case: str) -> None:
    change, code = JOINT_REFUSED[case]
    value = cast("dict[str, Any]", JOINT.to_json())
    change(value)
    with pytest.raises(Refusal) as refusal:
        JointEnvelope.read(value)
    assert refusal.value.code == code


def test_a_signature_twice_cannot_be_joined() -> None:
    with pytest.raises(Refusal, match="ascend, each once"):
        JointEnvelope.of([ENVELOPE, ENVELOPE])
