# SPDX-License-Identifier: Apache-2.0
"""An authority is asked once, and not for long; what it answers is verified before anybody sees it."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quorumseal.client.timestamping import (
    AuthorityUnreachableError,
    TimestampUrlError,
    fetch_timestamp,
    read_address,
)
from quorumseal.refusal import Refusal
from quorumseal.signatures import MalformedTimestampError, NonceError, UnknownAuthorityError
from quorumseal.signatures.timestamps import request_timestamp
from tests.timestamp_authority import RealAuthority, openssl_needed

MESSAGE = b"the bytes of an approval"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> RealAuthority:
    return RealAuthority(tmp_path_factory.mktemp("tsa"))


@contextmanager
def answering(*pieces: bytes) -> Iterator[str]:
    """Answer one caller with some bytes, then be silent until it has gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked = b""
                while not asked.endswith(b"\x01\x01\xff"):  # how a question ends
                    asked += connection.recv(1 << 16)
                for piece in pieces:
                    connection.sendall(piece)
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


def said(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@openssl_needed
def test_real_authority_is_asked_over_http(real: RealAuthority) -> None:
    with real.serving() as url:
        stamp = fetch_timestamp(read_address(url), MESSAGE, [real.authority], randomness=os.urandom)
    real.verify(stamp.token, MESSAGE)


@openssl_needed
@pytest.mark.parametrize(
    ("pieces", "refusal"),
    [
        ([], AuthorityUnreachableError),
        ([b"\0" * 40], AuthorityUnreachableError),
        ([said(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n")], AuthorityUnreachableError),
        ([said(b"busy", "503 Busy")], AuthorityUnreachableError),
        ([said(b"x" * (18 << 10))], AuthorityUnreachableError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"a trickle"], AuthorityUnreachableError),
        ([said(b"<html>")], MalformedTimestampError),
    ],
    ids=["silence", "no HTTP", "elsewhere", "busy", "too much", "a trickle", "a page"],
)
def test_authority_that_gives_no_answer_is_left(
    real: RealAuthority, pieces: list[bytes], refusal: type[Refusal]
) -> None:
    with answering(*pieces) as url, pytest.raises(refusal):
        fetch_timestamp(read_address(url), MESSAGE, [real.authority], randomness=os.urandom, seconds=0.3)


@openssl_needed
def test_old_answer_is_not_taken_for_the_one_to_this_question(real: RealAuthority) -> None:
    old = real.answer(request_timestamp(MESSAGE, 7))
    with answering(said(old)) as url, pytest.raises(NonceError):
        fetch_timestamp(read_address(url), MESSAGE, [real.authority], randomness=os.urandom)


def test_nobody_there_is_said_with_the_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = read_address(f"http://127.0.0.1:{port}/")
    authority = RealAuthority(tmp_path).authority
    with pytest.raises(AuthorityUnreachableError, match=r"127\.0\.0\.1, got Connection refused"):
        fetch_timestamp(address, MESSAGE, [authority], randomness=os.urandom)


def test_nobody_is_asked_under_a_policy_that_takes_nobodys_word() -> None:
    with pytest.raises(UnknownAuthorityError):
        fetch_timestamp(read_address("http://clock.example/"), MESSAGE, [], randomness=os.urandom)


@pytest.mark.parametrize(
    "text",
    ["", "clock.example", "ftp://clock.example/", "http://", "http://alice:x@clock.example/", "http://[::1",
     "http://clock.example/#x", "http://clock.example/a b", "http://clock.example:99999/", "http://clöck.example/"],
)  # fmt: skip
def test_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TimestampUrlError):
        read_address(text)


def test_address_keeps_its_port_path_and_query() -> None:
    address = read_address("https://clock.example:8443/tsa?x=1")
    assert (address.secure, address.host, address.port, address.target) == (
        True, "clock.example", 8443, "/tsa?x=1",
    )  # fmt: skip
