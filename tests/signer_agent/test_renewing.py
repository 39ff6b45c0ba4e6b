# SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.certificates import Authority, Kind, requested_key
from quorumseal.client.connection import TlsFiles
from quorumseal.client.values import Renewed
from quorumseal.signatures import Scheme, generate_key, read_key_file, write_key_file
from signer_agent.errors import CertificateFileError, OtherCertificateError
from signer_agent.home import Home
from signer_agent.key_sources.certificates import read_certificate
from signer_agent.renewing import BETWEEN_TRIES, Renewal, due
from signer_agent.settings import settings_text

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@dataclass
class Office:
    """Renews certificates as a coordinator does."""

    name: str = "alice"
    clock: datetime = NOW
    renewed: int = 0
    reopened: int = 0
    authority: Authority = field(
        default_factory=lambda: Authority.create(
            "acme.example", at=NOW, lifetime=WEEK * 52, randomness=os.urandom
        )
    )

    def renew_certificate(self, certificate_request: bytes) -> Renewed:
        self.renewed += 1
        key = requested_key(certificate_request, "acme.example", Kind.SIGNER, "alice")
        pem = self.authority.certify_client(
            Kind.SIGNER, self.name, key, at=self.clock, lifetime=WEEK, randomness=os.urandom
        )
        return Renewed(certificate=pem, authority=self.authority.certificate_pem)

    def reopen(self) -> None:
        self.reopened += 1


def home_of(office: Office, folder: Path) -> tuple[Renewal, Path]:
    (folder / "agent.toml").write_text(settings_text(name="alice", coordinator="localhost:1"))
    key = generate_key(Scheme.ECDSA_P256, os.urandom)
    pem = office.authority.certify_client(
        Kind.SIGNER, "alice", key.public, at=NOW, lifetime=WEEK, randomness=os.urandom
    )
    pair = folder / "tls.pem"
    pair.write_bytes(write_key_file(key, None) + pem)
    files = TlsFiles(ca=folder / "ca.pem", certificate=pair, key=pair)
    return Renewal(office, Home.open(folder), files, "acme.example", "alice", os.urandom), pair


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), False),
        (WEEK * 2 / 3 - timedelta(minutes=5), False),
        (WEEK * 2 / 3, True),
        (WEEK * 2, True),
    ],
)
def test_a_certificate_is_due_after_two_thirds_of_its_life(
    tmp_path: Path, age: timedelta, expected: bool
) -> None:
    _, pair = home_of(Office(), tmp_path)
    assert due(read_certificate(pair.read_bytes()), at=NOW + age) is expected


def test_what_is_renewed_is_a_new_key_with_its_certificate_in_one_file(tmp_path: Path) -> None:
    office = Office(clock=NOW + WEEK * 2 / 3)
    renewal, pair = home_of(office, tmp_path)
    before = read_certificate(pair.read_bytes())
    assert renewal.keep_valid(at=office.clock)
    after = read_certificate(pair.read_bytes())
    assert after.spki != before.spki
    assert after.not_after == before.not_after + WEEK * 2 / 3
    key = read_key_file(pair.read_bytes().partition(b"-----BEGIN CERT")[0], None)
    assert key.public.spki == after.spki
    assert pair.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca.pem").read_bytes() == office.authority.certificate_pem
    assert office.reopened == 1


def test_nothing_is_asked_for_before_it_is_due(tmp_path: Path) -> None:
    office = Office()
    renewal, pair = home_of(office, tmp_path)
    before = pair.read_bytes()
    assert not renewal.keep_valid(at=NOW + timedelta(days=4))
    assert (office.renewed, pair.read_bytes()) == (0, before)


def test_a_certificate_of_somebody_else_changes_nothing_and_is_not_asked_for_at_once(tmp_path: Path) -> None:
    office = Office(name="mallory", clock=NOW + timedelta(days=5))
    renewal, pair = home_of(office, tmp_path)
    before = pair.read_bytes()
    with pytest.raises(OtherCertificateError):
        renewal.keep_valid(at=office.clock)
    assert (office.reopened, pair.read_bytes()) == (0, before)
    assert not renewal.keep_valid(at=office.clock + timedelta(minutes=1))
    with pytest.raises(OtherCertificateError):
        renewal.keep_valid(at=office.clock + BETWEEN_TRIES)
    assert office.renewed == 2


def test_a_pair_in_two_files_is_left_to_the_operator_who_made_it(tmp_path: Path) -> None:
    office = Office()
    renewal, pair = home_of(office, tmp_path)
    renewal.files = TlsFiles(ca=tmp_path / "ca.pem", certificate=pair, key=tmp_path / "tls.key.pem")
    assert not renewal.keep_valid(at=NOW + WEEK)
    assert office.renewed == 0


@pytest.mark.parametrize("pem", [b"", b"\xff", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(CertificateFileError):
        read_certificate(pem)


def test_a_certificate_that_is_cut_off_is_refused_wherever_it_is(tmp_path: Path) -> None:
    import ssl

    _, pair = home_of(Office(), tmp_path)
    der = read_certificate(pair.read_bytes()).der
    for size in range(len(der)):
        with pytest.raises(CertificateFileError):
            read_certificate(ssl.DER_cert_to_PEM_cert(der[:size]).encode())
