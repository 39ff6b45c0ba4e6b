# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps: a third party's word that some bytes existed at an instant.

A token is the DER of a ``TimeStampToken``.  It is judged against authorities that somebody pinned, each by
the certificate that its own lead back to; nothing in the token is trusted to say who made it.  The library
verifies CMS and certificate paths; what it leaves open is checked here: the hash functions, the one signer,
the validity of every certificate at the stated time, the fraction of a second.

``rfc3161-client`` is loaded at the first token: whoever meets none need not have it.  Who replays a log
without it may ask to take tokens by their own word (``taking_tokens_unjudged``), and says that they did.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

from quorumseal.signatures import der
from quorumseal.signatures.encodings import armour, unarmour
from quorumseal.signatures.errors import (
    AuthorityCertificateError,
    AuthorityExpiredError,
    AuthorityPurposeError,
    MalformedTimestampError,
    NonceError,
    NotGrantedError,
    OtherImprintError,
    TimestampAlgorithmError,
    TimestampLibraryError,
    TimestampSignatureError,
    UnknownAuthorityError,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse
    from rfc3161_client.tsp import Accuracy, SignerInfo

MAX_TOKEN_BYTES: Final = 16 << 10
"""With the certificates of a few authorities in it, a token takes about 6."""
NONCE_BYTES: Final = 16
_LABEL: Final = "CERTIFICATE"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_SHA2: Final = frozenset({_SHA256, "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"})
_GRANTED: Final = bytes.fromhex("3003020100")
_SHA256_ALGORITHM: Final = bytes.fromhex("300d06096086480165030402010500")
_CERTIFICATES: Final = 0xA0
_LONGEST_PATH: Final = 4
_WORST_ACCURACY: Final = timedelta(hours=1)
_TIME: Final = re.compile(r"([0-9]{14})(?:\.([0-9]{0,5}[1-9]))?Z")
_Read = TypeVar("_Read")
_UNJUDGED: Final = ContextVar[list[bytes] | None]("unjudged", default=None)


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody whose word for a time is taken, by the certificate (DER) at the root of theirs."""

    name: str
    certificate: bytes

    @classmethod
    def read(cls, name: str, pem: str) -> "Authority":
        """Pin an authority by a certificate in PEM; it must have signed itself."""
        try:
            _, certificate = unarmour(pem, _LABEL)
            root = _load(certificate)
            root.verify_directly_issued_by(root)
        except Exception as reason:  # every library's own, for bytes that somebody pasted
            raise AuthorityCertificateError(
                f"timestamp authority {name}: expected one certificate in PEM that signed itself, "
                f"got another text ({str(reason) or type(reason).__name__})"
            ) from None
        return cls(name, certificate)

    @property
    def pem(self) -> str:
        """The certificate as it is written down."""
        return armour(_LABEL, self.certificate).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A token that was verified.  There is no way to make one but ``read_timestamp``."""

    authority: str
    at: datetime
    """What the authority's clock said."""
    latest: datetime
    """What is proved: the bytes existed by this instant; the clock's accuracy is added, in milliseconds."""
    token: bytes

    @property
    def earliest(self) -> datetime:
        """As far before as the clock may have been wrong."""
        return self.at - (self.latest - self.at)


def request_timestamp(message: bytes, nonce: int) -> bytes:
    """Return the question for an authority (``TimeStampReq``): what time is it, and who says so?"""
    imprint = _SHA256_ALGORITHM + der.encode(der.OCTET_STRING, sha256(message).digest())
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1)
    return der.encode(
        der.SEQUENCE,
        b"\x02\x01\x01"  # version 1
        + der.encode(der.SEQUENCE, imprint)
        + der.encode(der.INTEGER, number)
        + b"\x01\x01\xff",  # with the signer's certificate
    )


def answered(answer: bytes, message: bytes, authorities: Sequence[Authority], *, nonce: int) -> Timestamp:
    """Return the timestamp that an authority's answer (``TimeStampResp``) holds, verified.

    Certificates are put into the order that DER asks of a set and that not every authority heeds.  No
    signature covers them.
    """
    try:
        status, *token = der.elements(der.only(answer, der.SEQUENCE))
        number = der.elements(status.content)[0]
    except (ValueError, IndexError):
        raise MalformedTimestampError(
            "expected the answer of a timestamp authority, got other bytes"
        ) from None
    if number != der.Element(der.INTEGER, b"\0") or len(token) != 1:
        raise NotGrantedError(
            f"expected the authority to grant a timestamp, got status {int.from_bytes(number.content)}",
            hint="ask the authority's operator what it accepts",
        )
    return read_timestamp(_in_order(der.encode(*token[0])), message, authorities, nonce=nonce)


