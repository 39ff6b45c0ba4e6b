# SPDX-License-Identifier: Apache-2.0
"""Private keys in memory, and the shape that keys elsewhere (tokens, agents) have as well."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from quorumseal.signatures import ed25519, p256
from quorumseal.signatures.public_key import PublicKey, Scheme


class PrivateKey(Protocol):
    """Whatever can sign for a public key; where the secret is, is its own matter."""

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ed25519PrivateKey:
    """An Ed25519 key held in memory as its 32-byte seed."""

    seed: bytes = field(repr=False)
    public: PublicKey = field(init=False)
    _sign: Callable[[bytes], bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        public = PublicKey.from_raw(Scheme.ED25519, ed25519.public_of(self.seed))
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "_sign", ed25519.signer(self.seed))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``."""
        return self._sign(message)


@dataclass(frozen=True, slots=True, eq=False)
class P256PrivateKey:
    """An ECDSA P-256 key held in memory as its 32-byte scalar."""

    scalar: bytes = field(repr=False)
    public: PublicKey = field(init=False)
    _sign: Callable[[bytes], bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        public = PublicKey.from_raw(Scheme.ECDSA_P256, p256.public_of(self.scalar))
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "_sign", p256.signer(self.scalar))

    def sign(self, message: bytes) -> bytes:
        """Return the DER signature of ``message``."""
        return self._sign(message)


def generate_key(scheme: Scheme, randomness: Callable[[int], bytes]) -> Ed25519PrivateKey | P256PrivateKey:
    """Return a new key made from ``randomness(size)``, which must be fit for secrets."""
    return _GENERATORS[scheme](randomness)


_GENERATORS: dict[Scheme, Callable[[Callable[[int], bytes]], Ed25519PrivateKey | P256PrivateKey]] = {
    Scheme.ED25519: lambda randomness: Ed25519PrivateKey(randomness(ed25519.SECRET_BYTES)),
    Scheme.ECDSA_P256: lambda randomness: P256PrivateKey(p256.scalar_from(randomness)),
}
