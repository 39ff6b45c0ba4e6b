# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes with exactly one signature (github.com/secure-systems-lab/dsse, protocol 1.0.2).

What is signed is PAE(type, payload): both lengths in bytes, so that no two pairs give the same bytes.  The
scheme and the key come from whoever verifies; the envelope's keyid is a hint that decides nothing.
"""

from dataclasses import dataclass
from typing import Final

from quorumseal import strict_json
from quorumseal.signatures.encodings import decode_base64, encode_base64
from quorumseal.signatures.errors import Base64Error, PayloadTypeError, SignatureCountError
from quorumseal.signatures.private_key import PrivateKey
from quorumseal.signatures.public_key import PublicKey
from quorumseal.strict_json import Fields, JsonValue

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


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
        value = strict_json.read(source) if isinstance(source, bytes) else source
        fields = Fields(value, where)
        payload_type = fields.text("payloadType")
        if payload_type != PAYLOAD_TYPE:
            raise PayloadTypeError(
                f"{fields.path('payloadType')}: expected {PAYLOAD_TYPE}, got {payload_type[:80]!a}"
            )
        signatures = fields.objects("signatures")
        if len(signatures) != 1:
            raise SignatureCountError(
                f"{fields.path('signatures')}: expected exactly one signature, got {len(signatures)}",
                hint="each signer's statement travels in an envelope of its own",
            )
        envelope = cls(
            payload=_bytes(fields, "payload"),
            signature=_bytes(signatures[0], "sig"),
            key_id=signatures[0].optional_text("keyid") or "",
        )
        fields.done()
        return envelope

    def to_json(self) -> JsonValue:
        """Return the envelope as a value for ``strict_json.write``; an empty key id is left out."""
        signature: dict[str, JsonValue] = {"keyid": self.key_id} if self.key_id else {}
        return {
            "payload": encode_base64(self.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [signature | {"sig": encode_base64(self.signature)}],
        }

    def verify(self, public_key: PublicKey) -> bytes:
        """Return the payload when ``public_key`` signed it; raise BadSignatureError when not."""
        public_key.verify(self.signature, pae(PAYLOAD_TYPE, self.payload))
        return self.payload


def sign(payload: bytes, private_key: PrivateKey) -> Envelope:
    """Return ``payload`` in an envelope signed by ``private_key``."""
    signature = private_key.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(payload=payload, signature=signature, key_id=private_key.public.key_id)


def _bytes(fields: Fields, name: str) -> bytes:
    try:
        return decode_base64(fields.text(name))
    except ValueError as error:
        raise Base64Error(
            f"{fields.path(name)}: expected canonical base64 with padding, got {error}"
        ) from None
