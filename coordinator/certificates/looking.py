# SPDX-License-Identifier: Apache-2.0
"""What a certificate says of itself, for whoever examines one; nothing here trusts it."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from coordinator.certificates.errors import UnreadableCertificateError
from coordinator.certificates.identity import UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When a certificate is valid, and the hosts that it names."""

    not_before: datetime
    not_after: datetime
    hosts: frozenset[str]


def look_at(certificates_pem: bytes) -> tuple[Seen, ...]:
    """Read some certificates, in their order."""
    try:
        return tuple(_seen(each) for each in x509.load_pem_x509_certificates(certificates_pem))
    except UNREADABLE as error:
        raise UnreadableCertificateError(f"expected certificates in PEM, got {error}") from None


def _seen(certificate: x509.Certificate) -> Seen:
    return Seen(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        hosts=frozenset(_hosts(certificate)),
    )


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]
