# SPDX-License-Identifier: Apache-2.0
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import urandom
from pathlib import Path
from urllib.request import HTTPSHandler, OpenerDirector

import pytest

from coordinator.certificates import Authority
from signer_agent.errors import LocatorError
from signer_agent.locators import https_opener, in_time, is_forbidden, read_locator

DATA = b"artifact" * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        match self.path:
            case "/widget":
                self.send_response(200)
                self.send_header("Content-Length", str(len(DATA)))
                self.end_headers()
                self.wfile.write(DATA)
            case "/missing":
                self.send_error(404)
            case path:  # /to/ADDRESS leads there, anything else to itself
                self.send_response(302)
                self.send_header("Location", path.removeprefix("/to/"))
                self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        del format


@dataclass
class Site:
    address: str
    opener: OpenerDirector


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    at = datetime.now(UTC)
    authority = Authority.create("acme", at=at, lifetime=timedelta(days=1), randomness=urandom)
    server = authority.issue_server(["127.0.0.1"], at=at, lifetime=timedelta(days=1), randomness=urandom)
    (tmp_path / "server.pem").write_bytes(server.certificate_pem + server.private_key_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.socket = context.wrap_socket(http.socket, server_side=True)
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        trusting = ssl.create_default_context(cadata=authority.certificate_pem.decode())
        yield Site(f"https://127.0.0.1:{http.server_port}", https_opener(HTTPSHandler(context=trusting)))
        http.shutdown()


def test_https_is_read(site: Site) -> None:
    assert b"".join(read_locator(f"{site.address}/widget", largest=1 << 20, opener=site.opener)) == DATA


def test_a_redirect_to_https_is_followed(site: Site) -> None:
    uri = f"{site.address}/to/{site.address}/widget"
    assert b"".join(read_locator(uri, largest=1 << 20, opener=site.opener)) == DATA


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"]
)
def test_a_redirect_to_anything_else_is_refused(site: Site, target: str) -> None:
    with pytest.raises(LocatorError, match=r"redirect to https|Redirection to url .* is not allowed"):
        list(read_locator(f"{site.address}/to/{target}", largest=1 << 20, opener=site.opener))


def test_an_endless_redirect_ends(site: Site) -> None:
    with pytest.raises(LocatorError, match="infinite loop"):
        list(read_locator(f"{site.address}/again", largest=1 << 20, opener=site.opener))


def test_a_missing_page_is_not_hashed_in_the_artifacts_place(site: Site) -> None:
    with pytest.raises(LocatorError, match="Not Found"):
        list(read_locator(f"{site.address}/missing", largest=1 << 20, opener=site.opener))


def test_reading_stops_where_it_becomes_too_large(site: Site) -> None:
    read = b"".join(read_locator(f"{site.address}/widget", largest=100, opener=site.opener))
    assert 100 < len(read) <= len(DATA)


def test_a_certificate_that_nobody_vouches_for_is_refused(site: Site) -> None:
    with pytest.raises(LocatorError, match="certificate verify failed"):
        list(read_locator(f"{site.address}/widget", largest=1 << 20, opener=https_opener(HTTPSHandler())))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0"])  # noqa: S104
def test_a_fetch_never_goes_to_this_machine_or_its_link(host: str) -> None:
    with pytest.raises(LocatorError, match="this machine or its own link"):
        list(read_locator(f"https://{host}:1/latest/meta-data", largest=1 << 20))


ADDRESSES = {
    "127.0.0.1": True,
    "127.9.9.9": True,
    "::1": True,
    "::ffff:127.0.0.1": True,
    "::ffff:169.254.169.254": True,
    "169.254.169.254": True,
    "fe80::1%eth0": True,
    "0.0.0.0": True,  # noqa: S104
    "224.0.0.1": True,
    "10.1.2.3": False,
    "192.168.1.1": False,
    "203.0.113.7": False,
    "2001:db8::7": False,
}


@pytest.mark.parametrize(("address", "forbidden"), ADDRESSES.items())
def test_an_internal_mirror_is_a_host_like_others_and_ones_own_machine_is_not(
    address: str, forbidden: bool
) -> None:
    assert is_forbidden(address) is forbidden


def test_a_server_that_drips_is_left_behind() -> None:
    silent = threading.Event()

    def drips() -> Iterator[bytes]:
        yield b"a"
        silent.wait(60)

    pieces = in_time(drips, "https://mirror.acme.example/widget", grace=0.2)
    assert next(pieces) == b"a"
    with pytest.raises(LocatorError, match="bytes a second, got fewer"):
        next(pieces)
    silent.set()


def test_who_sends_much_has_more_time() -> None:
    times = iter([0.0, 1.0, 61.0, 75.0])
    pieces = in_time(lambda: iter([bytes(1 << 20), b"x"]), "https://mirror", clock=lambda: next(times))
    assert [len(piece) for piece in pieces] == [1 << 20, 1]


def test_what_goes_wrong_in_a_fetch_is_raised_where_it_is_read() -> None:
    def fails() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the line went dead")

    pieces = in_time(fails, "https://mirror")
    assert next(pieces) == b"a"
    with pytest.raises(OSError, match="went dead"):
        next(pieces)


def test_nobody_there_is_said(site: Site) -> None:
    with pytest.raises(LocatorError, match="expected to fetch"):
        list(read_locator("https://127.0.0.1:1/widget", largest=1, opener=site.opener))


@pytest.mark.parametrize(
    "uri",
    [
        "http://acme.example/x",
        "ftp://acme.example/x",
        "data:,x",
        "jar:file:///x",
        "widget.tar.gz",
        "-o/etc/passwd",
        "",
    ],
)
def test_other_schemes_are_refused(uri: str) -> None:
    with pytest.raises(LocatorError, match="file:// or https://") as refused:
        list(read_locator(uri, largest=1))
    assert refused.value.code == "usage.locator"


def test_a_file_on_this_machine_is_read(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(DATA)
    assert b"".join(read_locator((tmp_path / "a b").as_uri(), largest=1)) == DATA


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file://other.example/etc/passwd", "on this machine"),
        ("file:relative", "on this machine"),
        ("file:///nothing/here", "No such file"),
        ("file:///dev/zero", "plain file"),
        ("file:///tmp%00x", "on this machine"),
    ],
)
def test_other_files_are_refused(uri: str, message: str) -> None:
    with pytest.raises(LocatorError, match=message):
        list(read_locator(uri, largest=1))


@pytest.mark.parametrize(
    "uri", ["https://[", "https://127.0.0.1:x/", "https://127.0.0.1:1/a b", "https:///a"]
)
def test_an_address_that_is_none_is_a_refusal_and_no_crash(uri: str) -> None:
    with pytest.raises(LocatorError):
        list(read_locator(uri, largest=10))
