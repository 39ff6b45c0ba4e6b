# SPDX-License-Identifier: Apache-2.0
"""ECDSA over P-256 with SHA-256, signatures in strict DER (FIPS 186-5; RFC 3279, section 2.2.3).

``cryptography`` is loaded here at the first use of such a key: a verifier that meets none never pays for it.
ECDSA has two valid S for every R; nothing in Quorumseal counts, hashes or compares signatures.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from quorumseal.signatures.errors import (
    BadSignatureError,
    MalformedKeyError,
    MalformedSignatureError,
    NotInGroupKeyError,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SPKI_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # RFC 5480
RAW_BYTES: Final = 65
_UNCOMPRESSED: Final = 4
_SCALAR_BYTES: Final = 32
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def verifier(raw: bytes) -> Callable[[bytes, bytes], None]:
    """Return the check of (signature, message) under a public key that is itself checked here."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    if raw[0] != _UNCOMPRESSED:
        raise MalformedKeyError(f"expected an uncompressed point (04), got one that begins with {raw[0]:02x}")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise NotInGroupKeyError(f"expected a point on the curve P-256, got {raw.hex()}") from None
    algorithm = ec.ECDSA(SHA256())

    def verify(signature: bytes, message: bytes) -> None:
        try:
            r, s = utils.decode_dss_signature(signature)
        except ValueError:
            raise MalformedSignatureError(
                f"expected an ECDSA signature in DER, got {len(signature)} bytes that are not"
            ) from None
        if not (0 < r < _N and 0 < s < _N) or utils.encode_dss_signature(r, s) != signature:
            raise MalformedSignatureError("expected an ECDSA signature with 0 < r, s < n, got others")
        try:
            key.verify(signature, message, algorithm)
        except InvalidSignature:
            raise BadSignatureError("expected this key's signature of these bytes, got another") from None

    return verify


def signer(secret: bytes) -> Callable[[bytes], bytes]:
    """Return what signs messages under a 32-byte scalar; signing needs no randomness (RFC 6979)."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _private_key(secret)
    algorithm = ec.ECDSA(SHA256(), deterministic_signing=True)
    return lambda message: key.sign(message, algorithm)


def public_of(secret: bytes) -> bytes:
    """Return the raw public key of a 32-byte scalar."""
    numbers = _private_key(secret).public_key().public_numbers()
    return bytes([_UNCOMPRESSED]) + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def scalar_from(randomness: Callable[[int], bytes]) -> bytes:
    """Return a private scalar; 64 extra bits keep the remainder from favouring any (FIPS 186-5, A.2.1)."""
    number = int.from_bytes(randomness(_SCALAR_BYTES + 8), "big") % (_N - 1) + 1
    return number.to_bytes(_SCALAR_BYTES, "big")


def _private_key(secret: bytes) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    number = int.from_bytes(secret, "big")
    if len(secret) != _SCALAR_BYTES or not 0 < number < _N:
        raise ValueError("a P-256 private key is a number from 1 to n - 1 in 32 bytes")
    return ec.derive_private_key(number, ec.SECP256R1())
