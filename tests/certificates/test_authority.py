# SPDX-License-Identifier: Apache-2.0
import os
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coordinator.certificates import (
    Authority,
    AuthorityMismatchError,
    Credentials,
    Kind,
    OutlivesAuthorityError,
    identity_of,
)
from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.signatures import (
    P256PrivateKey,
    Scheme,
    WrongPassphraseError,
    generate_key,
    read_key_file,
    write_key_file,
)
from tests.certificates.forging import DAY, authority, forge, uri

NOW = datetime(2026, 11, 20, 14, 7, 0, 999_000, tzinfo=UTC)
OWN = authority(at=NOW)


def client(issuer: Authority = OWN, *, at: datetime = NOW, lifetime: timedelta = DAY) -> Credentials:
    return issuer.issue_client(Kind.AUDITOR, "erin", at=at, lifetime=lifetime, randomness=os.urandom)


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize(("purpose", "other"), [("sslclient", "sslserver"), ("sslserver", "sslclient")])
def test_openssl_finds_the_profiles_strict(purpose: str, other: str, tmp_path: Path) -> None:
    leaf = (
        client()
        if purpose == "sslclient"
        else OWN.issue_server(["localhost", "::1"], at=NOW, lifetime=DAY, randomness=os.urandom)
    )
    (tmp_path / "authority.pem").write_bytes(OWN.certificate_pem)
    (tmp_path / "leaf.pem").write_bytes(leaf.certificate_pem)
    verify = ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "authority.pem"]
    instant = ["-attime", str(int(NOW.timestamp())), "leaf.pem"]
    assert openssl(tmp_path, *verify, "-purpose", purpose, *instant) == "leaf.pem: OK\n"
    with pytest.raises(subprocess.CalledProcessError):
        openssl(tmp_path, *verify, "-purpose", other, *instant)


def test_a_client_cannot_issue_certificates(tmp_path: Path) -> None:
    key = generate_key(Scheme.ECDSA_P256, os.urandom)
    assert isinstance(key, P256PrivateKey)
    pem = OWN.certify_client(Kind.SIGNER, "mallory", key.public, at=NOW, lifetime=DAY, randomness=os.urandom)
    mallory = Authority(pem, x509.load_pem_x509_certificate(pem), key)
    issued = forge(mallory, at=NOW, names=[uri("quorumseal://acme/signer/carol")])
    (tmp_path / "authority.pem").write_bytes(OWN.certificate_pem)
    (tmp_path / "mallory.pem").write_bytes(pem)
    (tmp_path / "leaf.pem").write_bytes(issued.certificate_pem)
    instant = ["-attime", str(int(NOW.timestamp()) + 1)]
    verify = ["verify", *instant, "-CAfile", "authority.pem", "-untrusted", "mallory.pem", "leaf.pem"]
    with pytest.raises(subprocess.CalledProcessError) as caught:
        openssl(tmp_path, *verify)
    assert "invalid CA certificate" in caught.value.stderr


def test_a_certificate_for_a_key_made_elsewhere_carries_that_key() -> None:
    key = generate_key(Scheme.ECDSA_P256, os.urandom)
    pem = OWN.certify_client(Kind.OPERATOR, "olga", key.public, at=NOW, lifetime=DAY, randomness=os.urandom)
    carried = x509.load_pem_x509_certificate(pem).public_key()
    assert carried.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.public.spki
    assert identity_of(pem).kind is Kind.OPERATOR


def test_a_certificate_begins_a_little_early_and_ends_on_time() -> None:
    identity = identity_of(client(lifetime=timedelta(hours=2)).certificate_pem)
    assert identity.not_before == datetime(2026, 11, 20, 14, 2, 0, tzinfo=UTC)
    assert identity.not_after == datetime(2026, 11, 20, 16, 7, 0, tzinfo=UTC)


