# SPDX-License-Identifier: Apache-2.0
"""The signed form of a policy: one spelling, every field known, signed by its own governance quorum."""

import base64
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.errors import NewerFormatError, PolicyError, PolicyUnsignedError
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.policy_document import (
    SignedPolicy,
    genesis_previous,
    read_policy,
    signed_policy,
    write_policy,
)
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope, MalformedKeyError, PrivateKey, SmallOrderKeyError
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import InvalidFieldError, JsonValue, UnknownFieldError, read
from tests.forging import Path, edited, fields, objects, paths, value_at, verdict, without
from tests.organisation import NOW, Organisation, key_of

ACME = Organisation(p256=frozenset({"carol"}), checks=frozenset({"artifacts", "changelog"}))
POLICY = ACME.build_policy()
DOCUMENT = write_policy(POLICY)
ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")


def spki_text(raw: bytes) -> str:
    return base64.b64encode(ED25519_HEAD + raw).decode()


def test_a_policy_makes_the_round_trip() -> None:
    assert read_policy(DOCUMENT) == POLICY
    assert write_policy(read_policy(DOCUMENT)) == DOCUMENT


def test_version_1_names_the_organisation_as_the_version_before() -> None:
    assert POLICY.previous == genesis_previous("acme.example") == digest_of(b"acme.example")


@pytest.mark.parametrize("path", objects(DOCUMENT), ids=str)
def test_an_unknown_field_is_refused_wherever_it_stands(path: Path) -> None:
    with pytest.raises((UnknownFieldError, InvalidFieldError), match="nobody_knows_this"):
        read_policy(edited(DOCUMENT, (*path, "nobody_knows_this"), 1))


@pytest.mark.parametrize("path", fields(DOCUMENT), ids=str)
def test_no_field_can_be_left_out(path: Path) -> None:
    with pytest.raises(Refusal, match="without it"):
        read_policy(without(DOCUMENT, path))


@pytest.mark.parametrize("path", [p for p in paths(DOCUMENT) if p], ids=str)
def test_a_value_of_another_type_is_a_refusal_and_nothing_else(path: Path) -> None:
    stands = value_at(read(DOCUMENT), path)
    others: list[JsonValue] = [None, True, -1, 2**53 - 1, "", "\u00e9", [], {}, [[]], ["x", "x"]]
    for other in others:
        if type(other) is not type(stands):
            with pytest.raises(Refusal):
                read_policy(edited(DOCUMENT, path, other))


PREDICATE: Path = ("predicate",)
ENGINEERING: Path = ("predicate", "roles", 0)
ALICE_KEY: Path = ("predicate", "signers", 0, "keys", 0)

MALFORMED: dict[str, tuple[Path, JsonValue, str]] = {
    "another kind of document": (("_type",), "https://in-toto.io/Statement/v2", "json.invalid_field"),
    "a newer predicate": (("predicateType",), "https://quorumseal.dev/policy/v2", "statement.newer_format"),
    "a newer format": ((*PREDICATE, "format"), 1, "statement.newer_format"),
    "no version before": (("subject",), [], "json.invalid_field"),
    "another subject": (("subject", 0, "name"), "policy", "json.invalid_field"),
    "a digest that is none": (("subject", 0, "digest", "sha256"), "00", "value.format"),
    "version 0": ((*PREDICATE, "version"), 0, "json.invalid_field"),
    "an origin with a space": ((*PREDICATE, "log", "origin"), "log acme", "value.format"),
    "an origin with a plus": ((*PREDICATE, "log", "origin"), "log+acme", "value.format"),
    "a skew beyond the limit": ((*PREDICATE, "clock_skew_seconds"), 601, "policy.invalid"),
    "a duration of centuries": ((*PREDICATE, "clock_skew_seconds"), 2**40, "json.invalid_field"),
    "a member listed twice": ((*ENGINEERING, "members"), ["alice", "alice", "bob"], "json.invalid_field"),
    "members out of order": ((*ENGINEERING, "members"), ["bob", "alice", "erin"], "policy.invalid"),
    "an unknown kind of signer": ((*PREDICATE, "signers", 0, "kind"), "robot", "json.invalid_field"),
    "an unknown scheme": ((*ALICE_KEY, "scheme"), "rsa", "json.invalid_field"),
    "a key that is no base64": ((*ALICE_KEY, "spki"), "é", "json.invalid_field"),
    "a key of another length": ((*ALICE_KEY, "spki"), spki_text(b"\x01" * 31), "key.malformed"),
    "a key of small order": ((*ALICE_KEY, "spki"), spki_text(b"\x01" + bytes(31)), "key.small_order"),
    "a key written in another way": ((*ALICE_KEY, "spki"), spki_text(b"\xff" * 32), "key.not_canonical"),
    "a name in capitals": ((*PREDICATE, "signers", 0, "name"), "Alice", "value.format"),
    "an authority that is no digest": ((*PREDICATE, "authorities"), ["ca"], "value.format"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_policy_is_refused_with_its_own_code(case: str) -> None:
    path, value, code = MALFORMED[case]
    assert verdict(lambda: read_policy(edited(DOCUMENT, path, value))) == code


WORKING = (*PREDICATE, "rules", 0, "deadline_working")


def with_working(text: JsonValue) -> bytes:
    return edited(without(DOCUMENT, (*PREDICATE, "rules", 0, "deadline_seconds")), WORKING, text)


@pytest.mark.parametrize("text", ["1bd", "3bd", "40bh"])
def test_a_deadline_in_working_time_is_signed_as_it_is_written(text: str) -> None:
    policy = read_policy(with_working(text))
    assert str(policy.rules["standard"].deadline) == text
    assert write_policy(policy) == with_working(text)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (with_working("3d"), "json.invalid_field"),
        (with_working("03bd"), "value.format"),
        (with_working("30bd"), "policy.invalid"),
        (with_working(3), "json.invalid_field"),
        (edited(DOCUMENT, WORKING, "3bd"), "json.unknown_field"),
    ],
    ids=["by the clock", "another spelling", "longer than the longest", "a number", "both"],
)
def test_another_deadline_in_working_time_is_refused(document: bytes, code: str) -> None:
    assert verdict(lambda: read_policy(document)) == code


