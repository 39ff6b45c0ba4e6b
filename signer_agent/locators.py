# SPDX-License-Identifier: Apache-2.0
"""Fetch what a locator points at: ``file://`` and ``https://`` alone, also by way of redirects.

A requester chose the address, and this machine goes there: never to itself nor to its link's own addresses
(where clouds keep credentials), and never longer than a file of that size deserves.
"""

import ipaddress
import os
import queue
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import IO, cast
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from signer_agent.errors import LocatorError

TIMEOUT_SECONDS = 30.0
"""How long a server may be silent."""
GRACE_SECONDS, LEAST_RATE = 60.0, 64 << 10
"""How long a fetch may take to begin with, and how many bytes must come in each second after that."""
_CHUNK = 1 << 20
_AHEAD = 4
_FETCH_YOURSELF = "fetch the artifact yourself, and give --artifacts PATH"


class _HttpsOnly(HTTPRedirectHandler):
    """Follows redirects to https alone."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            fp.close()
            raise LocatorError(
                f"expected a redirect to https, got one to {newurl[:200]}",
                hint=_FETCH_YOURSELF,
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def read_locator(uri: str, *, largest: int, opener: OpenerDirector | None = None) -> Iterator[bytes]:
    """Yield what is there, piece by piece, and no more than one piece beyond ``largest`` bytes."""
    match _scheme(uri):
        case "file":
            yield from _read_file(uri)
        case "https":
            yield from _read_https(uri, largest, opener)
        case scheme:
            raise LocatorError(
                f"expected a locator of file:// or https://, got one of {scheme[:40] or 'no scheme'}",
                hint=_FETCH_YOURSELF,
            )


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError as reason:
        raise LocatorError(
            f"expected a locator of file:// or https://, got {uri[:200]!a}: {reason}",
            hint=_FETCH_YOURSELF,
        ) from None


def https_opener(https: HTTPSHandler | None = None) -> OpenerDirector:
    """Return what opens https addresses, and nothing else."""
    opener = OpenerDirector()
    handlers: list[BaseHandler] = [
        ProxyHandler(),
        https or _GuardedHandler(),
        _HttpsOnly(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
        UnknownHandler(),
    ]
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _read_https(uri: str, largest: int, opener: OpenerDirector | None) -> Iterator[bytes]:
    try:
        yield from in_time(lambda: _fetch(uri, largest, opener or https_opener()), uri)
    except (URLError, OSError, ValueError, HTTPException) as reason:
        raise LocatorError(
            f"expected to fetch {uri[:200]}, got: {getattr(reason, 'reason', reason)}", hint=_FETCH_YOURSELF
        ) from None


def _fetch(uri: str, largest: int, opener: OpenerDirector) -> Iterator[bytes]:
    with cast("HTTPResponse", opener.open(Request(uri), timeout=TIMEOUT_SECONDS)) as response:  # noqa: S310
        done = 0
        while done <= largest and (chunk := response.read1(_CHUNK)):
            done += len(chunk)
            yield chunk


def in_time(
    fetch: Callable[[], Iterator[bytes]],
    uri: str,
    *,
    grace: float = GRACE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Yield what ``fetch`` yields, in a thread of its own, which is left behind where it takes too long.

    A limit for each operation of a socket is none for all of them: a byte now and then holds a review for
    days, and names are looked up without any limit.
    """
    pieces: queue.Queue[bytes | Exception | None] = queue.Queue(_AHEAD)
    threading.Thread(target=_pump, args=(fetch, pieces), name="fetching", daemon=True).start()
    began, done = clock(), 0
    while True:
        left = began + grace + done / LEAST_RATE - clock()
        try:
            piece = pieces.get(timeout=max(left, 0))
        except queue.Empty:
            raise LocatorError(
                f"expected {uri[:200]} to come with {LEAST_RATE} bytes a second, got fewer",
                hint=_FETCH_YOURSELF,
            ) from None
        if piece is None:
            return
        if isinstance(piece, Exception):
            try:
                raise piece
            finally:
                del piece  # or its traceback would hold itself, and the connection with it
        done += len(piece)
        yield piece


def _pump(fetch: Callable[[], Iterator[bytes]], pieces: "queue.Queue[bytes | Exception | None]") -> None:
    try:
        for piece in fetch():
            pieces.put(piece)
    except Exception as reason:  # the reader's to judge
        pieces.put(reason)
    else:
        pieces.put(None)


class _GuardedConnection(HTTPSConnection):
    """Connects to addresses that were judged, not to names that may mean something else by then."""

    def connect(self) -> None:
        """Connect; a proxy, where this machine has one, is trusted to be where it is."""
        if not getattr(self, "_tunnel_host", None):
            self._create_connection = _connect
        super().connect()


class _GuardedHandler(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_GuardedConnection, req)


def _connect(
    address: tuple[str, int], timeout: float | None = None, source_address: tuple[str, int] | None = None
) -> socket.socket:
    host, port = address
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for forbidden in (text for text in found if is_forbidden(text)):
        raise LocatorError(
            f"expected a host of a network, got {host}, which is {forbidden}: this machine or its own link",
            hint=_FETCH_YOURSELF,
        )
    return socket.create_connection((found[0], port), timeout, source_address)


def is_forbidden(text: str) -> bool:
    """Whether an address is this machine's own or its link's, where nothing is that others can publish."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    judged = mapped or address
    return judged.is_loopback or judged.is_link_local or judged.is_unspecified or judged.is_multicast


def _read_file(uri: str) -> Iterator[bytes]:
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        raise LocatorError(f"expected file:// and an absolute path on this machine, got {uri[:200]}")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as reason:
        raise LocatorError(f"expected to read {uri[:200]}: {reason.strerror}") from None
    with os.fdopen(handle, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise LocatorError(f"expected {uri[:200]} to be a plain file, found something else")
        while chunk := stream.read(_CHUNK):
            yield chunk
