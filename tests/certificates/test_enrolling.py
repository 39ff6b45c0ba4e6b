# SPDX-License-Identifier: Apache-2.0
"""The certificate of an enrolment port, and what a certificate request may ask for."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from coordinator.certificates import CertificateRequestError, Kind, requested_key, self_signed
from quorumseal.signatures import Scheme
from tests.newcomer import request_for

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
DAY = timedelta(days=1)


def openssl(folder: Path, *words: str) -> str:
    return subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_openssl_believes_the_ports_certificate_as_its_own_root_and_as_no_authority(tmp_path: Path) -> None:
    own = self_signed(at=NOW, lifetime=DAY, randomness=os.urandom)
    (tmp_path / "own.pem").write_bytes(own.certificate_pem)
    instant = str(int(NOW.timestamp()))
    words = ["verify", "-purpose", "sslserver", "-attime", instant, "-CAfile", "own.pem", "own.pem"]
    assert openssl(tmp_path, *words) == "own.pem: OK\n"
    text = openssl(tmp_path, "x509", "-in", "own.pem", "-noout", "-text")
    assert "DNS:enrolment.quorumseal" in text
    assert "CA:FALSE" in text


def test_a_request_of_openssls_own_is_read(tmp_path: Path) -> None:
    words = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/"]
    openssl(tmp_path, *words, "-keyout", "key.pem", "-outform", "DER", "-out", "request.der")
    key = requested_key((tmp_path / "request.der").read_bytes(), "acme", Kind.SIGNER, "dana")
    assert key.scheme is Scheme.ECDSA_P256
    public = openssl(tmp_path, "pkey", "-in", "key.pem", "-pubout")
    assert key.to_pem().decode() == public


def test_another_kind_of_key_gets_no_certificate() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    for request in (
        builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER),
        request_for(key=ec.generate_private_key(ec.SECP384R1())),
    ):
        with pytest.raises(CertificateRequestError) as refused:
            requested_key(request, "acme", Kind.SIGNER, "dana")
        assert refused.value.hint


def test_every_signed_byte_of_a_request_counts() -> None:
    own = x509.UniformResourceIdentifier("quorumseal://acme/signer/dana")
    request = request_for(own)
    key = requested_key(request, "acme", Kind.SIGNER, "dana")
    signed = x509.load_der_x509_csr(request).tbs_certrequest_bytes
    start = request.index(signed)
    for place in range(start, start + len(signed)):
        flipped = request[:place] + bytes([request[place] ^ 1]) + request[place + 1 :]
        try:
            assert requested_key(flipped, "acme", Kind.SIGNER, "dana") != key, place
        except CertificateRequestError:
            continue
        pytest.fail(f"byte {place} could be changed")