@contextmanager
def taking_tokens_unjudged() -> Iterator[list[bytes]]:
    """Where there is no library, believe what a token says of its time; give the list of those that were.

    Nobody may accept anything by them: a token only ever makes a decision older than its entry says.
    """
    taken: list[bytes] = []
    reset = _UNJUDGED.set(taken)
    try:
        yield taken
    finally:
        _UNJUDGED.reset(reset)


def read_timestamp(
    token: bytes, message: bytes, authorities: Iterable[Authority], *, nonce: int | None = None
) -> Timestamp:
    """Return what the token proves of ``message``, by one of the authorities; refuse it otherwise."""
    if not 0 < len(token) <= MAX_TOKEN_BYTES:
        raise MalformedTimestampError(
            f"expected a timestamp of 1 to {MAX_TOKEN_BYTES} bytes, got {len(token)}"
        )
    response = _decode(token)
    if response is None:
        return _unjudged(token, message)
    info = response.tst_info
    digests = {oid.dotted_string for oid in response.signed_data.digest_algorithms}
    if info.message_imprint.hash_algorithm.dotted_string != _SHA256 or not digests <= _SHA2:
        raise TimestampAlgorithmError("expected a timestamp over SHA-256, got one with another hash function")
    if info.message_imprint.message != sha256(message).digest():
        raise OtherImprintError("expected a timestamp of these bytes, got one of others")
    if nonce is not None and info.nonce != nonce:
        raise NonceError(
            "expected the answer to the question that was asked, got one to another",
            hint="something between here and the authority repeats old answers",
        )
    at = _time_in(token)
    path, authority = _path(response, list(authorities))
    _check_path(path, at)
    _check_signature(response, path, message)
    latest = _malformed_unless(lambda: _later(at, response.tst_info.accuracy))
    return Timestamp(authority=authority.name, at=at, latest=latest, token=token)


def _decode(token: bytes) -> "TimeStampResponse | None":
    """Return what is in a token; none where nobody here can read it, and whoever asks knows."""
    try:
        from rfc3161_client import decode_timestamp_response
    except ModuleNotFoundError:
        if (taken := _UNJUDGED.get()) is not None:
            taken.append(token)
            return None
        raise TimestampLibraryError("expected rfc3161-client, which reads timestamps, got none") from None

    def decode() -> "TimeStampResponse":
        response = decode_timestamp_response(der.encode(der.SEQUENCE, _GRANTED + token))
        # The library reads what is inside on demand: whatever it stumbles over, it does so here.
        _ = response.tst_info, response.signed_data.certificates
        return response

    return _malformed_unless(decode)


