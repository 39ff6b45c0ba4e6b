# SPDX-License-Identifier: Apache-2.0
"""Who holds a client certificate: read from its one URI, ``quorumseal://ORGANISATION/KIND/NAME``.

The handshake has checked chain, purpose and time; a certificate that got through it may still be somebody
else's, or meant for something else, so everything that decides who is calling is checked here again.  The
subject is never looked at.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from coordinator.certificates.errors import (
    CertificateExpiredError,
    CertificateIdentityError,
    CertificateNotYetValidError,
    CertificateUseError,
    UnreadableCertificateError,
)
from quorumseal.ceremony import values
from quorumseal.ceremony.errors import ValueFormatError

_SCHEME = "quorumseal://"
_EXPECTED = f"exactly one alternative name, the URI {_SCHEME}ORGANISATION/KIND/NAME"
_HINT = "issue it with the organisation's certificate authority"
UNREADABLE = (ValueError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


@unique
class Kind(StrEnum):
    """What the holder of a client certificate is to the coordinator."""

    SIGNER = "signer"
    AUDITOR = "auditor"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The holder of a client certificate; ``serial`` is in lower-case hexadecimal."""

    organisation: str
    kind: Kind
    name: str
    serial: str
    not_before: datetime
    not_after: datetime

    def require_valid(self, *, at: datetime) -> None:
        """Refuse a certificate outside its time: a connection may outlast the certificate that opened it."""
        if at < self.not_before:
            raise CertificateNotYetValidError(
                f"expected a certificate valid at {values.instant_text(at)}, "
                f"got one from {values.instant_text(self.not_before)}",
                hint="compare the clocks of the two machines",
            )
        if at > self.not_after:
            raise CertificateExpiredError(
                f"expected a certificate valid at {values.instant_text(at)}, "
                f"got one until {values.instant_text(self.not_after)}",
                hint="ask the operator for a new client certificate",
            )


def identity_uri(organisation: str, kind: Kind, name: str) -> str:
    """Write the one URI that a client certificate carries."""
    return f"{_SCHEME}{values.name(organisation)}/{kind}/{values.name(name)}"


def identity_of(certificate_pem: bytes) -> Identity:
    """Read who holds the certificate, or refuse it."""
    try:
        certificate, *others = x509.load_pem_x509_certificates(certificate_pem)
        extensions = certificate.extensions
    except UNREADABLE as error:
        raise UnreadableCertificateError(f"expected an X.509v3 certificate in PEM, got {error}") from None
    if others:
        raise UnreadableCertificateError(f"expected one certificate, got {1 + len(others)}")
    _require_client(extensions)
    organisation, kind, name = _parts(_only_uri(extensions))
    return Identity(
        organisation=organisation,
        kind=kind,
        name=name,
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def runs_out(certificates_pem: bytes) -> datetime:
    """Return when the first of some certificates runs out."""
    try:
        return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(certificates_pem))
    except UNREADABLE as error:
        raise UnreadableCertificateError(f"expected certificates in PEM, got {error}") from None


def _require_client(extensions: x509.Extensions) -> None:
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise CertificateUseError("expected a client's certificate, got an authority's", hint=_HINT)
    except x509.ExtensionNotFound:
        pass  # absent means that it is no authority (RFC 5280, section 4.2.1.9)
    try:
        uses = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        raise CertificateUseError(
            "expected a certificate for clients, got one without use", hint=_HINT
        ) from None
    if uses != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        got = ", ".join(use.dotted_string for use in uses)
        raise CertificateUseError(f"expected a certificate for clients only, got one for {got}", hint=_HINT)


def _only_uri(extensions: x509.Extensions) -> str:
    try:
        names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        raise CertificateIdentityError(f"expected {_EXPECTED}, got none", hint=_HINT) from None
    match names:
        case [x509.UniformResourceIdentifier(value=uri)]:
            return uri
        case _:
            raise CertificateIdentityError(f"expected {_EXPECTED}, got {names!r}", hint=_HINT)


def _parts(uri: str) -> tuple[str, Kind, str]:
    try:
        scheme, rest = uri[: len(_SCHEME)], uri[len(_SCHEME) :]
        organisation, kind, name = rest.split("/")
        parts = organisation, Kind(kind), name
        if scheme == _SCHEME and identity_uri(*parts) == uri:
            return parts
    except (ValueError, ValueFormatError):
        pass
    raise CertificateIdentityError(f"expected {_EXPECTED}, got {uri!r}", hint=_HINT)
