# SPDX-License-Identifier: Apache-2.0
"""Somebody who joins: a code, two keys, a certificate request, and the enrolment that both keys signed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from quorumseal.ceremony.enrolment import Enrolment, code_digest, enrol, invitation_code
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import JointEnvelope, PrivateKey, Scheme
from quorumseal.strict_json import write
from tests.organisation import NOW, key_of


def code_of(name: str) -> str:
    """Return the same code for a name in every run."""
    return invitation_code(digest_of(name.encode()).encode()[7:23])


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """What one person brings."""

    name: str
    organisation: str = "acme.example"
    code: str = ""
    key_seed: str = ""
    scheme: Scheme = Scheme.ED25519
    signed_at: datetime = NOW + timedelta(seconds=1)

    @property
    def key(self) -> PrivateKey:
        return key_of(self.key_seed or f"{self.name} joins", self.scheme)

    @property
    def witness(self) -> PrivateKey:
        return key_of(f"{self.key_seed or self.name} witnesses")

    @cached_property
    def tls_key(self) -> ec.EllipticCurvePrivateKey:
        """The key of their connections, the same one every time."""
        scalar = int.from_bytes(digest_of(f"{self.name} {self.key_seed}".encode()).encode()[7:38])
        return ec.derive_private_key(scalar, ec.SECP256R1())

    @property
    def request(self) -> bytes:
        """The certificate request, which asks for no name."""
        return request_for(key=self.tls_key)

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(
            organisation=self.organisation,
            signer=self.name,
            key=self.key.public,
            witness=self.witness.public,
            certificate_request=digest_of(self.request),
            code=code_digest(self.code or code_of(self.name)),
            signed_at=self.signed_at,
        )

    @property
    def envelope(self) -> JointEnvelope:
        return enrol(self.enrolment, self.key, self.witness)

    @property
    def bytes(self) -> bytes:
        """What travels."""
        return write(self.envelope.to_json())

    def by(self, code: str) -> "Newcomer":
        """Return the same person with another invitation."""
        return replace(self, code=code)


def request_for(
    *names: x509.GeneralName, common_name: str = "", key: ec.EllipticCurvePrivateKey | None = None
) -> bytes:
    """Make a certificate request, with a new key where none is given."""
    subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    signer = key or ec.generate_private_key(ec.SECP256R1())
    return builder.sign(signer, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