def _malformed_unless(read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except Exception as reason:  # whatever libraries raise over bytes that anybody may have made
        raise MalformedTimestampError(
            f"expected a timestamp in DER as RFC 3161 has it, got other bytes ({str(reason)[:200]})"
        ) from None


def _load(certificate: bytes) -> "Certificate":
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(certificate)


def _in_order(token: bytes) -> bytes:
    """Return the token with the certificates in it ascending."""

    def sort() -> bytes:
        content_type, signed = der.elements(der.only(token, der.SEQUENCE))
        fields = der.elements(der.only(signed.content, der.SEQUENCE))
        ordered = [
            der.encode(tag, b"".join(sorted(der.encode(*each) for each in der.elements(content))))
            if tag == _CERTIFICATES
            else der.encode(tag, content)
            for tag, content in fields
        ]
        inner = der.encode(signed.tag, der.encode(der.SEQUENCE, b"".join(ordered)))
        return der.encode(der.SEQUENCE, der.encode(*content_type) + inner)

    return _malformed_unless(sort)


def _time_in(token: bytes) -> datetime:
    """Return the stated time with its fraction, which the library leaves out."""

    def read() -> datetime:
        (text,) = (each.content for each in _stated(token) if each.tag == der.GENERALIZED_TIME)
        match = _TIME.fullmatch(text.decode())
        if match is None:
            raise ValueError("a time of another form")
        whole = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return whole + timedelta(microseconds=int((match[2] or "0").ljust(6, "0")))

    return _malformed_unless(read)


def _stated(token: bytes) -> list[der.Element]:
    """Return the elements of what an authority signed (``TSTInfo``)."""
    _, signed = der.elements(der.only(token, der.SEQUENCE))
    _, _, wrapped, *_ = der.elements(der.only(signed.content, der.SEQUENCE))
    _, content = der.elements(wrapped.content)
    return der.elements(der.only(der.only(content.content, der.OCTET_STRING), der.SEQUENCE))


def _unjudged(token: bytes, message: bytes) -> Timestamp:
    """Return what a token says of a time, with nobody's word that an authority said so."""
    at = _time_in(token)

    def read() -> tuple[bytes, datetime]:
        _, _, imprint, _, _, *more = _stated(token)
        _, digest = der.elements(imprint.content)
        parts = more[0].content if more and more[0].tag == der.SEQUENCE else b""
        late = at
        for part in der.elements(parts):
            late += _UNITS[part.tag] * int.from_bytes(part.content)
        return digest.content, _bounded(at, late)

    digest, latest = _malformed_unless(read)
    if digest != sha256(message).digest():
        raise OtherImprintError("expected a timestamp of these bytes, got one of others")
    return Timestamp(authority="", at=at, latest=latest, token=token)


_UNITS: Final = {
    der.INTEGER: timedelta(seconds=1),
    0x80: timedelta(milliseconds=1),
    0x81: timedelta(microseconds=1),
}
"""Of an accuracy, by tag."""


def _later(at: datetime, accuracy: "Accuracy | None") -> datetime:
    late = at
    if accuracy is not None:
        late += timedelta(
            seconds=accuracy.seconds or 0,
            milliseconds=accuracy.millis or 0,
            microseconds=accuracy.micros or 0,
        )
    return _bounded(at, late)


def _bounded(at: datetime, late: datetime) -> datetime:
    if late - at > _WORST_ACCURACY:
        raise ValueError(f"a clock that is right to {late - at}")
    return late + timedelta(microseconds=-late.microsecond % 1000)


def _path(
    response: "TimeStampResponse", authorities: Sequence[Authority]
) -> tuple[list["Certificate"], Authority]:
    """Return the certificates from the signer's up to the pinned one, by what each of them signed."""
    signers = list(response.signed_data.signer_infos)
    if len(signers) != 1:
        raise MalformedTimestampError(f"expected a timestamp with one signature, got {len(signers)}")
    found = _malformed_unless(lambda: [_load(each) for each in sorted(response.signed_data.certificates)])
    path = _malformed_unless(lambda: [each for each in found if _is_of(signers[0], each)][:1])
    roots = [(each, _load(each.certificate)) for each in authorities]
    while 0 < len(path) <= _LONGEST_PATH:
        for authority, root in roots:
            if _issued(path[-1], root):
                return [*path, root], authority
        issuers = [each for each in found if each not in path and _issued(path[-1], each)]
        if not issuers:
            break
        path.append(issuers[0])
    raise UnknownAuthorityError(
        f"expected a timestamp by {' or '.join(each.name for each in authorities) or 'nobody'}, "
        "got one by somebody else, or without the certificates that lead to its authority",
        hint="the policy names the authorities whose word is taken (timestamping)",
    )


def _is_of(signer: "SignerInfo", certificate: "Certificate") -> bool:
    return (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number)


def _issued(certificate: "Certificate", issuer: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_path(path: Sequence["Certificate"], at: datetime) -> None:
    from cryptography.x509 import ExtendedKeyUsage, ExtensionNotFound
    from cryptography.x509.oid import ExtendedKeyUsageOID

    for each in path:
        if not each.not_valid_before_utc <= at <= each.not_valid_after_utc:
            raise AuthorityExpiredError(
                f"expected certificates of the authority that were valid at {at:%Y-%m-%dT%H:%M:%SZ}, got "
                f"one valid {each.not_valid_before_utc:%Y-%m-%d} to {each.not_valid_after_utc:%Y-%m-%d}"
            )
    try:
        usage = path[0].extensions.get_extension_for_class(ExtendedKeyUsage)
    except (ExtensionNotFound, ValueError):
        usage = None
    if usage is None or not usage.critical or [*usage.value] != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise AuthorityPurposeError(
            "expected a timestamp signed with a certificate for timestamps alone (critical extended key "
            "usage timeStamping), got one signed with another"
        )


def _check_signature(response: "TimeStampResponse", path: Sequence["Certificate"], message: bytes) -> None:
    from rfc3161_client import VerificationError, VerifierBuilder

    verifier = VerifierBuilder(tsa_certificate=path[0], roots=[path[-1]]).build()
    try:
        verifier.verify(response, sha256(message).digest())
    except (VerificationError, ValueError):
        raise TimestampSignatureError(
            "expected a timestamp as its authority signed it, got one that was changed, or whose "
            "certificates are not those of an authority"
        ) from None
