# SPDX-License-Identifier: Apache-2.0
"""Who signed these bytes: public keys that were checked once, private keys, DSSE envelopes, key files.

The scheme of a key comes from the key's own record and never from what it signed.  Importing this package
loads libsodium only; P-256 and key files load what they need at their first use.
"""

from quorumseal.signatures import dsse
from quorumseal.signatures.dsse import PAYLOAD_TYPE, Envelope, JointEnvelope
from quorumseal.signatures.errors import (
    BadSignatureError,
    Base64Error,
    EnvelopeError,
    KeyFileError,
    MalformedKeyError,
    MalformedKeyFileError,
    MalformedSignatureError,
    NotCanonicalKeyError,
    NotInGroupKeyError,
    PassphraseNeededError,
    PayloadTypeError,
    PublicKeyError,
    SignatureCountError,
    SignatureError,
    SignatureOrderError,
    SmallOrderKeyError,
    SmallOrderSignatureError,
    UnencryptedKeyFileError,
    WrongPassphraseError,
)
from quorumseal.signatures.key_files import read_key_file, write_key_file
from quorumseal.signatures.private_key import Ed25519PrivateKey, P256PrivateKey, PrivateKey, generate_key
from quorumseal.signatures.public_key import PublicKey, Scheme

__all__ = [
    "PAYLOAD_TYPE",
    "BadSignatureError",
    "Base64Error",
    "Ed25519PrivateKey",
    "Envelope",
    "EnvelopeError",
    "JointEnvelope",
    "KeyFileError",
    "MalformedKeyError",
    "MalformedKeyFileError",
    "MalformedSignatureError",
    "NotCanonicalKeyError",
    "NotInGroupKeyError",
    "P256PrivateKey",
    "PassphraseNeededError",
    "PayloadTypeError",
    "PrivateKey",
    "PublicKey",
    "PublicKeyError",
    "Scheme",
    "SignatureCountError",
    "SignatureError",
    "SignatureOrderError",
    "SmallOrderKeyError",
    "SmallOrderSignatureError",
    "UnencryptedKeyFileError",
    "WrongPassphraseError",
    "dsse",
    "generate_key",
    "read_key_file",
    "write_key_file",
]
