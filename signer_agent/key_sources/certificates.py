# SPDX-License-Identifier: Apache-2.0
"""The certificate that a connection needs: asking for one, and reading from one when it runs out.

Every verb that connects looks at its certificate, so what is read is read here by hand: loading a library
for it would take longer than the rest of the verb.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from quorumseal.signatures import P256PrivateKey
from signer_agent.errors import CertificateFileError

_SEQUENCE, _CONTEXT_0, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_FORMATS = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
_LONGEST_LENGTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What an agent needs to know of its own certificate (RFC 5280, section 4.1)."""

    not_before: datetime
    not_after: datetime
    spki: bytes
    """The key that it is for."""
    der: bytes


def read_certificate(pem: bytes) -> Certificate:
    """Read the first certificate of a PEM file, which may hold its key as well."""
    try:
        text = pem.decode("ascii")
        begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER)
        der = ssl.PEM_cert_to_DER_cert(text[begin : end + len(ssl.PEM_FOOTER)])
        ((_, certificate),) = _elements(der)
        to_be_signed = next(body for tag, body in _elements(certificate) if tag == _SEQUENCE)
        # serial, signature, issuer, validity, subject, subjectPublicKeyInfo, and what is not looked at
        fields = [(tag, body) for tag, body in _elements(to_be_signed) if tag != _CONTEXT_0]
        not_before, not_after = (_instant(tag, body) for tag, body in _elements(fields[3][1]))
        return Certificate(not_before=not_before, not_after=not_after, spki=_sequence(fields[5][1]), der=der)
    except (ValueError, IndexError, StopIteration) as error:
        raise CertificateFileError(f"expected a certificate in PEM, got none: {error}") from None


def certificate_request(key: P256PrivateKey) -> bytes:
    """Ask for a certificate for a key (PKCS #10, DER); for no name: the coordinator knows whose it is."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    secret = ec.derive_private_key(int.from_bytes(key.scalar), ec.SECP256R1())
    unsigned = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return unsigned.sign(secret, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each DER element."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            if not 2 < start <= 2 + _LONGEST_LENGTH:
                raise ValueError("an element of no length")
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            raise ValueError("an element that is cut off")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _sequence(body: bytes) -> bytes:
    """Put the head of a short sequence before its content again."""
    if len(body) >= 0x80:
        raise ValueError("a key of another kind")
    return bytes([_SEQUENCE, len(body)]) + body


def _instant(tag: int, body: bytes) -> datetime:
    if tag not in _FORMATS:
        raise ValueError("no instant where one belongs")
    return datetime.strptime(body.decode("ascii"), _FORMATS[tag]).replace(tzinfo=UTC)
