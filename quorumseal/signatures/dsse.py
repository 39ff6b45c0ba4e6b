# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0.2).

A statement's envelope has exactly one signature; a policy's has one of each founder.

What is signed is PAE(type, payload): both lengths in bytes, so that no two pairs give the same bytes.  The
scheme and the key come from whoever verifies; the envelope's keyid is a hint that decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from quorumseal import strict_json
from quorumseal.signatures.encodings import decode_base64, encode_base64
from quorumseal.signatures.errors import (
    Base64Error,
    PayloadTypeError,
    SignatureCountError,
    SignatureOrderError,
)
from quorumseal.signatures.private_key import PrivateKey
from quorumseal.signatures.public_key import PublicKey
from quorumseal.strict_json import Fields, JsonValue

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_SIGNATURES: Final = 1024
MAX_KEY_ID: Final = 256
_Signature: TypeAlias = tuple[bytes, str]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload and one signature over it, not yet verified."""

    payload: bytes
    signature: bytes
    key_id: str = ""

    @classmethod
    def read(cls, source: JsonValue | bytes, *, where: str = "envelope") -> "Envelope":
        """Return the envelope that JSON bytes, or a value already read, hold."""
        fields, payload, signatures = _read(source, where)
        if len(signatures) != 1:
            raise SignatureCountError(
                f"{fields.path('signatures')}: expected exactly one signature, got {len(signatures)}",
                hint="each signer's statement travels in an envelope of its own",
            )
        signature, key_id = signatures[0]
        return cls(payload=payload, signature=signature, key_id=key_id)

    def to_json(self) -> JsonValue:
        """Return the envelope as a value for ``strict_json.write``; an empty key id is left out."""
        return _write(self.payload, [(self.signature, self.key_id)])

    @property
    def stamped(self) -> bytes:
        """What a timestamp of it is of: what was signed, then the signature, so that nobody had it earlier.

        The encoding says how long the payload is, so no two envelopes have these bytes in common.
        """
        return pae(PAYLOAD_TYPE, self.payload) + self.signature

    def verify(self, public_key: PublicKey) -> bytes:
        """Return the payload when ``public_key`` signed it; raise BadSignatureError when not."""
        public_key.verify(self.signature, pae(PAYLOAD_TYPE, self.payload))
        return self.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class JointEnvelope:
    """A payload once, and the signatures of several over it with their key ids, none of them verified yet."""

    payload: bytes
    signatures: tuple[tuple[bytes, str], ...]
    """They ascend, none twice, so that the same signatures have one spelling."""

    @classmethod
    def of(cls, envelopes: Iterable[Envelope]) -> "JointEnvelope":
        """Put together what several signed each by themselves."""
        each = tuple(envelopes)
        payloads = {envelope.payload for envelope in each}
        if len(payloads) != 1:
            raise ValueError(f"a joint envelope has one payload, not {len(payloads)}")
        signatures = sorted((envelope.signature, envelope.key_id) for envelope in each)
        _check_signatures(signatures, "envelope.signatures")
        return cls(payload=payloads.pop(), signatures=tuple(signatures))

    @classmethod
    def read(cls, source: JsonValue | bytes, *, where: str = "envelope") -> "JointEnvelope":
        """Return the envelope that JSON bytes, or a value already read, hold."""
        fields, payload, signatures = _read(source, where)
        _check_signatures(signatures, fields.path("signatures"))
        return cls(payload=payload, signatures=tuple(signatures))

    def to_json(self) -> JsonValue:
        """Return the envelope as a value for ``strict_json.write``; an empty key id is left out."""
        return _write(self.payload, self.signatures)

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The payload with each signature alone."""
        return tuple(
            Envelope(payload=self.payload, signature=signature, key_id=key_id)
            for signature, key_id in self.signatures
        )


def sign(payload: bytes, private_key: PrivateKey) -> Envelope:
    """Return ``payload`` in an envelope signed by ``private_key``."""
    signature = private_key.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(payload=payload, signature=signature, key_id=private_key.public.key_id)


def _read(source: JsonValue | bytes, where: str) -> tuple[Fields, bytes, list[_Signature]]:
    value = strict_json.read(source) if isinstance(source, bytes) else source
    fields = Fields(value, where)
    payload_type = fields.text("payloadType")
    if payload_type != PAYLOAD_TYPE:
        raise PayloadTypeError(
            f"{fields.path('payloadType')}: expected {PAYLOAD_TYPE}, got {payload_type[:80]!a}"
        )
    payload = _bytes(fields, "payload")
    signatures = [_read_signature(each) for each in fields.objects("signatures")]
    fields.done()
    return fields, payload, signatures


def _read_signature(fields: Fields) -> _Signature:
    key_id = fields.optional_text("keyid") or ""
    if len(key_id) > MAX_KEY_ID:
        raise fields.invalid("keyid", f"at most {MAX_KEY_ID} characters")
    return _bytes(fields, "sig"), key_id


def _check_signatures(signatures: Sequence[_Signature], where: str) -> None:
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise SignatureCountError(
            f"{where}: expected 1 to {MAX_SIGNATURES} signatures, got {len(signatures)}",
            hint="leave out those that the quorum does not need",
        )
    if any(one >= other for (one, _), (other, _) in pairwise(signatures)):
        raise SignatureOrderError(f"{where}: expected signatures that ascend, each once, got another order")


def _write(payload: bytes, signatures: Iterable[_Signature]) -> JsonValue:
    return {
        "payload": encode_base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {**({"keyid": key_id} if key_id else {}), "sig": encode_base64(signature)}
            for signature, key_id in signatures
        ],
    }


def _bytes(fields: Fields, name: str) -> bytes:
    try:
        return decode_base64(fields.text(name))
    except ValueError as error:
        raise Base64Error(
            f"{fields.path(name)}: expected canonical base64 with padding, got {error}"
        ) from None
