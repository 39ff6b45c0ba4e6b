# SPDX-License-Identifier: Apache-2.0
"""Old key and new key both say that the new one is theirs, or nobody believes it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.key_rotation import KeyRotation, new_keys, read_rotation, sign_rotation
from quorumseal.ceremony.rotating import rotate_key
from quorumseal.signatures import JointEnvelope, PrivateKey
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from tests.forging import edited, fields, verdict, without
from tests.organisation import NOW, Organisation, key_of

ACME = Organisation()
POLICY = ACME.policy.policy
OLD, NEW = ACME.key("alice"), key_of("alice 2")
ROTATION = KeyRotation(
    organisation=ACME.name, signer="alice", old=OLD.public.key_id, new=NEW.public, signed_at=NOW
)
SIGNED = sign_rotation(ROTATION, OLD, NEW)


def written(envelope: JointEnvelope) -> bytes:
    return write(envelope.to_json())


def judged(rotation: KeyRotation, old: PrivateKey = OLD, new: PrivateKey = NEW) -> str:
    return verdict(lambda: read_rotation(written(sign_rotation(rotation, old, new)), POLICY))


def test_a_rotation_makes_the_round_trip() -> None:
    assert read_rotation(written(SIGNED), POLICY) == ROTATION


@pytest.mark.parametrize(
    ("rotation", "old", "new"),
    [
        (replace(ROTATION, organisation="another.example"), OLD, NEW),
        (replace(ROTATION, signer="bob"), OLD, NEW),
        (replace(ROTATION, signed_at=NOW + timedelta(days=400)), OLD, NEW),
        (replace(ROTATION, old=NEW.public.key_id), OLD, NEW),
        (ROTATION, ACME.key("bob"), NEW),
        (ROTATION, OLD, ACME.key("bob")),
        (ROTATION, OLD, key_of("alice 3")),
    ],
    ids=["elsewhere", "another's", "late", "unlisted", "not by old", "not by new", "by a third"],
)
def test_a_rotation_that_does_not_hold_is_refused(
    rotation: KeyRotation, old: PrivateKey, new: PrivateKey
) -> None:
    assert judged(rotation, old, new) == "key.rotation"


def test_a_rotation_of_a_stranger_is_refused() -> None:
    assert judged(replace(ROTATION, signer="zoe")) == "signer.unknown"


def signed(payload: bytes) -> bytes:
    return written(JointEnvelope.of([sign(payload, OLD), sign(payload, NEW)]))


MALFORMED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another type": (
        lambda p: edited(p, ("predicateType",), "https://x.example/v1"),
        "statement.newer_format",
    ),
    "a later format": (lambda p: edited(p, ("predicate", "format"), 1), "statement.newer_format"),
    "about another key": (lambda p: edited(p, ("subject", 0, "name"), "keys"), "key.rotation"),
    "one field more": (lambda p: edited(p, ("predicate", "more"), 1), "json.unknown_field"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_rotation_is_refused(case: str) -> None:
    change, code = MALFORMED[case]
    assert verdict(lambda: read_rotation(signed(change(SIGNED.payload)), POLICY)) == code


def test_no_field_of_a_rotation_may_be_left_out() -> None:
    for path in fields(SIGNED.payload):
        changed = signed(without(SIGNED.payload, path))
        assert verdict(partial(read_rotation, changed, POLICY)) != "accepted", path


def test_new_keys_are_those_that_the_signer_did_not_have() -> None:
    after = rotate_key(ACME.policy, "alice", OLD.public, NEW.public, at=NOW)
    assert new_keys(POLICY, after) == {("alice", NEW.public)}
    bob, alice = POLICY.signers["bob"], POLICY.signers["alice"]
    given = replace(
        POLICY,
        signers={
            **POLICY.signers,
            "bob": replace(bob, keys=alice.keys),
            "alice": replace(alice, keys=bob.keys),
        },
    )
    assert new_keys(POLICY, given) == {("alice", bob.keys[0].key), ("bob", alice.keys[0].key)}
    assert not new_keys(POLICY, POLICY)
