# SPDX-License-Identifier: Apache-2.0
"""Certificates around enrolment: the port's own, which signs itself, and what people ask for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coordinator.certificates import profiles
from coordinator.certificates.authority import Credentials, new_key, new_serial
from coordinator.certificates.errors import CertificateRequestError, OtherNameError
from coordinator.certificates.identity import Kind, identity_uri
from quorumseal.client.values import ENROLMENT_SERVER_NAME as SERVER_NAME
from quorumseal.signatures import PublicKey, PublicKeyError, Scheme, write_key_file

MAX_REQUEST_BYTES = 8 << 10
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def self_signed(*, at: datetime, lifetime: timedelta, randomness: Callable[[int], bytes]) -> Credentials:
    """Make the certificate of an enrolment port: it fits any address, and is believed by its fingerprint."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Quorumseal {SERVER_NAME}")])
    key = new_key(randomness)
    builder = (
        profiles.builder(subject, key.public, at=at, lifetime=lifetime, serial=new_serial(randomness))
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(profiles.key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
    )
    certificate = profiles.signed(builder, key)
    return Credentials(
        certificate_pem=certificate.public_bytes(Encoding.PEM), private_key_pem=write_key_file(key, None)
    )


def requested_key(request: bytes, organisation: str, kind: Kind, name: str) -> PublicKey:
    """Return the P-256 key of a PKCS #10 request (DER) that asks for one client certificate, or refuse it.

    The only name that it may ask for is the caller's own; it need not ask for any.
    """
    try:
        if len(request) > MAX_REQUEST_BYTES:
            raise ValueError(f"{len(request)} bytes")
        read = x509.load_der_x509_csr(request)
        valid, spki = (
            read.is_signature_valid,
            read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
        asked = _names(read)
    except (*_UNREADABLE, InvalidSignature) as error:
        raise CertificateRequestError(
            f"expected a PKCS #10 request in DER of at most {MAX_REQUEST_BYTES} bytes, got {error}"
        ) from None
    if not valid:
        raise CertificateRequestError("expected a request signed by the key that it names, got another")
    own = identity_uri(organisation, kind, name)
    if asked not in ([], [own]):
        raise OtherNameError(
            f"expected a request for {own} or for no name, got one for {', '.join(asked)[:200]}"
        )
    try:
        return PublicKey.enrol(Scheme.ECDSA_P256, spki)
    except PublicKeyError:
        raise CertificateRequestError(
            f"expected a request for an {Scheme.ECDSA_P256} key, got one for another key"
        ) from None


def _names(request: x509.CertificateSigningRequest) -> list[str]:
    """Return every name that a request asks for, as it stands there."""
    try:
        alternative = [
            name.value if isinstance(name, x509.UniformResourceIdentifier) else repr(name)
            for name in request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        ]
    except x509.ExtensionNotFound:
        alternative = []
    return [*(attribute.rfc4514_string() for attribute in request.subject), *alternative]
