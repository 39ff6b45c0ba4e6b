# SPDX-License-Identifier: Apache-2.0
"""The pages on their port, over real TLS: who gets in by a certificate, and who does not."""

import asyncio
import errno
import gc
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.certificates import Authority, Kind, identity_of
from coordinator.server import CoordinatorServer
from coordinator.settings import read_settings
from coordinator.web.accepting import Door
from coordinator.web.peers import MOST_OF_ONE
from coordinator.web.serving import PagesAddressError
from quorumseal.client.connection import TlsFiles
from tests.running_coordinator import HOST, InProcess, Site
from tests.web.fetching import client_context, fetch

PAGES = f'[pages]\nlisten = "{HOST}:0"\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, more=PAGES)


@pytest.fixture
def running(site: Site) -> Iterator[InProcess[CoordinatorServer]]:
    with site.in_process() as running:
        yield running


def url_of(running: InProcess[CoordinatorServer]) -> str:
    assert running.server.pages is not None
    return running.server.pages.url


def context(site: Site, name: str = "audrey", kind: Kind = Kind.AUDITOR) -> ssl.SSLContext:
    return client_context(site.folder / "authority.crt", site.client_files(name, kind))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_member_reads_by_their_certificate(
    site: Site, running: InProcess[CoordinatorServer], kind: Kind
) -> None:
    page = fetch(f"{url_of(running)}ceremonies", context(site, "alice", kind))
    assert page.status == 200
    assert f"Signed in as alice ({kind})" in page.text
    assert page.headers["date"].endswith("GMT")
    assert "server" not in page.headers


def test_nobody_reads_without_a_certificate(site: Site, running: InProcess[CoordinatorServer]) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(url_of(running), client_context(site.folder / "authority.crt"))


