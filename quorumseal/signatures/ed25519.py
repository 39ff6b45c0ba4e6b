# SPDX-License-Identifier: Apache-2.0
"""Ed25519 (RFC 8032), strict: one encoding, one group, one answer from every verifier.

Keys are checked once, when they are enrolled.  The library then recomputes R and compares its bytes, so under
a key of the prime-order group every R that verifies is canonical and in that group as well.

There are two libraries under this, which give the same answers: libsodium, and OpenSSL where PyNaCl is not
installed.  That is so on the machine of an auditor who has the single-file verifier and nothing of ours.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

from quorumseal.signatures.curve import SMALL_ORDER_Y, L, P, y_of
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


class Library(Protocol):
    """What a library does for Ed25519; the modules ``sodium`` and ``openssl`` are two."""

    def in_group(self, raw: bytes) -> bool:
        """Whether 32 bytes are the one spelling of a point of the prime-order group."""

    def check(self, raw: bytes) -> Callable[[bytes, bytes], bool]:
        """Return what says whether a signature over a message is by a key of the group."""

    def signer(self, secret: bytes) -> Callable[[bytes], bytes]:
        """Return what signs messages under a seed."""

    def public_of(self, secret: bytes) -> bytes:
        """Return the raw public key of a seed."""


def library_here() -> Library:
    """Return libsodium, or OpenSSL where there is no PyNaCl, as for the single-file verifier."""
    here = all(map(find_spec, ("nacl", "quorumseal.signatures.sodium")))
    return cast("Library", import_module(f"quorumseal.signatures.{'sodium' if here else 'openssl'}"))


_LIBRARY: Final = library_here()


def verifier(raw: bytes, library: Library = _LIBRARY) -> Callable[[bytes, bytes], None]:
    """Return the check of (signature, message) under a public key that is itself checked here."""
    if not library.in_group(raw):
        raise _why_not(raw)
    signed = library.check(raw)

    def verify(signature: bytes, message: bytes) -> None:
        if len(signature) != _SIGNATURE_BYTES:
            raise MalformedSignatureError(
                f"expected an Ed25519 signature of {_SIGNATURE_BYTES} bytes, got {len(signature)}"
            )
        if not signed(signature, message):
            raise _why_bad(signature)

    return verify


def signer(secret: bytes) -> Callable[[bytes], bytes]:
    """Return what signs messages under a 32-byte seed."""
    return _LIBRARY.signer(secret)


def public_of(secret: bytes) -> bytes:
    """Return the raw public key of a 32-byte seed."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"an Ed25519 seed has {SECRET_BYTES} bytes, got {len(secret)}")
    return _LIBRARY.public_of(secret)


def _why_not(raw: bytes) -> PublicKeyError:
    # Small order goes first: of the fourteen spellings of those points six are not canonical either.
    if y_of(raw) in SMALL_ORDER_Y:
        return SmallOrderKeyError(
            f"expected an Ed25519 key of the prime-order group, got a point of small order: {raw.hex()}",
            hint="nobody generates such a key by accident: do not trust where it came from",
        )
    if y_of(raw) >= P:
        return NotCanonicalKeyError(f"expected an Ed25519 key with y below 2^255 - 19, got {raw.hex()}")
    return NotInGroupKeyError(
        f"expected an Ed25519 key on the curve and in its prime-order group, got {raw.hex()}"
    )


def _why_bad(signature: bytes) -> BadSignatureError:
    if int.from_bytes(signature[32:], "little") >= L:
        return MalformedSignatureError(
            "expected an Ed25519 signature with S below the group's order, got a larger S"
        )
    if y_of(signature[:32]) in SMALL_ORDER_Y:
        return SmallOrderSignatureError(
            "expected an Ed25519 signature with R of large order, got one of small order"
        )
    return BadSignatureError("expected this key's signature of these bytes, got another")
