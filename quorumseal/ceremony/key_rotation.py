# SPDX-License-Identifier: Apache-2.0
"""What says that a signer's new key is theirs: one statement that the old key and the new key both sign.

It is evidence of a policy change.  The rules do not need it, since the governance quorum decides who has
which key; whoever reviews needs it, to decide on more than a name.
"""

from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.errors import KeyRotationError, NewerFormatError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import FORMAT, STATEMENT_TYPE
from quorumseal.ceremony.policy_fields import read_key, require_format, write_key
from quorumseal.ceremony.values import instant, instant_text, name
from quorumseal.signatures import JointEnvelope, PrivateKey, PublicKey, SignatureError
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import Fields, JsonValue, read, write

KEY_ROTATION_TYPE = "https://quorumseal.dev/key-rotation/v1"
EVIDENCE_KIND = "key-rotation"
EVIDENCE_MEDIA_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotation:
    """A signer's word that a new key is theirs too."""

    organisation: str
    signer: str
    old: str
    """The id of the key that the policy lists."""
    new: PublicKey
    signed_at: datetime


def sign_rotation(rotation: KeyRotation, old: PrivateKey, new: PrivateKey) -> JointEnvelope:
    """Sign a rotation by both keys."""
    payload = write(
        {
            "_type": STATEMENT_TYPE,
            "subject": _subject(rotation.new),
            "predicateType": KEY_ROTATION_TYPE,
            "predicate": {
                "format": FORMAT,
                "organisation": rotation.organisation,
                "signer": rotation.signer,
                "old": rotation.old,
                "new": write_key(rotation.new),
                "signed_at": instant_text(rotation.signed_at),
            },
        }
    )
    return JointEnvelope.of([sign(payload, old), sign(payload, new)])


def read_rotation(data: bytes, policy: Policy) -> KeyRotation:
    """Return a rotation that the new key signed, and a key that the policy lists for the signer."""
    envelope = JointEnvelope.read(read(data, max_bytes=MAX_BYTES))
    rotation = _read(envelope.payload)
    if rotation.organisation != policy.organisation:
        raise KeyRotationError(
            f"expected a key rotation in {policy.organisation}, got one in {rotation.organisation}"
        )
    keys = {key.key.key_id: key for key in policy.signer(rotation.signer).keys}
    if rotation.old not in keys or not keys[rotation.old].valid_at(rotation.signed_at):
        raise KeyRotationError(
            f"expected the old key to be one of {rotation.signer} that was valid at "
            f"{instant_text(rotation.signed_at)}, got {rotation.old}"
        )
    for which, key in (("old", keys[rotation.old].key), ("new", rotation.new)):
        if not _signed_by(envelope, key):
            raise KeyRotationError(f"expected a signature of the {which} key {key.key_id}, got none")
    return rotation


def new_keys(old: Policy, new: Policy) -> frozenset[tuple[str, PublicKey]]:
    """Return every signer's key that the next policy lists and the old one does not list for them."""
    return frozenset(_listed(new) - _listed(old))


def _listed(policy: Policy) -> set[tuple[str, PublicKey]]:
    return {(signer.name, key.key) for signer in policy.signers.values() for key in signer.keys}


def _read(payload: bytes) -> KeyRotation:
    statement = Fields(read(payload, max_bytes=MAX_BYTES), "key rotation")
    statement.constant("_type", STATEMENT_TYPE)
    if statement.text("predicateType") != KEY_ROTATION_TYPE:
        raise NewerFormatError(f"expected {KEY_ROTATION_TYPE}, got {statement.text('predicateType')[:100]!a}")
    subject, fields = statement.value("subject"), statement.object("predicate")
    require_format(fields, FORMAT)
    rotation = KeyRotation(
        organisation=name(fields.text("organisation")),
        signer=name(fields.text("signer")),
        old=fields.text("old"),
        new=read_key(fields.object("new")),
        signed_at=instant(fields.text("signed_at")),
    )
    statement.done()
    if subject != _subject(rotation.new):
        raise KeyRotationError("expected a key rotation about its new key, got one about something else")
    return rotation


def _subject(key: PublicKey) -> JsonValue:
    return [{"name": "key", "digest": {"sha256": key.key_id.partition(":")[2]}}]


def _signed_by(envelope: JointEnvelope, key: PublicKey) -> bool:
    for each in envelope.envelopes:
        try:
            each.verify(key)
        except SignatureError:
            continue
        return True
    return False
