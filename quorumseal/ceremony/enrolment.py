# SPDX-License-Identifier: Apache-2.0
"""How somebody proves that they have the keys with which they join (docs/spec/enrolment.md).

The statement names the invitation by the digest of its code, so whoever sees the statement cannot use the
invitation; and it is signed by both keys, so nobody joins with a key that is not theirs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.enrolment_errors import (
    InvitationFormatError,
    KeyTakenError,
    NotBothKeysError,
    OtherCertificateRequestError,
    OtherInvitationError,
    WitnessKeyError,
)
from quorumseal.ceremony.errors import NewerFormatError, StatementFormatError
from quorumseal.ceremony.policy_document import FORMAT, STATEMENT_TYPE
from quorumseal.ceremony.policy_fields import read_key, require_format, write_key
from quorumseal.ceremony.values import digest, digest_from_hex, digest_of, instant, instant_text, name
from quorumseal.signatures import Envelope, JointEnvelope, PrivateKey, PublicKey, Scheme, SignatureError
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import Fields, read, write

ENROLMENT_TYPE = "https://quorumseal.dev/enrolment/v1"
MAX_ENROLMENT_BYTES = 8 << 10
CODE_BYTES = 16
_CODE = re.compile(r"[0-9a-f]{4}(?:-[0-9a-f]{4}){7}")
_SUBJECT = "certificate-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Who joins with which keys, by which invitation."""

    organisation: str
    signer: str
    key: PublicKey
    """Signs requests and decisions."""
    witness: PublicKey
    """Signs checkpoints of the log, and nothing else."""
    certificate_request: str
    """The digest of the PKCS #10 request (DER) that comes with it."""
    code: str
    """The digest of the invitation's code."""
    signed_at: datetime

    def __post_init__(self) -> None:
        if self.witness.scheme is not Scheme.ED25519 or self.witness == self.key:
            raise WitnessKeyError(
                f"expected an Ed25519 key of its own as the witness of {self.signer}, got "
                f"{'the signing key' if self.witness == self.key else self.witness.scheme}"
            )


def invitation_code(randomness: bytes) -> str:
    """Return the code that is handed to whoever is invited."""
    if len(randomness) != CODE_BYTES:
        raise ValueError(f"an invitation's code has {CODE_BYTES} random bytes, not {len(randomness)}")
    return randomness.hex("-", 2)


def read_code(text: str) -> str:
    """Return the code that somebody typed, in its one spelling."""
    code = text.strip().lower()
    if not _CODE.fullmatch(code):
        raise InvitationFormatError(
            f"expected a code of eight groups of four digits 0-9 a-f, got {len(text)} characters"
        )
    return code


def code_digest(code: str) -> str:
    """Name an invitation without saying its code."""
    return digest_of(code.encode())


def enrol(enrolment: Enrolment, key: PrivateKey, witness: PrivateKey) -> JointEnvelope:
    """Sign with both keys."""
    payload = write_enrolment(enrolment)
    return JointEnvelope.of([sign(payload, key), sign(payload, witness)])


def write_enrolment(enrolment: Enrolment) -> bytes:
    """Make the payload that both keys sign."""
    request = enrolment.certificate_request.partition(":")[2]
    return write(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": _SUBJECT, "digest": {"sha256": request}}],
            "predicateType": ENROLMENT_TYPE,
            "predicate": {
                "format": FORMAT,
                "organisation": enrolment.organisation,
                "signer": enrolment.signer,
                "key": write_key(enrolment.key),
                "witness": write_key(enrolment.witness),
                "code": enrolment.code,
                "signed_at": instant_text(enrolment.signed_at),
            },
        }
    )


def read_enrolment(payload: bytes) -> Enrolment:
    """Return the enrolment that the bytes are, or refuse them; nothing says yet who signed it."""
    statement = Fields(read(payload, max_bytes=MAX_ENROLMENT_BYTES), "enrolment")
    statement.constant("_type", STATEMENT_TYPE)
    if statement.text("predicateType") != ENROLMENT_TYPE:
        raise NewerFormatError(f"expected {ENROLMENT_TYPE}, got {statement.text('predicateType')[:100]!a}")
    subjects = statement.objects("subject")
    if len(subjects) != 1:
        raise statement.invalid("subject", "one subject, the certificate request")
    subjects[0].constant("name", _SUBJECT)
    fields = statement.object("predicate")
    require_format(fields, FORMAT)
    enrolment = Enrolment(
        organisation=name(fields.text("organisation")),
        signer=name(fields.text("signer")),
        key=read_key(fields.object("key")),
        witness=read_key(fields.object("witness")),
        certificate_request=digest_from_hex(subjects[0].object("digest").text("sha256")),
        code=digest(fields.text("code")),
        signed_at=instant(fields.text("signed_at")),
    )
    statement.done()
    if write_enrolment(enrolment) != payload:
        raise StatementFormatError("expected an enrolment written canonically (RFC 8785), got other bytes")
    return enrolment


def verify_enrolment(envelope: JointEnvelope) -> Enrolment:
    """Return the enrolment if exactly its two keys signed it, each once."""
    enrolment = read_enrolment(envelope.payload)
    both = {enrolment.key, enrolment.witness}
    proved = [_key_of(each, both) for each in envelope.envelopes]
    if len(proved) != len(both) or set(proved) != both:
        raise NotBothKeysError(
            f"expected one signature by each of the two keys of {enrolment.signer}, "
            f"got {len(proved)}, of which {len(both.intersection(proved))} of them made one"
        )
    return enrolment


def _key_of(envelope: Envelope, keys: Iterable[PublicKey]) -> PublicKey | None:
    for key in keys:
        try:
            envelope.verify(key)
        except SignatureError:
            continue
        return key
    return None


def require_invited(
    enrolment: Enrolment, *, organisation: str, signer: str, code: str, certificate_request: bytes
) -> None:
    """Refuse an enrolment that was signed for something else than this invitation and this request."""
    expected, got = (organisation, signer), (enrolment.organisation, enrolment.signer)
    if got != expected or enrolment.code != code_digest(code):
        other = "another invitation" if got == expected else f"{got[1]} in {got[0]}"
        raise OtherInvitationError(
            f"expected an enrolment of {signer} in {organisation} by this invitation, got one of {other}"
        )
    if enrolment.certificate_request != digest_of(certificate_request):
        raise OtherCertificateRequestError(
            f"expected the certificate request that {signer} signed ({enrolment.certificate_request}), "
            f"got {digest_of(certificate_request)}"
        )


def require_new_keys(enrolment: Enrolment, taken: Mapping[PublicKey, str]) -> None:
    """Refuse a key that is already taken; keys are compared by value, however they were written."""
    for key in (enrolment.key, enrolment.witness):
        if key in taken:
            raise KeyTakenError(f"expected a new key, got {key.key_id}, which is {taken[key]}")
