# SPDX-License-Identifier: Apache-2.0
"""Real TLS 1.3 handshakes, in memory: who gets in, and what stops everybody else."""

import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.certificates import Authority, CertificateError, Credentials, Kind, identity_of
from tests.certificates.attempts import Attempt, StoppedBy, attempts
from tests.certificates.forging import DAY, authority

NOW = datetime.now(UTC)
OWN = authority(at=NOW - 10 * DAY)


def context(side: int, credentials: Credentials | None, folder: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(side)
    made.load_verify_locations(cadata=OWN.certificate_pem.decode())
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    if credentials is not None:
        chain, key = folder / f"{side}.crt", folder / f"{side}.key"
        chain.write_bytes(credentials.certificate_pem)
        key.write_bytes(credentials.private_key_pem)
        made.load_cert_chain(chain, key)
    return made


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost") -> bytes:
    """Return the client's certificate as the server knows it once both sides are content."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    assert ends[1].version() == "TLSv1.3"
    presented = ends[1].getpeercert(binary_form=True)
    assert presented is not None
    return ssl.DER_cert_to_PEM_cert(presented).encode()


def server_context(folder: Path, credentials: Credentials | None = None) -> ssl.SSLContext:
    credentials = credentials or OWN.issue_server(
        ["localhost", "127.0.0.1"], at=NOW, lifetime=DAY, randomness=os.urandom
    )
    server = context(ssl.PROTOCOL_TLS_SERVER, credentials, folder)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    return server


@pytest.mark.parametrize("attempt", attempts(OWN, at=NOW), ids=lambda attempt: attempt.description)
def test_only_a_client_of_this_authority_gets_in(attempt: Attempt, tmp_path: Path) -> None:
    client = context(ssl.PROTOCOL_TLS_CLIENT, attempt.presents, tmp_path)
    client.maximum_version = attempt.newest_tls
    server = server_context(tmp_path)
    match attempt.stopped_by:
        case StoppedBy.HANDSHAKE:
            with pytest.raises(ssl.SSLError):
                shake_hands(client, server)
        case StoppedBy.IDENTITY:
            presented = shake_hands(client, server)
            with pytest.raises(CertificateError):
                identity_of(presented)
        case StoppedBy.NOBODY:
            identity = identity_of(shake_hands(client, server))
            assert (identity.organisation, identity.kind, identity.name) == ("acme", Kind.SIGNER, "carol")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_server_is_known_by_each_of_its_names(host: str, tmp_path: Path) -> None:
    signer = OWN.issue_client(Kind.SIGNER, "carol", at=NOW, lifetime=DAY, randomness=os.urandom)
    client = context(ssl.PROTOCOL_TLS_CLIENT, signer, tmp_path)
    assert shake_hands(client, server_context(tmp_path), host)


def impostors() -> dict[str, Credentials]:
    def server(issuer: Authority, host: str) -> Credentials:
        return issuer.issue_server([host], at=NOW, lifetime=DAY, randomness=os.urandom)

    return {
        "another host": server(OWN, "elsewhere.example"),
        "another authority": server(authority(at=NOW), "localhost"),
        "a signer": OWN.issue_client(Kind.SIGNER, "carol", at=NOW, lifetime=DAY, randomness=os.urandom),
    }


IMPOSTORS = impostors()


@pytest.mark.parametrize("presents", IMPOSTORS.values(), ids=IMPOSTORS)
def test_a_client_refuses_an_impostor(presents: Credentials, tmp_path: Path) -> None:
    signer = OWN.issue_client(Kind.SIGNER, "carol", at=NOW, lifetime=DAY, randomness=os.urandom)
    client = context(ssl.PROTOCOL_TLS_CLIENT, signer, tmp_path)
    with pytest.raises(ssl.SSLError):
        shake_hands(client, server_context(tmp_path, presents))
