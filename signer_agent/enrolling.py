# SPDX-License-Identifier: Apache-2.0
"""How a home comes to be: keys, the statement that proves them, and what the coordinator gives for it.

Until the answer is there, everything lies in a folder beside the home's place, named after the invitation.
The home appears whole, by one renaming, or not at all; a folder that is left over belongs to an answer that
was lost, and the same invitation goes on with it.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.enrolment import Enrolment, code_digest, enrol, verify_enrolment
from quorumseal.ceremony.values import digest_of
from quorumseal.client.errors import ClientError
from quorumseal.client.values import Enrolled, Invitation
from quorumseal.signatures import (
    Ed25519PrivateKey,
    JointEnvelope,
    P256PrivateKey,
    PrivateKey,
    Scheme,
    generate_key,
    read_key_file,
    write_key_file,
)
from quorumseal.strict_json import write
from signer_agent.errors import HomeExistsError, OtherCertificateError, OtherFingerprintError
from signer_agent.home import SETTINGS_FILE, write_whole
from signer_agent.key_sources.certificates import certificate_request, read_certificate
from signer_agent.settings import settings_text

ENROLMENT_FILE, INVITATION_FILE, TLS_FILE = "enrolment.json", "invitation.json", "tls.pem"
SIGNING_FILE, WITNESS_FILE = "signing.key.pem", "witness.key.pem"
_REQUEST_FILE, _TLS_KEY_FILE, _KEY_PATH_FILE = "certificate-request.der", "tls.key.pem", "key-file.txt"
_FOLDER = 0o700
_CODE_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The key that will sign requests and decisions, and where it is kept."""

    key: PrivateKey
    made: bytes | None = None
    """The bytes of a new key's file, for the home."""
    file: Path | None = None
    """The file of a key that was there before; it stays where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An enrolment that can be sent, and sent again."""

    folder: Path
    enrolment: Enrolment
    envelope: bytes
    request: bytes


def require_fingerprint(shown: str, expected: str) -> None:
    """Refuse a server that shows another certificate than the invitation names."""
    if shown != expected:
        raise OtherFingerprintError(
            f"expected the coordinator with the fingerprint {expected}, got one with {shown}",
            hint="no key was made and nothing was sent: compare the fingerprint with whoever invited you, "
            "by another way than this network",
        )


def require_free(home: Path) -> None:
    """Refuse a place where something is already; an empty folder is nothing."""
    if home.exists() and not (home.is_dir() and not any(home.iterdir())):
        what = "a home" if (home / SETTINGS_FILE).exists() else "something else"
        raise HomeExistsError(
            f"expected nothing at {home}, got {what}",
            hint="name another place with --home: nothing is overwritten",
        )


def prepared_before(home: Path, code: str) -> Prepared | None:
    """Return what an earlier run prepared for this invitation, and had no answer to."""
    folder = _folder(home, code)
    if not (folder / ENROLMENT_FILE).is_file():
        return None
    envelope = (folder / ENROLMENT_FILE).read_bytes()
    enrolment = verify_enrolment(JointEnvelope.read(envelope))
    request = (folder / _REQUEST_FILE).read_bytes()
    return Prepared(folder=folder, enrolment=enrolment, envelope=envelope, request=request)


def prepare(
    home: Path,
    code: str,
    invitation: Invitation,
    signing: SigningKey,
    *,
    at: datetime,
    randomness: Callable[[int], bytes],
) -> Prepared:
    """Make the other keys and the statement, and put them on the disk before anything is sent."""
    folder = _folder(home, code)
    shutil.rmtree(folder, ignore_errors=True)  # not complete, so never sent
    folder.mkdir(mode=_FOLDER, parents=True)
    tls, witness = generate_key(Scheme.ECDSA_P256, randomness), generate_key(Scheme.ED25519, randomness)
    assert isinstance(tls, P256PrivateKey)  # noqa: S101 - that is what was asked for
    request = certificate_request(tls)
    enrolment = Enrolment(
        organisation=invitation.organisation,
        signer=invitation.signer,
        key=signing.key.public,
        witness=witness.public,
        certificate_request=digest_of(request),
        code=code_digest(code),
        signed_at=at,
    )
    envelope = write(enrol(enrolment, signing.key, witness).to_json())
    if signing.made is not None:
        write_whole(folder / SIGNING_FILE, signing.made)
    else:
        write_whole(folder / _KEY_PATH_FILE, os.fsencode(str(signing.file)))
    write_whole(folder / INVITATION_FILE, write({"format": 0, "log": invitation.log}))
    write_whole(folder / WITNESS_FILE, write_key_file(witness, None))
    write_whole(folder / _TLS_KEY_FILE, write_key_file(tls, None))
    write_whole(folder / _REQUEST_FILE, request)
    write_whole(folder / ENROLMENT_FILE, envelope)  # last: with it the folder is complete
    return Prepared(folder=folder, enrolment=enrolment, envelope=envelope, request=request)


def discard(prepared: Prepared) -> None:
    """Remove what was refused."""
    shutil.rmtree(prepared.folder)


def may_have_arrived(error: ClientError) -> bool:
    """Whether the coordinator may have enrolled somebody although this is what came back."""
    return error.retryable


def settle(home: Path, prepared: Prepared, enrolled: Enrolled, *, passphrase_file: Path | None) -> None:
    """Make the home of what was prepared and what came for it."""
    folder, enrolment = prepared.folder, prepared.enrolment
    tls = read_key_file((folder / _TLS_KEY_FILE).read_bytes(), None)
    require_own_certificate(enrolled.certificate, tls, enrolment.organisation, enrolment.signer)
    write_whole(folder / TLS_FILE, write_key_file(tls, None) + enrolled.certificate)
    write_whole(folder / "ca.pem", enrolled.authority)
    other_key = folder / _KEY_PATH_FILE
    settings = settings_text(
        name=enrolment.signer,
        coordinator=enrolled.coordinator,
        certificate=TLS_FILE,
        tls_key=TLS_FILE,
        key_file=os.fsdecode(other_key.read_bytes()) if other_key.exists() else SIGNING_FILE,
        passphrase_file=None if passphrase_file is None else str(passphrase_file.absolute()),
        witness_key=WITNESS_FILE,
    )
    write_whole(folder / SETTINGS_FILE, settings.encode())
    for file in (_REQUEST_FILE, _TLS_KEY_FILE, _KEY_PATH_FILE):
        (folder / file).unlink(missing_ok=True)
    folder.rename(home)


def require_own_certificate(
    pem: bytes, key: Ed25519PrivateKey | P256PrivateKey, organisation: str, signer: str
) -> None:
    """Refuse a certificate that is not for this key and this name."""
    certificate = read_certificate(pem)
    identity = f"quorumseal://{organisation}/signer/{signer}"
    if certificate.spki != key.public.spki or identity.encode() not in certificate.der:
        raise OtherCertificateError(
            f"expected a certificate of {signer} for the key that it was asked for, got another",
            hint="ask the coordinator's operator; nothing was changed here",
        )


def _folder(home: Path, code: str) -> Path:
    digits = code_digest(code).partition(":")[2][:_CODE_DIGITS]
    return home.with_name(f".{home.name}.enrolling-{digits}")
