# SPDX-License-Identifier: Apache-2.0
"""Ed25519 by libsodium, through PyNaCl: what everything but a pack's single-file verifier runs on."""

from collections.abc import Callable
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

_SIGNATURE_BYTES: Final = 64


def in_group(raw: bytes) -> bool:
    """Whether 32 bytes are the one spelling of a point of the prime-order group."""
    return bool(bindings.crypto_core_ed25519_is_valid_point(raw))


def check(raw: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what says whether 64 bytes are a signature of a message by the key, which is in the group.

    libsodium refuses an S that is not below the group's order and an R of small order, recomputes R and
    compares its bytes.
    """

    def signed(signature: bytes, message: bytes) -> bool:
        try:
            bindings.crypto_sign_open(signature + message, raw)
        except BadSignatureError:
            return False
        return True

    return signed


def signer(secret: bytes) -> Callable[[bytes], bytes]:
    """Return what signs messages under a 32-byte seed."""
    _, expanded = bindings.crypto_sign_seed_keypair(secret)
    return lambda message: bindings.crypto_sign(message, expanded)[:_SIGNATURE_BYTES]


def public_of(secret: bytes) -> bytes:
    """Return the raw public key of a 32-byte seed."""
    public, _ = bindings.crypto_sign_seed_keypair(secret)
    return public