def test_a_certificate_of_another_authority_gets_no_answer(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    other = Authority.create(
        "acme", at=datetime.now(UTC), lifetime=timedelta(days=2), randomness=os.urandom
    ).issue_client(
        Kind.AUDITOR, "mallory", at=datetime.now(UTC), lifetime=timedelta(days=1), randomness=os.urandom
    )
    files = TlsFiles(
        ca=site.folder / "authority.crt",
        certificate=site.write("other.crt", other.certificate_pem),
        key=site.write("other.key", other.private_key_pem),
    )
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(url_of(running), client_context(site.folder / "authority.crt", files))


def test_a_certificate_of_the_authority_that_names_another_organisation_is_shown_nothing(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    theirs = Authority.create("other", at=site.started_at, lifetime=timedelta(days=2), randomness=os.urandom)
    stranger = theirs.issue_client(
        Kind.AUDITOR, "mallory", at=site.started_at, lifetime=timedelta(days=1), randomness=os.urandom
    )
    site.write("authority.crt", site.authority.certificate_pem + theirs.certificate_pem)
    files = TlsFiles(
        ca=site.folder / "server-authority.crt",
        certificate=site.write("other.crt", stranger.certificate_pem),
        key=site.write("other.key", stranger.private_key_pem),
    )
    trusted = site.write("server-authority.crt", site.authority.certificate_pem)
    page = fetch(f"{url_of(running)}ceremonies", client_context(trusted, files))
    assert page.status == 403
    assert "expected a certificate of" in page.text
    assert "widget" not in page.text


def test_a_revoked_certificate_is_shown_nothing_within_seconds(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    seen = context(site)
    assert fetch(f"{url_of(running)}ceremonies", seen).status == 200
    site.revoked = (identity_of(site.client("audrey", Kind.AUDITOR).certificate_pem).serial,)
    assert site.settings.exists(), "they are written anew"
    end = time.monotonic() + 10
    while (page := fetch(f"{url_of(running)}ceremonies", seen)).status != 403:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "revoked" in page.text


def test_no_header_makes_somebody_of_anybody(site: Site, running: InProcess[CoordinatorServer]) -> None:
    pem = site.client("audrey", Kind.AUDITOR).certificate_pem.decode().replace("\n", " ")
    claims = dict.fromkeys(
        ("X-Client-Cert", "X-SSL-Client-Cert", "SSL-Client-Cert", "Client-Cert", "Peer"), pem
    )
    claims["X-Forwarded-For"] = "127.0.0.1"
    page = fetch(f"{url_of(running)}ceremonies", context(site, "alice", Kind.SIGNER), claims)
    assert "Signed in as alice (signer)" in page.text
    assert "audrey" not in page.text


def test_tls_1_2_is_refused(site: Site, running: InProcess[CoordinatorServer]) -> None:
    old = context(site)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(url_of(running), old)


def test_a_new_server_certificate_is_presented_without_a_restart(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    before = presented(site, running)
    new = site.authority.issue_server(
        ["localhost", HOST], at=site.started_at, lifetime=timedelta(days=2), randomness=os.urandom
    )
    site.write("server.crt", new.certificate_pem)
    site.write("server.key", new.private_key_pem)
    assert presented(site, running) != before
    site.write("server.key", b"no key")
    assert presented(site, running) == ssl.PEM_cert_to_DER_cert(new.certificate_pem.decode())


def test_an_authority_that_is_taken_out_lets_nobody_in_without_a_restart(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    seen = context(site)
    assert fetch(f"{url_of(running)}ceremonies", seen).status == 200
    other = Authority.create(
        site.organisation.name, at=site.started_at, lifetime=timedelta(days=2), randomness=os.urandom
    )
    site.write("authority.crt", other.certificate_pem)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(f"{url_of(running)}ceremonies", seen)


def presented(site: Site, running: InProcess[CoordinatorServer]) -> bytes:
    assert running.server.pages is not None
    with (
        socket.create_connection((HOST, running.server.pages.port)) as plain,
        context(site).wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def test_a_connection_is_not_resumed_without_its_certificate(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    assert running.server.pages is not None
    asking = context(site)
    where = (HOST, running.server.pages.port)
    with (
        socket.create_connection(where) as plain,
        asking.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /ceremonies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while secured.recv(65536):
            pass
        assert secured.session is None or not secured.session.has_ticket


def test_one_certificate_takes_no_more_than_its_share_of_connections(
    site: Site, running: InProcess[CoordinatorServer]
) -> None:
    assert running.server.pages is not None
    greedy, other = context(site, "mallory", Kind.SIGNER), context(site)
    where = (HOST, running.server.pages.port)
    held = [
        greedy.wrap_socket(socket.create_connection(where), server_hostname="localhost")
        for _ in range(MOST_OF_ONE + 3)
    ]
    try:
        assert fetch(f"{url_of(running)}ceremonies", other).status == 200
        assert running.server.pages.counts()["connections"] <= MOST_OF_ONE + 1
    finally:
        for each in held:
            each.close()


def test_whoever_only_knocks_keeps_nobody_out(
    site: Site, running: InProcess[CoordinatorServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that never shake hands take no more descriptors than there is room for."""
    monkeypatch.setattr("coordinator.web.accepting.MOST_HANDSHAKES", 4)
    assert running.server.pages is not None
    knocking = [socket.create_connection((HOST, running.server.pages.port)) for _ in range(20)]
    try:
        assert fetch(f"{url_of(running)}ceremonies", context(site)).status == 200
        assert running.server.pages.counts()["handshakes"] <= 4
        knocking[0].settimeout(5)
        with suppress(ConnectionError):
            assert knocking[0].recv(1) == b""
    finally:
        for each in knocking:
            each.close()


def test_where_no_descriptor_is_left_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("coordinator.web.accepting._AGAIN_SECONDS", 0.01)

    async def knock(listening: socket.socket) -> bool:
        loop = asyncio.get_running_loop()
        accept, failed = loop.sock_accept, iter([OSError(errno.EMFILE, "Too many open files")])

        async def failing(bound: socket.socket) -> tuple[socket.socket, object]:
            for error in failed:
                raise error
            return await accept(bound)

        monkeypatch.setattr(loop, "sock_accept", failing)
        door = Door(listening, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), asyncio.Protocol)
        door.open()
        with socket.create_connection(listening.getsockname()):
            async with asyncio.timeout(5):
                while not door.handshakes:  # noqa: ASYNC110 - the door tells nobody
                    await asyncio.sleep(0.01)
        await door.close()
        return door.handshakes == 0

    with socket.create_server((HOST, 0)) as listening:
        assert asyncio.run(knock(listening))
    assert "a browser could not connect: Too many open files" in caplog.text


@pytest.mark.parametrize("turns", range(6))
def test_a_door_that_closes_leaves_no_connection_open(turns: int) -> None:
    """However far each of them has come; Python says so of every socket that is left."""

    async def close_after(listening: socket.socket) -> None:
        door = Door(listening, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), asyncio.Protocol)
        door.open()
        knocking = [socket.create_connection(listening.getsockname()) for _ in range(5)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await door.close()
        for each in knocking:
            each.close()

    with socket.create_server((HOST, 0)) as listening:
        asyncio.run(close_after(listening))
    gc.collect()


def dribble(secured: ssl.SSLSocket) -> None:
    """Send a little, again and again."""
    for _ in range(40):
        secured.sendall(b"x")
        time.sleep(0.2)


@pytest.mark.parametrize("end", [b"", b"Content-Length: 1000\r\n"], ids=["head", "body"])
def test_a_connection_that_never_ends_a_later_request_is_ended(
    site: Site, running: InProcess[CoordinatorServer], monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    """After one answer, a connection that sends a little now and then holds its place no longer."""
    monkeypatch.setattr("coordinator.web.peers.REQUEST_SECONDS", 1.0)
    assert running.server.pages is not None
    bare = socket.create_connection((HOST, running.server.pages.port))
    with context(site).wrap_socket(bare, server_hostname="localhost") as secured:
        secured.settimeout(8)
        secured.sendall(b"GET /ceremonies HTTP/1.1\r\nHost: localhost\r\n" + end + b"\r\n")
        assert secured.recv(1 << 16).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            dribble(secured)
        assert time.monotonic() - begun < 6


def test_whoever_cannot_listen_for_browsers_does_not_start(site: Site) -> None:
    with socket.create_server((HOST, 0)) as taken:
        site.more = f'[pages]\nlisten = "{HOST}:{taken.getsockname()[1]}"\n'
        with pytest.raises(PagesAddressError, match="for browsers"), site.in_process():
            pass


def test_stopping_ends_connections_that_are_open(site: Site) -> None:
    with site.in_process() as running:
        assert running.server.pages is not None
        where = (HOST, running.server.pages.port)
        secured = context(site).wrap_socket(socket.create_connection(where), server_hostname="localhost")
        begun = time.monotonic()
    assert time.monotonic() - begun < 8
    secured.settimeout(5)
    try:
        assert secured.recv(10) == b""
    except ConnectionError:
        pass
    finally:
        secured.close()


def test_without_the_section_there_are_no_pages_and_what_makes_them_is_not_loaded(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert read_settings(site.settings).pages is None
    with site.in_process() as running:
        assert running.server.pages is None
