# SPDX-License-Identifier: Apache-2.0
"""What every certificate here has in common (RFC 5280): version 3, ECDSA P-256, a start set back a little.

Signing takes no randomness (RFC 6979): the same instant and the same random bytes give the same certificate.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from quorumseal.signatures import P256PrivateKey, PublicKey, Scheme

BACK_DATED = timedelta(minutes=5)
"""How long before its issue a certificate is valid: the other side's clock may be behind."""

_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def builder(
    subject: x509.Name, key: PublicKey, *, at: datetime, lifetime: timedelta, serial: int
) -> x509.CertificateBuilder:
    """Begin a certificate; issuer and purpose are to be added."""
    if at.tzinfo is None or lifetime <= timedelta():
        raise ValueError("an instant has a time zone, and a lifetime is longer than nothing")
    start = whole_seconds(at)
    public = library_key(key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(start - BACK_DATED)
        .not_valid_after(start + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def signed(unsigned: x509.CertificateBuilder, key: P256PrivateKey) -> x509.Certificate:
    """Sign with the issuer's key."""
    secret = ec.derive_private_key(int.from_bytes(key.scalar), ec.SECP256R1())
    return unsigned.sign(secret, SHA256(), ecdsa_deterministic=True)


def key_usage(use: str) -> x509.KeyUsage:
    """Allow one use and no other."""
    return x509.KeyUsage(**{name: name == use for name in _USES})


def host(name: str) -> x509.GeneralName:
    """Name a server by its address or its host name."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def library_key(key: PublicKey) -> ec.EllipticCurvePublicKey:
    """Return the key as the library that makes certificates holds it."""
    if key.scheme is not Scheme.ECDSA_P256:
        raise ValueError(f"a certificate is for a {Scheme.ECDSA_P256} key, this one is {key.scheme}")
    return cast("ec.EllipticCurvePublicKey", load_der_public_key(key.spki))


def whole_seconds(at: datetime) -> datetime:
    """Cut ``at`` to what a certificate can say."""
    return at.astimezone(UTC).replace(microsecond=0)