@pytest.mark.parametrize("path", [(*PREDICATE, table) for table in ("signers", "roles", "rules", "products")])
def test_nothing_is_named_twice(path: Path) -> None:
    items = value_at(read(DOCUMENT), path)
    assert isinstance(items, list)
    with pytest.raises(PolicyError, match=r"twice|got a second one"):
        read_policy(edited(DOCUMENT, path, [*items, items[0]]))


KEY_TEXT = str(value_at(read(DOCUMENT), (*ALICE_KEY, "spki")))
STRAY_BITS = KEY_TEXT[:-2] + chr(ord(KEY_TEXT[-2]) + 1) + "="
SPELLINGS = {
    "white space": DOCUMENT + b"\n",
    "an escape that is not needed": DOCUMENT.replace(b"acme.example", b"acme\\u002eexample", 1),
    "fields in another order": b'{"subject":'
    + DOCUMENT.split(b'"subject":')[1][:-1]
    + b","
    + DOCUMENT.split(b',"subject":')[0][1:]
    + b"}",
    "base64 with stray bits": edited(DOCUMENT, (*ALICE_KEY, "spki"), STRAY_BITS),
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_bytes_that_are_not_canonical_are_refused(case: str) -> None:
    assert SPELLINGS[case] != DOCUMENT
    assert base64.b64decode(STRAY_BITS) == base64.b64decode(KEY_TEXT)
    with pytest.raises(PolicyError, match="written canonically"):
        read_policy(SPELLINGS[case])


def test_a_p256_key_is_not_an_ed25519_key_whatever_its_label() -> None:
    for number, name in enumerate(sorted(POLICY.signers)):
        other = "ed25519" if name == "carol" else "ecdsa-p256-sha256"
        with pytest.raises(MalformedKeyError):
            read_policy(edited(DOCUMENT, ("predicate", "signers", number, "keys", 0, "scheme"), other))


def test_a_key_of_small_order_is_refused_at_enrolment() -> None:
    with pytest.raises(SmallOrderKeyError):
        read_policy(edited(DOCUMENT, (*ALICE_KEY, "spki"), spki_text(bytes(32))))


def signed_by(*keys: PrivateKey, document: bytes = DOCUMENT) -> SignedPolicy:
    return signed_policy(JointEnvelope.of(sign(document, key) for key in keys))


def test_a_policy_signed_by_its_governance_quorum_names_who_signed() -> None:
    policy = signed_by(ACME.key("carol"), ACME.key("alice"))
    assert policy.signers == ("alice", "carol")
    assert policy.digest == digest_of(DOCUMENT)
    assert policy.policy == POLICY


def test_a_policy_short_of_its_governance_says_who_is_missing() -> None:
    with pytest.raises(PolicyUnsignedError, match="engineering needs one more: alice, bob or erin"):
        signed_by(ACME.key("carol"))


def test_a_signature_by_a_stranger_is_refused_even_beside_a_quorum() -> None:
    with pytest.raises(PolicyUnsignedError, match="by none of them"):
        signed_by(ACME.key("alice"), ACME.key("carol"), key_of("a stranger"))


def test_a_signature_over_other_bytes_is_nobodys() -> None:
    with pytest.raises(PolicyUnsignedError, match="by none of them"):
        signed_policy(JointEnvelope.of([replace(sign(b"other bytes", ACME.key("alice")), payload=DOCUMENT)]))


def test_governance_counts_people_and_not_signatures_or_keys() -> None:
    second = SignerKey(
        key=key_of("alice's second key").public, valid_from=NOW, valid_until=NOW + timedelta(days=9)
    )
    alice = POLICY.signers["alice"]
    policy = replace(
        POLICY,
        signers={**POLICY.signers, "alice": replace(alice, keys=(*alice.keys, second))},
        governance=(Threshold(role="engineering", count=2),),
    )
    document = write_policy(policy)
    with pytest.raises(PolicyUnsignedError, match="engineering needs one more: bob or erin"):
        signed_by(ACME.key("alice"), key_of("alice's second key"), document=document)
    assert signed_by(ACME.key("alice"), ACME.key("erin"), document=document).signers == ("alice", "erin")


def test_a_key_id_that_lies_changes_nothing() -> None:
    envelopes = [sign(DOCUMENT, ACME.key(name)) for name in ("alice", "carol")]
    crossed = [replace(e, key_id=o.key_id) for e, o in zip(envelopes, envelopes[::-1], strict=True)]
    assert signed_policy(JointEnvelope.of(crossed)).signers == ("alice", "carol")


def test_only_the_order_of_thresholds_is_free() -> None:
    value = read(DOCUMENT)
    free = set()
    for path in paths(DOCUMENT):
        items = value_at(value, path)
        if isinstance(items, list) and len(items) > 1:
            code = verdict(partial(read_policy, edited(DOCUMENT, path, items[::-1])))
            assert code in {"accepted", "policy.invalid"}
            free |= {path[-1]} if code == "accepted" else set()
    assert free == {"quorum", "governance"}


def test_a_newer_policy_is_named_as_such() -> None:
    with pytest.raises(NewerFormatError) as refused:
        read_policy(edited(DOCUMENT, ("predicate", "format"), 3))
    assert "newer version" in refused.value.hint
