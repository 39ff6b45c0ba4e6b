# SPDX-License-Identifier: Apache-2.0
"""Public keys: a scheme and the DER SubjectPublicKeyInfo that were checked when they were built."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Protocol

from quorumseal.signatures import ed25519, p256
from quorumseal.signatures.encodings import armour, unarmour
from quorumseal.signatures.errors import MalformedKeyError

_PEM_LABEL = "PUBLIC KEY"


@unique
class Scheme(StrEnum):
    """What a key is and how it signs.  It comes from the key's own record, never from what it signed."""

    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256-sha256"


class _Algorithm(Protocol):
    """What a module must have to become a scheme."""

    @property
    def SPKI_PREFIX(self) -> bytes: ...  # noqa: N802 - a module's constant
    @property
    def RAW_BYTES(self) -> int: ...  # noqa: N802 - a module's constant
    def verifier(self, raw: bytes) -> Callable[[bytes, bytes], None]: ...


_ALGORITHMS: dict[Scheme, _Algorithm] = {Scheme.ED25519: ed25519, Scheme.ECDSA_P256: p256}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that passed every check of its scheme: none can be built that did not."""

    scheme: Scheme
    spki: bytes
    _verify: Callable[[bytes, bytes], None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        algorithm = _ALGORITHMS[self.scheme]
        # A fixed prefix and a fixed length: no parser, so no second way to write the same key.
        if not self.spki.startswith(algorithm.SPKI_PREFIX) or len(self.raw) != algorithm.RAW_BYTES:
            raise MalformedKeyError(
                f"expected the SubjectPublicKeyInfo of one {self.scheme} key, got {self.spki[:96].hex()}",
                hint="compare the key's scheme with its file; P-256 points must be uncompressed",
            )
        object.__setattr__(self, "_verify", algorithm.verifier(self.raw))

    def __reduce__(self) -> tuple[type["PublicKey"], tuple[Scheme, bytes]]:
        return PublicKey, (self.scheme, self.spki)

    @classmethod
    def enrol(cls, scheme: Scheme, spki: bytes) -> "PublicKey":
        """Return the key, or refuse it: wrong form, small order, not canonical, outside the group."""
        return cls(scheme, spki)

    @classmethod
    def from_raw(cls, scheme: Scheme, raw: bytes) -> "PublicKey":
        """Return the key of a bare point: 32 bytes for Ed25519, 65 (04, x, y) for P-256."""
        return cls(scheme, _ALGORITHMS[scheme].SPKI_PREFIX + raw)

    @classmethod
    def from_pem(cls, pem: bytes | str, *, scheme: Scheme | None = None) -> "PublicKey":
        """Return the key of a PEM file; without ``scheme`` it is the one that the file's own prefix names."""
        try:
            _, spki = unarmour(pem, _PEM_LABEL)
        except ValueError as error:
            raise MalformedKeyError(f"expected a public key as a PEM file: {error}") from None
        return cls(_scheme_of(spki) if scheme is None else scheme, spki)

    @property
    def key_id(self) -> str:
        """``sha256:`` and the digest of the SubjectPublicKeyInfo: a hint, never an identity."""
        return "sha256:" + hashlib.sha256(self.spki).hexdigest()

    @property
    def raw(self) -> bytes:
        """The bare point, as ``from_raw`` takes it."""
        return self.spki[len(_ALGORITHMS[self.scheme].SPKI_PREFIX) :]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return when this key made ``signature`` over ``message``; raise BadSignatureError when not."""
        self._verify(signature, message)

    def to_pem(self) -> bytes:
        """Return the key as a PEM file (RFC 7468)."""
        return armour(_PEM_LABEL, self.spki)


def _scheme_of(spki: bytes) -> Scheme:
    for scheme, algorithm in _ALGORITHMS.items():
        if spki.startswith(algorithm.SPKI_PREFIX):
            return scheme
    raise MalformedKeyError(
        f"expected a key of {' or '.join(Scheme)}, got a SubjectPublicKeyInfo of another kind",
        hint="generate one of these; RSA keys and other curves are not accepted",
    )
