# SPDX-License-Identifier: Apache-2.0
"""Certificates that an authority of ours never issues, signed by one all the same."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coordinator.certificates import Authority, Credentials

DAY = timedelta(days=1)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)


def authority(organisation: str = "acme", *, at: datetime) -> Authority:
    return Authority.create(organisation, at=at, lifetime=30 * DAY, randomness=os.urandom)


def forge(
    issuer: Authority | None,
    *,
    at: datetime,
    names: Sequence[x509.GeneralName],
    uses: Sequence[x509.ObjectIdentifier] = CLIENT,
    common_name: str = "",
    is_authority: bool | None = False,
) -> Credentials:
    """Sign whatever is asked for with the authority's key, or with its own where there is no issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    signing_key, issuer_name = key, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "itself")])
    if issuer is not None:
        loaded = load_pem_private_key(issuer.key_file(None), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signing_key, issuer_name = loaded, x509.load_pem_x509_certificate(issuer.certificate_pem).subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject if issuer is not None else issuer_name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
        )
    )
    if is_authority is not None:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
        )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return Credentials(
        certificate_pem=builder.sign(signing_key, SHA256()).public_bytes(Encoding.PEM),
        private_key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)
