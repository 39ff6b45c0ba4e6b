# SPDX-License-Identifier: Apache-2.0
"""Ask a timestamp authority (RFC 3161 over HTTP): one question, one answer, and not for long.

Neither the way there nor the server is trusted: what comes back is verified against the policy's authorities
and against the question.  Redirects are not followed.
"""

import queue
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from quorumseal.client.errors import ClientError
from quorumseal.signatures import Authority, Timestamp, UnknownAuthorityError
from quorumseal.signatures.timestamps import MAX_TOKEN_BYTES, NONCE_BYTES, answered, request_timestamp

SECONDS = 10.0
"""How long an authority may take over everything."""
_CHUNK = 4 << 10
_MOST_ANSWER = MAX_TOKEN_BYTES + (1 << 10)
_QUESTION, _ANSWER = "application/timestamp-query", "application/timestamp-reply"


class TimestampUrlError(ClientError):
    """The address of a timestamp authority is none."""

    code = "timestamp.address"
    usual_hint = "name it as http://HOST/PATH or https://HOST/PATH"


class AuthorityUnreachableError(ClientError):
    """A timestamp authority gave no answer in time, or none that is one."""

    code = "timestamp.unreachable"
    retryable = True


@dataclass(frozen=True, slots=True)
class AuthorityAddress:
    """Where a timestamp authority answers."""

    secure: bool
    host: str
    port: int | None
    target: str


def read_address(text: str) -> AuthorityAddress:
    """Return the address that a URL names: http or https, a host, no user and no fragment."""
    try:
        url: SplitResult = urlsplit(text)
        port = url.port
    except ValueError:
        raise TimestampUrlError("expected the URL of a timestamp authority, got another text") from None
    plain = text.isascii() and text.isprintable() and " " not in text and "#" not in text
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or not plain:
        raise TimestampUrlError("expected http:// or https:// and a host, without a user, got another text")
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return AuthorityAddress(secure=url.scheme == "https", host=url.hostname, port=port, target=target)


def fetch_timestamp(
    address: AuthorityAddress,
    message: bytes,
    authorities: Sequence[Authority],
    *,
    randomness: Callable[[int], bytes],
    seconds: float = SECONDS,
) -> Timestamp:
    """Return a timestamp of the message by one of the authorities, or say why there is none."""
    if not authorities:
        raise UnknownAuthorityError(
            "expected a policy that names timestamp authorities, got one that takes nobody's word",
            hint="propose a policy with [timestamping], or leave out [timestamps] in the settings",
        )
    nonce = int.from_bytes(randomness(NONCE_BYTES))
    answer = _in_time(lambda end: _ask(address, request_timestamp(message, nonce), end), address, seconds)
    return answered(answer, message, authorities, nonce=nonce)


def _ask(address: AuthorityAddress, question: bytes, end: float) -> bytes:
    left = max(end - time.monotonic(), 0.001)
    connection = (
        HTTPSConnection(address.host, address.port, timeout=left, context=ssl.create_default_context())
        if address.secure
        else HTTPConnection(address.host, address.port, timeout=left)
    )
    with closing(connection):
        connection.request("POST", address.target, question, {"Content-Type": _QUESTION, "Accept": _ANSWER})
        response = connection.getresponse()
        if response.status != 200:
            raise _unreachable(address, f"status {response.status}")
        answer = b""
        while len(answer) <= _MOST_ANSWER and time.monotonic() < end and (piece := response.read1(_CHUNK)):
            answer += piece
    if len(answer) > _MOST_ANSWER:
        raise _unreachable(address, f"more than {_MOST_ANSWER} bytes")
    return answer


def _in_time(ask: Callable[[float], bytes], address: AuthorityAddress, seconds: float) -> bytes:
    """Ask in a thread of its own, left behind when its time is over: names are looked up without limit."""
    outcome: queue.Queue[bytes | Exception] = queue.Queue(1)
    end = time.monotonic() + seconds

    def work() -> None:
        try:
            outcome.put(ask(end))
        except Exception as reason:  # whoever waits judges it
            outcome.put(reason)

    threading.Thread(target=work, name="asking for a timestamp", daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise _unreachable(address, f"none within {seconds:.0f} seconds") from None
    match found:
        case bytes():
            return found
        case OSError() | HTTPException():
            raise _unreachable(address, getattr(found, "strerror", None) or type(found).__name__)
        case _:
            raise found


def _unreachable(address: AuthorityAddress, got: str) -> AuthorityUnreachableError:
    return AuthorityUnreachableError(
        f"expected an answer of the timestamp authority at {address.host}, got {got}",
        hint="see that this machine reaches it, and that the settings name it rightly",
    )
