# SPDX-License-Identifier: Apache-2.0
"""Who joins proves both keys, for one invitation and one certificate request; nothing else is accepted."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from quorumseal.ceremony.enrolment import (
    CODE_BYTES,
    Enrolment,
    code_digest,
    invitation_code,
    read_code,
    read_enrolment,
    require_invited,
    require_new_keys,
    verify_enrolment,
    write_enrolment,
)
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope, PublicKey, Scheme
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import JsonValue
from tests.forging import edited
from tests.newcomer import Newcomer, code_of
from tests.organisation import key_of

DANA = Newcomer(name="dana")
ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


def code_of_refusing(step: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refused:
        step()
    assert refused.value.hint
    return refused.value.code


@pytest.mark.parametrize("scheme", Scheme)
def test_what_both_keys_signed_is_read_back(scheme: Scheme) -> None:
    newcomer = replace(DANA, scheme=scheme)
    assert verify_enrolment(newcomer.envelope) == newcomer.enrolment


def spki_of_small_order() -> str:
    prefix = key_of("any").public.spki[:-32]
    return base64.b64encode(prefix + ORDER_8).decode()


def second_spelling(key: PublicKey) -> str:
    """Return base64 of the same bytes with other bits in its last, unused place."""
    text = base64.b64encode(key.spki).decode()
    assert text.endswith("=")
    last = text.rstrip("=")[-1]
    other = chr(ord(last) + 1)
    changed = text.rstrip("=")[:-1] + other + "=" * (len(text) - len(text.rstrip("=")))
    assert base64.b64decode(changed) == key.spki
    return changed


@dataclass(frozen=True)
class Forged:
    path: tuple[str | int, ...]
    value: JsonValue
    code: str


FORGED: dict[str, Forged] = {
    "another type of statement": Forged(
        ("predicateType",), "https://quorumseal.dev/absence/v1", "statement.newer_format"
    ),
    "a newer format": Forged(("predicate", "format"), 1, "statement.newer_format"),
    "a field too many": Forged(("predicate", "admin"), True, "json.unknown_field"),
    "no certificate request": Forged(("subject",), [], "json.invalid_field"),
    "a subject of another kind": Forged(("subject", 0, "name"), "widget", "json.invalid_field"),
    "a witness key of another scheme": Forged(
        ("predicate", "witness"),
        {
            "scheme": "ecdsa-p256-sha256",
            "spki": base64.b64encode(key_of("dana", Scheme.ECDSA_P256).public.spki).decode(),
        },
        "enrolment.witness_key",
    ),
    "a witness key that is the signing key": Forged(
        ("predicate", "witness"),
        {"scheme": "ed25519", "spki": base64.b64encode(DANA.key.public.spki).decode()},
        "enrolment.witness_key",
    ),
    "a signing key of small order": Forged(
        ("predicate", "key", "spki"), spki_of_small_order(), "key.small_order"
    ),
    "a witness key of small order": Forged(
        ("predicate", "witness", "spki"), spki_of_small_order(), "key.small_order"
    ),
    "a key in raw base64": Forged(
        ("predicate", "key", "spki"), base64.b64encode(DANA.key.public.raw).decode(), "key.malformed"
    ),
    "an instant in another spelling": Forged(
        ("predicate", "signed_at"), "2026-11-20T14:00:01Z", "value.format"
    ),
    "a name in capitals": Forged(("predicate", "signer"), "Dana", "value.format"),
}


@pytest.mark.parametrize("case", FORGED.values(), ids=FORGED)
def test_no_other_enrolment_is_read(case: Forged) -> None:
    with pytest.raises(Refusal) as refused:
        read_enrolment(edited(write_enrolment(DANA.enrolment), case.path, case.value))
    assert refused.value.code == case.code


def test_a_key_has_one_spelling_even_inside_base64() -> None:
    p256 = replace(DANA, scheme=Scheme.ECDSA_P256)
    path = ("predicate", "key", "spki")
    forged = edited(write_enrolment(p256.enrolment), path, second_spelling(p256.key.public))
    assert code_of_refusing(lambda: read_enrolment(forged)) == "statement.format"


def test_an_enrolment_has_one_spelling() -> None:
    assert code_of_refusing(lambda: read_enrolment(write_enrolment(DANA.enrolment) + b" ")) == (
        "statement.format"
    )


def signed_by(*keys: str) -> JointEnvelope:
    makers = {"signing": DANA.key, "witness": DANA.witness, "stranger": key_of("stranger")}
    return JointEnvelope.of(sign(write_enrolment(DANA.enrolment), makers[key]) for key in keys)


@pytest.mark.parametrize(
    "keys",
    [
        ("signing",),
        ("witness",),
        ("signing", "stranger"),
        ("witness", "stranger"),
        ("signing", "witness", "stranger"),
    ],
    ids=" and ".join,
)
def test_each_key_signs_once_and_no_other_does(keys: tuple[str, ...]) -> None:
    assert code_of_refusing(lambda: verify_enrolment(signed_by(*keys))) == "enrolment.not_both_keys"


INVITED: dict[str, tuple[Newcomer, str]] = {
    "for another person": (replace(DANA, name="dan", code=code_of("dana")), "enrolment.other_invitation"),
    "for another organisation": (replace(DANA, organisation="evil"), "enrolment.other_invitation"),
    "by another invitation": (DANA.by(code_of("dan")), "enrolment.other_invitation"),
}


@pytest.mark.parametrize(("newcomer", "code"), INVITED.values(), ids=INVITED)
def test_an_enrolment_is_for_one_invitation(newcomer: Newcomer, code: str) -> None:
    assert code_of_refusing(lambda: invited(newcomer.enrolment, newcomer.request)) == code


def test_an_enrolment_is_for_one_certificate_request() -> None:
    assert code_of_refusing(lambda: invited(DANA.enrolment, b"another")) == "enrolment.other_request"
    invited(DANA.enrolment, DANA.request)


def invited(enrolment: Enrolment, request: bytes) -> None:
    require_invited(
        enrolment,
        organisation="acme.example",
        signer="dana",
        code=code_of("dana"),
        certificate_request=request,
    )


@pytest.mark.parametrize("key", [DANA.key.public, DANA.witness.public], ids=["signing", "witness"])
def test_a_key_that_somebody_has_is_refused_however_it_was_written(key: PublicKey) -> None:
    raw = PublicKey.from_raw(Scheme.ED25519, key.raw)
    pem = PublicKey.from_pem(key.to_pem())
    require_new_keys(DANA.enrolment, {})
    for spelled in (raw, pem):
        refusal = code_of_refusing(partial(require_new_keys, DANA.enrolment, {spelled: "a key of erin"}))
        assert refusal == "key.taken"


def test_a_code_has_128_bits_in_groups_that_can_be_read_aloud() -> None:
    code = invitation_code(bytes(range(CODE_BYTES)))
    assert code == "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f"
    assert read_code(f"  {code.upper()}\n") == code
    assert code not in code_digest(code)
    with pytest.raises(ValueError, match="16 random bytes"):
        invitation_code(b"short")


@pytest.mark.parametrize(
    "text", ["", "0001", "0001-0203-0405-0607-0809-0a0b-0c0d-0e0", "g" * 39, "0" * 32, "0001-" * 8]
)
def test_what_is_no_code_is_not_repeated(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_code(text)
    assert refused.value.code == "invitation.malformed"
    assert not text or text not in str(refused.value)