def test_the_subject_of_a_client_is_empty_and_its_name_critical() -> None:
    certificate = x509.load_pem_x509_certificate(client().certificate_pem)
    assert certificate.subject == x509.Name([])
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_credentials_hold_a_pair_and_never_show_the_key() -> None:
    credentials = client()
    key = read_key_file(credentials.private_key_pem, None)
    certified = x509.load_pem_x509_certificate(credentials.certificate_pem).public_key()
    assert certified.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.public.spki
    assert "PRIVATE" not in repr(credentials)


def test_the_same_instant_and_random_bytes_make_the_same_certificates() -> None:
    def made() -> tuple[bytes, Credentials]:
        randomness = random.Random(7).randbytes
        own = Authority.create("acme", at=NOW, lifetime=DAY, randomness=randomness)
        return own.certificate_pem, own.issue_client(
            Kind.SIGNER, "carol", at=NOW, lifetime=DAY, randomness=randomness
        )

    assert made() == made()


def test_an_authority_survives_its_files() -> None:
    loaded = Authority.load(OWN.certificate_pem, OWN.key_file(b"correct horse"), b"correct horse")
    assert loaded.organisation == "acme"
    assert loaded.certificate_pem == OWN.certificate_pem
    assert identity_of(client(loaded).certificate_pem).name == "erin"


def test_an_authority_does_not_open_with_another_passphrase() -> None:
    with pytest.raises(WrongPassphraseError):
        Authority.load(OWN.certificate_pem, OWN.key_file(b"correct horse"), b"battery staple")


def unmatched() -> dict[str, tuple[bytes, bytes]]:
    other, key = authority(at=NOW), OWN.key_file(None)
    ed25519 = write_key_file(generate_key(Scheme.ED25519, os.urandom), None)
    issued, bare = client(), forge(OWN, at=NOW, names=[], is_authority=True)
    return {
        "another authority's key": (OWN.certificate_pem, other.key_file(None)),
        "a key of another scheme": (OWN.certificate_pem, ed25519),
        "a client's certificate": (issued.certificate_pem, issued.private_key_pem),
        "an authority of no organisation": (bare.certificate_pem, bare.private_key_pem),
        "no certificate": (b"-----BEGIN CERTIFICATE-----", key),
    }


UNMATCHED = unmatched()


@pytest.mark.parametrize("files", UNMATCHED.values(), ids=UNMATCHED)
def test_files_that_are_no_authority_are_refused(files: tuple[bytes, bytes]) -> None:
    with pytest.raises(AuthorityMismatchError) as caught:
        Authority.load(*files, None)
    assert caught.value.code == "certificate.authority_mismatch"


def test_nothing_outlives_its_authority() -> None:
    assert identity_of(client(lifetime=30 * DAY).certificate_pem).not_after == OWN.not_after
    with pytest.raises(OutlivesAuthorityError, match=r"2026-12-20T14:07:00\.000Z") as caught:
        client(lifetime=30 * DAY + timedelta(seconds=1))
    assert caught.value.code == "certificate.outlives_authority"


@pytest.mark.parametrize("name", ["", "Carol", "carol/../dan", "carol\n", "carol ", "кarol"])
def test_a_name_that_no_roster_can_hold_is_not_certified(name: str) -> None:
    with pytest.raises(ValueFormatError):
        OWN.issue_client(Kind.SIGNER, name, at=NOW, lifetime=DAY, randomness=os.urandom)


def test_misuse_is_a_value_error() -> None:
    ed25519 = generate_key(Scheme.ED25519, os.urandom).public
    with pytest.raises(ValueError, match="ecdsa-p256"):
        OWN.certify_client(Kind.SIGNER, "carol", ed25519, at=NOW, lifetime=DAY, randomness=os.urandom)
    with pytest.raises(ValueError, match="at least one host"):
        OWN.issue_server([], at=NOW, lifetime=DAY, randomness=os.urandom)
    with pytest.raises(ValueError, match="longer than nothing"):
        client(lifetime=timedelta())
    with pytest.raises(ValueError, match="time zone"):
        client(at=NOW.replace(tzinfo=None))
