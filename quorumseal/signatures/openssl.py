# SPDX-License-Identifier: Apache-2.0
"""Ed25519 by OpenSSL, through ``cryptography``, with the checks that libsodium makes and OpenSSL leaves out.

A machine that has no PyNaCl gets the same answers by this.  OpenSSL refuses an S that is not below the
group's order, recomputes R and compares its bytes; so an R in a second spelling never verifies.  It takes
keys of any order and R of small order: both are refused here, by arithmetic from RFC 8032, section 5.1.4.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from quorumseal.signatures.curve import SMALL_ORDER_Y, L, P, y_of

_D: Final = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_1: Final = pow(2, (P - 1) // 4, P)
_Point: TypeAlias = tuple[int, int, int, int]
"""Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z."""


def in_group(raw: bytes) -> bool:
    """Whether 32 bytes are the one spelling of a point of the prime-order group."""
    y = y_of(raw)
    if y >= P or y in SMALL_ORDER_Y:
        return False
    x = _x_of(y, raw[31] >> 7)
    if x is None:
        return False
    _, times_y, times_z, times_t = _times(L, (x, y, 1, x * y % P))
    return times_t == 0 and times_y == times_z


def check(raw: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what says whether 64 bytes are a signature of a message by the key, which is in the group."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(raw)

    def signed(signature: bytes, message: bytes) -> bool:
        if int.from_bytes(signature[32:], "little") >= L:
            return False
        y = y_of(signature[:32])
        if y >= P or y in SMALL_ORDER_Y:
            return False
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return signed


def signer(secret: bytes) -> Callable[[bytes], bytes]:
    """Return what signs messages under a 32-byte seed."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).sign


def public_of(secret: bytes) -> bytes:
    """Return the raw public key of a 32-byte seed."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _x_of(y: int, sign: int) -> int | None:
    """Return the x of a point by its y (RFC 8032, section 5.1.3); none where no point has that y.

    Only the points of order 1 and 2 have x = 0, and they are refused before.
    """
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    square = v * x * x % P
    if square != u:
        if square != P - u:
            return None
        x = x * _ROOT_OF_MINUS_1 % P
    return x if x & 1 == sign else P - x


def _add(one: _Point, other: _Point) -> _Point:
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * _D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result
