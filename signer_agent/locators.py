# SPDX-License-Identifier: Apache-2.0
"""Fetch what a locator points at: ``file://`` and ``https://`` alone, also by way of redirects."""

import os
import stat
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage
from typing import IO
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
_CHUNK = 1 << 20


class _HttpsOnly(HTTPRedirectHandler):
    """Follows redirects to https alone."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            raise LocatorError(
                f"expected a redirect to https, got one to {newurl[:200]}",
                hint="fetch the artifact yourself, and give --artifacts PATH",
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
                hint="fetch the artifact yourself, and give --artifacts PATH",
            )


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError as reason:
        raise LocatorError(
            f"expected a locator of file:// or https://, got {uri[:200]!a}: {reason}",
            hint="fetch the artifact yourself, and give --artifacts PATH",
        ) from None


def https_opener(https: HTTPSHandler | None = None) -> OpenerDirector:
    """Return what opens https addresses, and nothing else."""
    opener = OpenerDirector()
    handlers: list[BaseHandler] = [
        ProxyHandler(),
        https or HTTPSHandler(),
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
        with (opener or https_opener()).open(Request(uri), timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            done = 0
            while done <= largest and (chunk := response.read(_CHUNK)):
                done += len(chunk)
                yield chunk
    except (URLError, OSError, ValueError, HTTPException) as reason:
        raise LocatorError(
            f"expected to fetch {uri[:200]}, got: {getattr(reason, 'reason', reason)}",
            hint="fetch the artifact yourself, and give --artifacts PATH",
        ) from None


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
