# SPDX-License-Identifier: Apache-2.0
"""Ed25519 (RFC 8032), strict: one encoding, one group, one answer from every verifier.

Keys are checked once, when they are enrolled.  libsodium then recomputes R and compares its bytes, so under
a key of the prime-order group every R that verifies is canonical and in that group as well.
"""

from collections.abc import Callable
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError as SodiumBadSignatureError

from quorumseal.signatures.errors import (
    BadSignatureError,
    MalformedSignatureError,
    NotCanonicalKeyError,
    NotInGroupKeyError,
    PublicKeyError,
    SmallOrderKeyError,
    SmallOrderSignatureError,
)

SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 4
RAW_BYTES: Final = 32
SECRET_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y coordinates of the eight points of small order; p and p + 1 are second spellings of 0 and 1.
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8, _P, _P + 1})


def verifier(raw: bytes) -> Callable[[bytes, bytes], None]:
    """Return the check of (signature, message) under a public key that is itself checked here."""
    if not bindings.crypto_core_ed25519_is_valid_point(raw):
        raise _why_not(raw)

    def verify(signature: bytes, message: bytes) -> None:
        if len(signature) != _SIGNATURE_BYTES:
            raise MalformedSignatureError(
                f"expected an Ed25519 signature of {_SIGNATURE_BYTES} bytes, got {len(signature)}"
            )
        try:
            bindings.crypto_sign_open(signature + message, raw)
        except SodiumBadSignatureError:
            raise _why_bad(signature) from None

    return verify


def signer(secret: bytes) -> Callable[[bytes], bytes]:
    """Return what signs messages under a 32-byte seed."""
    _, expanded = bindings.crypto_sign_seed_keypair(secret)
    return lambda message: bindings.crypto_sign(message, expanded)[:_SIGNATURE_BYTES]


def public_of(secret: bytes) -> bytes:
    """Return the raw public key of a 32-byte seed."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"an Ed25519 seed has {SECRET_BYTES} bytes, got {len(secret)}")
    public, _ = bindings.crypto_sign_seed_keypair(secret)
    return public


def _y(point: bytes) -> int:
    return int.from_bytes(point, "little") & (2**255 - 1)


def _why_not(raw: bytes) -> PublicKeyError:
    # Small order goes first: of the fourteen spellings of those points six are not canonical either.
    if _y(raw) in _SMALL_ORDER_Y:
        return SmallOrderKeyError(
            f"expected an Ed25519 key of the prime-order group, got a point of small order: {raw.hex()}",
            hint="nobody generates such a key by accident: do not trust where it came from",
        )
    if _y(raw) >= _P:
        return NotCanonicalKeyError(f"expected an Ed25519 key with y below 2^255 - 19, got {raw.hex()}")
    return NotInGroupKeyError(
        f"expected an Ed25519 key on the curve and in its prime-order group, got {raw.hex()}"
    )


def _why_bad(signature: bytes) -> BadSignatureError:
    if int.from_bytes(signature[32:], "little") >= _L:
        return MalformedSignatureError(
            "expected an Ed25519 signature with S below the group's order, got a larger S"
        )
    if _y(signature[:32]) in _SMALL_ORDER_Y:
        return SmallOrderSignatureError(
            "expected an Ed25519 signature with R of large order, got one of small order"
        )
    return BadSignatureError("expected this key's signature of these bytes, got another")
