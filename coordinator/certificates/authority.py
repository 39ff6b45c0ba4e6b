# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for one machine or a small organisation.

Three profiles (RFC 5280), ECDSA P-256 throughout: the authority, which may issue no further authority;
servers, named by host names and addresses; clients, named by one URI and nothing else.  A certificate lets
its holder talk to the coordinator; it never approves anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coordinator.certificates import profiles
from coordinator.certificates.errors import AuthorityMismatchError, OutlivesAuthorityError
from coordinator.certificates.identity import Kind, identity_uri
from quorumseal.ceremony import values
from quorumseal.signatures import (
    P256PrivateKey,
    PublicKey,
    Scheme,
    generate_key,
    read_key_file,
    write_key_file,
)

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What one end of a connection presents: a certificate, and its key unencrypted as TLS wants it."""

    certificate_pem: bytes
    private_key_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Authority:
    """One organisation's certificate authority: ``create`` makes one, ``load`` opens one from its files."""

    certificate_pem: bytes
    _certificate: x509.Certificate = field(repr=False)
    _key: P256PrivateKey = field(repr=False)

    @classmethod
    def create(cls, organisation: str, *, at: datetime, lifetime: timedelta, randomness: Randomness) -> Self:
        """Make an authority with a new key."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, values.name(organisation)),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Quorumseal authority {randomness(4).hex()}"),
            ]
        )
        key = new_key(randomness)
        builder = (
            profiles.builder(subject, key.public, at=at, lifetime=lifetime, serial=new_serial(randomness))
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(profiles.key_usage("key_cert_sign"), critical=True)
        )
        certificate = profiles.signed(builder, key)
        return cls(certificate.public_bytes(Encoding.PEM), certificate, key)

    @classmethod
    def load(cls, certificate_pem: bytes, key_file: bytes, passphrase: bytes | None) -> Self:
        """Open an authority from its files; None asks for a key file that is not encrypted."""
        key = read_key_file(key_file, passphrase)
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem)
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            organisations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion) as error:
            raise AuthorityMismatchError(f"expected an authority's certificate in PEM, got {error}") from None
        if not constraints.ca or len(organisations) != 1:
            raise AuthorityMismatchError(
                "expected the certificate of one organisation's authority, got another kind"
            )
        if (
            not isinstance(key, P256PrivateKey)
            or profiles.library_key(key.public) != certificate.public_key()
        ):
            raise AuthorityMismatchError(
                "expected the key of this authority's certificate, got another",
                hint="certificate and key are one pair: restore both from the same backup",
            )
        return cls(certificate.public_bytes(Encoding.PEM), certificate, key)

    @property
    def organisation(self) -> str:
        """Whose authority this is."""
        attribute, *_ = self._certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(attribute.value)

    @property
    def not_after(self) -> datetime:
        """When this authority, and all that it issued, ends."""
        return self._certificate.not_valid_after_utc

    def key_file(self, passphrase: bytes | None) -> bytes:
        """Return the authority's key as a file; only an explicit None leaves it unencrypted."""
        return write_key_file(self._key, passphrase)

    def issue_server(
        self, names: Sequence[str], *, at: datetime, lifetime: timedelta, randomness: Randomness
    ) -> Credentials:
        """Make a server's certificate for host names and addresses, with a new key."""
        if not names:
            raise ValueError("a server's certificate names at least one host")
        key = new_key(randomness)
        certificate_pem = self._issue(
            key.public,
            [profiles.host(name) for name in names],
            ExtendedKeyUsageOID.SERVER_AUTH,
            at=at,
            lifetime=lifetime,
            randomness=randomness,
        )
        return Credentials(certificate_pem=certificate_pem, private_key_pem=write_key_file(key, None))

    def issue_client(
        self, kind: Kind, name: str, *, at: datetime, lifetime: timedelta, randomness: Randomness
    ) -> Credentials:
        """Make a client's certificate with a new key: for a machine that is at hand."""
        key = new_key(randomness)
        certificate_pem = self.certify_client(
            kind, name, key.public, at=at, lifetime=lifetime, randomness=randomness
        )
        return Credentials(certificate_pem=certificate_pem, private_key_pem=write_key_file(key, None))

    def certify_client(
        self,
        kind: Kind,
        name: str,
        key: PublicKey,
        *,
        at: datetime,
        lifetime: timedelta,
        randomness: Randomness,
    ) -> bytes:
        """Make a client's certificate for a P-256 key that never left its holder's machine."""
        return self._issue(
            key,
            [x509.UniformResourceIdentifier(identity_uri(self.organisation, kind, name))],
            ExtendedKeyUsageOID.CLIENT_AUTH,
            at=at,
            lifetime=lifetime,
            randomness=randomness,
        )

    def _issue(
        self,
        key: PublicKey,
        names: Sequence[x509.GeneralName],
        use: x509.ObjectIdentifier,
        *,
        at: datetime,
        lifetime: timedelta,
        randomness: Randomness,
    ) -> bytes:
        end = profiles.whole_seconds(at) + lifetime
        if end > self.not_after:
            raise OutlivesAuthorityError(
                f"expected an end before the authority's, {values.instant_text(self.not_after)}, "
                f"got {values.instant_text(end)}",
                hint="shorten the lifetime, or make the organisation's next authority",
            )
        authority_key = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            # RFC 5280, section 4.1.2.6: an empty subject makes the alternative name critical.
            profiles.builder(x509.Name([]), key, at=at, lifetime=lifetime, serial=new_serial(randomness))
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(profiles.key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_key), critical=False
            )
        )
        return profiles.signed(builder, self._key).public_bytes(Encoding.PEM)


def new_key(randomness: Randomness) -> P256PrivateKey:
    """Make the key of a certificate."""
    return cast("P256PrivateKey", generate_key(Scheme.ECDSA_P256, randomness))


def new_serial(randomness: Randomness) -> int:
    """Make a serial number of 128 bits, the first of which is set."""
    return int.from_bytes(randomness(16)) | 1 << 127
