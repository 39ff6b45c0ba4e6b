# SPDX-License-Identifier: Apache-2.0
import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from coordinator.certificates import (
    CertificateError,
    CertificateExpiredError,
    CertificateNotYetValidError,
    Credentials,
    Kind,
    identity_of,
)
from tests.certificates.forging import DAY, authority, forge, uri

NOW = datetime(2026, 11, 20, 14, 7, 0, tzinfo=UTC)
OWN = authority(at=NOW)
CAROL = uri("quorumseal://acme/signer/carol")
BOTH = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


@pytest.mark.parametrize("kind", Kind)
def test_what_is_issued_is_read_back(kind: Kind) -> None:
    credentials = OWN.issue_client(kind, "carol-2.b", at=NOW, lifetime=DAY, randomness=os.urandom)
    identity = identity_of(credentials.certificate_pem)
    assert (identity.organisation, identity.kind, identity.name) == ("acme", kind, "carol-2.b")
    serial = x509.load_pem_x509_certificate(credentials.certificate_pem).serial_number
    assert int(identity.serial, 16) == serial


def test_the_subject_says_nothing() -> None:
    forged = forge(OWN, at=NOW, names=[CAROL], common_name="dan")
    assert identity_of(forged.certificate_pem).name == "carol"


def test_a_certificate_that_says_nothing_of_authorities_is_none() -> None:
    forged = forge(OWN, at=NOW, names=[CAROL], is_authority=None)
    assert identity_of(forged.certificate_pem).name == "carol"


def refused() -> dict[str, tuple[Credentials, str]]:
    def named(*names: x509.GeneralName) -> Credentials:
        return forge(OWN, at=NOW, names=names)

    server = OWN.issue_server(["localhost"], at=NOW, lifetime=DAY, randomness=os.urandom)
    identity, use = "certificate.identity", "certificate.wrong_use"
    uris = [
        "QUORUMSEAL://acme/signer/carol",
        "https://acme/signer/carol",
        "quorumseal:/acme/signer/carol",
        "quorumseal://acme/signer",
        "quorumseal://acme/signer/",
        "quorumseal:///signer/carol",
        "quorumseal://acme/signer/carol/",
        "quorumseal://acme/signer/carol?x",
        "quorumseal://acme/signer/carol#x",
        "quorumseal://acme/signer/Carol",
        "quorumseal://acme/signer/car%6fl",
        "quorumseal://acme/signer/carol\n",
        "quorumseal://acme/signer/../operator/carol",
        "quorumseal://me@acme/signer/carol",
        "quorumseal://acme:1/signer/carol",
        "quorumseal://acme/coordinator/carol",
        "quorumseal://acme/SIGNER/carol",
        "quorumseal://acme/signer/" + "c" * 65,
    ]
    return {
        **{text: (named(uri(text)), identity) for text in uris},
        "no name": (named(), identity),
        "two URIs": (named(CAROL, uri("quorumseal://acme/signer/dan")), identity),
        "the same URI twice": (named(CAROL, CAROL), identity),
        "a host name beside the URI": (named(CAROL, x509.DNSName("localhost")), identity),
        "a mail address": (named(x509.RFC822Name("carol@acme.example")), identity),
        "a server's": (server, use),
        "no purpose": (forge(OWN, at=NOW, names=[CAROL], uses=[]), use),
        "both purposes": (forge(OWN, at=NOW, names=[CAROL], uses=BOTH), use),
        "any purpose": (
            forge(OWN, at=NOW, names=[CAROL], uses=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
            use,
        ),
        "an authority's": (forge(OWN, at=NOW, names=[CAROL], is_authority=True), use),
    }


REFUSED = refused()


@pytest.mark.parametrize(("presented", "code"), REFUSED.values(), ids=REFUSED)
def test_a_certificate_that_names_no_caller_is_refused(presented: Credentials, code: str) -> None:
    with pytest.raises(CertificateError) as caught:
        identity_of(presented.certificate_pem)
    assert caught.value.code == code
    assert caught.value.hint


def unreadable() -> dict[str, bytes]:
    credentials = forge(OWN, at=NOW, names=[CAROL])
    pem = credentials.certificate_pem
    lines = pem.splitlines(keepends=True)
    return {
        "nothing": b"",
        "noise": b"\x00\xff",
        "a key": credentials.private_key_pem,
        "a cut certificate": b"".join([*lines[:3], *lines[-1:]]),
        "two certificates": pem + OWN.certificate_pem,
    }


UNREADABLE = unreadable()


@pytest.mark.parametrize("presented", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_not_one_certificate_is_refused(presented: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        identity_of(presented)
    assert caught.value.code == "certificate.unreadable"


def test_a_connection_does_not_outlast_its_certificate() -> None:
    credentials = OWN.issue_client(Kind.SIGNER, "carol", at=NOW, lifetime=DAY, randomness=os.urandom)
    identity = identity_of(credentials.certificate_pem)
    identity.require_valid(at=identity.not_before)
    identity.require_valid(at=identity.not_after)
    with pytest.raises(CertificateExpiredError, match=r"until 2026-11-21T14:07:00\.000Z") as expired:
        identity.require_valid(at=identity.not_after + timedelta(seconds=1))
    with pytest.raises(CertificateNotYetValidError) as early:
        identity.require_valid(at=identity.not_before - timedelta(seconds=1))
    assert (expired.value.code, early.value.code) == ("certificate.expired", "certificate.not_yet_valid")
