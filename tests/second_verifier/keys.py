# SPDX-License-Identifier: Apache-2.0
"""Keys and signatures (docs/spec/encodings.md, Keys): the curve's arithmetic by hand, the rest by OpenSSL."""

import hashlib
from functools import cache
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tests.second_verifier.refusing import Refused, need

ED25519, P256 = "ed25519", "ecdsa-p256-sha256"
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")

Point: TypeAlias = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    """RFC 8032, section 5.1.4."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    low, high = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = high - low, d - c, d + c, high + low
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


def _neutral(point: Point) -> bool:
    x, y, z, _ = point
    return x % _P == 0 and (y - z) % _P == 0


def _point(data: bytes) -> Point | None:
    """The point, or ``None`` where the bytes are none, or not its one spelling."""
    whole = int.from_bytes(data, "little")
    sign, y = whole >> 255, whole & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _of_small_order(data: bytes) -> bool:
    """Whether the bytes are a point of small order, spelt in any way."""
    whole = int.from_bytes(data, "little")
    y = (whole & ((1 << 255) - 1)) % _P
    point = _point(y.to_bytes(32, "little"))
    return point is not None and _neutral(_times(8, point))


@cache
def loaded(scheme: str, spki: bytes) -> Any:
    """The key, if the bytes are one of the scheme in its one spelling."""
    if scheme == ED25519:
        need(spki.startswith(_ED25519_HEAD) and len(spki) == 44, "key.malformed")
        point = _point(spki[12:])
        need(point is not None, "key.not_in_group")
        assert point is not None
        need(not _neutral(_times(8, point)), "key.small_order")
        need(_neutral(_times(_ORDER, point)), "key.not_in_group")
        return ed25519.Ed25519PublicKey.from_public_bytes(spki[12:])
    try:
        key = load_der_public_key(spki)
    except Exception as bad:  # OpenSSL has many ways to say no
        raise Refused("key.malformed") from bad
    need(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1), "key.malformed")
    written = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    need(written == spki and len(spki) == 91, "key.malformed")
    return key


@cache
def signed(scheme: str, spki: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this key made this signature of this message, written in the scheme's one way."""
    key = loaded(scheme, spki)
    try:
        if scheme == ED25519:
            if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
                return False
            if _of_small_order(signature[:32]):
                return False
            key.verify(signature, message)
        else:
            if encode_dss_signature(*decode_dss_signature(signature)) != signature:
                return False
            key.verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(spki: bytes) -> str:
    """The digest of the SubjectPublicKeyInfo."""
    return "sha256:" + hashlib.sha256(spki).hexdigest()


def pre_authentication(kind: str, payload: bytes) -> bytes:
    """DSSE: both lengths count bytes."""
    named = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(named), named, len(payload), payload)
