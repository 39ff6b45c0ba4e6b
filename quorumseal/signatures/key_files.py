# SPDX-License-Identifier: Apache-2.0
"""Private keys as files: PKCS#8 in PEM, encrypted with scrypt and AES-256, as openssl reads them.

RFC 5958 is the container, RFC 8018 and RFC 7914 are the encryption.  Nothing in a file proves which public
key it belongs to: whoever opens one compares ``public`` with the key that it expects.  Who may read the
file is the business of whoever opens it.
"""

from collections.abc import Callable
from typing import Final

from quorumseal.signatures.encodings import armour, unarmour
from quorumseal.signatures.errors import (
    MalformedKeyFileError,
    PassphraseNeededError,
    UnencryptedKeyFileError,
    WrongPassphraseError,
)
from quorumseal.signatures.private_key import Ed25519PrivateKey, P256PrivateKey

MAKE_ONE: Final = (
    "make one with: openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -scrypt -out signing.key.pem"
)
"""`org init` makes everybody's first keys; a key of one's own comes from any tool that writes PKCS#8."""

_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_PLAIN: Final = "PRIVATE KEY"
_PROTECTION: Final = "scryptAndAES256-CBC"

_ED25519_OID: Final = "1.3.101.112"  # RFC 8410
_EC_OID: Final = "1.2.840.10045.2.1"  # RFC 5480
_P256_OID: Final = "1.2.840.10045.3.1.7"
_P256_PARAMETERS: Final = bytes.fromhex("06082a8648ce3d030107")
_ED25519_HEAD: Final = bytes.fromhex("0420")  # an OCTET STRING of the seed
_EC_HEAD: Final = bytes.fromhex("306b0201010420")  # ECPrivateKey (RFC 5915): version, scalar,
_EC_MIDDLE: Final = bytes.fromhex("a144034200")  # and the public key


def write_key_file(
    private_key: Ed25519PrivateKey | P256PrivateKey,
    passphrase: bytes | None,
    *,
    randomness: Callable[[int], bytes] | None = None,
) -> bytes:
    """Return the key as a PEM file; only an explicit None leaves it unencrypted.

    ``randomness`` makes salt and initialisation vector; the operating system's where it is absent.
    """
    from Crypto.IO import PKCS8
    from Crypto.Util.asn1 import DerObjectId

    if passphrase is not None and not passphrase:
        raise ValueError("an empty passphrase protects nothing; None says that no protection is wanted")
    if isinstance(private_key, Ed25519PrivateKey):
        oid, curve, secret = _ED25519_OID, None, _ED25519_HEAD + private_key.seed
    else:
        oid, curve, secret = _EC_OID, DerObjectId(_P256_OID), _ec_private_key(private_key)
    der = PKCS8.wrap(
        secret,
        oid,
        passphrase,
        protection=_PROTECTION,
        # 16 MiB is what openssl is willing to spend on reading a file; five passes make up for it.
        prot_params={"iteration_count": 1 << 14, "block_size": 8, "parallelization": 5, "salt_size": 16},
        key_params=curve,
        randfunc=randomness,
    )
    return armour(_PLAIN if passphrase is None else _ENCRYPTED, der)


def read_key_file(pem: bytes, passphrase: bytes | None) -> Ed25519PrivateKey | P256PrivateKey:
    """Return the key of a PEM file; None as passphrase asks for a file that is not encrypted."""
    from Crypto import IncorrectPassphraseError, KdfLimitError
    from Crypto.IO import PKCS8

    try:
        label, der = unarmour(pem, _ENCRYPTED, _PLAIN)
    except ValueError as error:
        raise MalformedKeyFileError(f"expected a private key file in PEM: {error}", hint=MAKE_ONE) from None
    if label == _ENCRYPTED and passphrase is None:
        raise PassphraseNeededError("expected a passphrase for an encrypted key file, got none")
    if label == _PLAIN and passphrase is not None:
        raise UnencryptedKeyFileError(
            "expected an encrypted key file, got one that anybody can read",
            hint="encrypt it with: openssl pkcs8 -topk8 -scrypt -in KEY -out KEY.new",
        )
    try:
        oid, secret, parameters, *_ = PKCS8.unwrap(der, passphrase)
    except IncorrectPassphraseError:
        raise WrongPassphraseError(
            "expected the passphrase of this key file, got another, or the file is damaged",
            hint="run the command again; a forgotten passphrase cannot be recovered, only the key replaced",
        ) from None
    except KdfLimitError:
        raise MalformedKeyFileError(
            "expected a key file that opens in seconds, got one that asks for too much time or memory"
        ) from None
    except (ValueError, IndexError, TypeError):  # the last two: its DER reader on broken files
        raise MalformedKeyFileError("expected a private key in PKCS#8, got another structure") from None
    return _private_key(oid, parameters, secret)


def _private_key(oid: str, parameters: bytes | None, secret: bytes) -> Ed25519PrivateKey | P256PrivateKey:
    if (oid, parameters) == (_ED25519_OID, None) and secret[:2] == _ED25519_HEAD and len(secret) == 34:
        return Ed25519PrivateKey(secret[2:])
    if (oid, parameters) == (_EC_OID, _P256_PARAMETERS) and secret.startswith(_EC_HEAD):
        try:
            key = P256PrivateKey(secret[len(_EC_HEAD) : len(_EC_HEAD) + 32])
        except ValueError as error:
            raise MalformedKeyFileError(f"expected a P-256 private key, got none: {error}") from None
        if _ec_private_key(key) == secret:
            return key
        raise MalformedKeyFileError("expected a P-256 private key with its own public key, got another's")
    raise MalformedKeyFileError(
        f"expected an Ed25519 or P-256 private key, got one of kind {oid} or in another form",
        hint=MAKE_ONE,
    )


def _ec_private_key(key: P256PrivateKey) -> bytes:
    return _EC_HEAD + key.scalar + _EC_MIDDLE + key.public.raw
