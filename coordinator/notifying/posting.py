# SPDX-License-Identifier: Apache-2.0
"""One HTTP POST: no redirect is followed, and no body is read beyond what was asked for."""

import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from coordinator.errors import NoticeRefusedError, NotTakenError
from coordinator.notifying.connecting import OwnPorts, connect, cut_off
from quorumseal.refusal import Refusal

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]")
_TARGET = re.compile(r"[!-~]*")
_TRY_AGAIN = frozenset({408, 425, 429})
_SECONDS = re.compile(r"[0-9]{1,6}")


class AddressFormatError(NoticeRefusedError):
    """A receiver's address is not one that notices are sent to."""

    code = "notice.address"
    usual_hint = "name it as https://HOST/PATH"


class WaitError(NotTakenError):
    """A receiver says when to come again."""

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAddress:
    """Where to post to.  A path may be a secret, so nothing of it is ever shown."""

    secure: bool
    host: str
    port: int
    target: str = field(repr=False)

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def http_address(text: str) -> HttpAddress:
    """Return the address that a URL names: http or https, a host, no user and no fragment."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise _no_address("a URL") from None
    if url.scheme not in _PORTS:
        raise _no_address("http:// or https://")
    host = url.netloc.rpartition(":")[0] if port is not None else url.netloc
    if not _HOST.fullmatch(host) or port == 0:
        raise _no_address("a host, and no user or password")
    if url.fragment or not _TARGET.fullmatch(text) or "#" in text:
        raise _no_address("ASCII without spaces and without a fragment")
    return HttpAddress(
        secure=url.scheme == "https",
        host=host.strip("[]"),
        port=port or _PORTS[url.scheme],
        target=(url.path or "/") + (f"?{url.query}" if url.query else ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    wait: str
    """What Retry-After says."""
    body: bytes
    """Empty where nobody asked for it."""


def post(
    address: HttpAddress,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    own_ports: OwnPorts,
    tls: ssl.SSLContext,
) -> None:
    """Post a body; any status from 200 to 299 is taken, all else raises."""
    answer = exchange(address, body, headers, seconds=seconds, own_ports=own_ports, tls=tls)
    refusal = judge(answer.status, answer.wait)
    if refusal is not None:
        raise refusal


def exchange(
    address: HttpAddress,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    own_ports: OwnPorts,
    tls: ssl.SSLContext,
    most_bytes: int = 0,
) -> Answer:
    """Post a body and return what came, whatever it means; a body of more than ``most_bytes`` raises."""
    timed = connect(address.host, address.port, seconds=seconds, own_ports=own_ports)
    connection = HTTPConnection(address.host, address.port, timeout=timed.seconds)
    with closing(connection), cut_off(timed):
        connection.sock = timed.socket
        try:
            if address.secure:
                connection.sock = tls.wrap_socket(timed.socket, server_hostname=address.host)
            connection.putrequest("POST", address.target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": address.authority, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            with closing(connection.getresponse()) as response:
                found = response.read(most_bytes + 1) if most_bytes else b""
                answer = Answer(
                    status=response.status, wait=response.headers.get("Retry-After", ""), body=found
                )
        except ssl.SSLCertVerificationError as error:
            raise NotTakenError(
                f"expected a certificate of the receiver that can be trusted, got {error.verify_message}"
            ) from None
        except (OSError, HTTPException) as error:
            raise NotTakenError(
                f"expected an answer of the receiver in time, got {type(error).__name__}"
            ) from None
    if len(answer.body) > most_bytes:
        raise NotTakenError(f"expected an answer of at most {most_bytes} bytes, got more")
    return answer


def judge(status: int, wait: str = "") -> Refusal | None:
    """Return what a status means: taken, not now, or never."""
    if 200 <= status <= 299:
        return None
    said = f"expected status 2xx of the receiver, got {status}"
    if status >= 500 or status in _TRY_AGAIN:
        if _SECONDS.fullmatch(wait):
            return WaitError(said, timedelta(seconds=int(wait)))
        return NotTakenError(said)
    if 300 <= status <= 399:
        return NoticeRefusedError(
            f"{said}, which leads elsewhere and is not followed",
            hint="write the receiver's new address into the settings",
        )
    return NoticeRefusedError(said)


def _no_address(expected: str) -> AddressFormatError:
    """Refuse an address without showing it: it may hold a secret."""
    return AddressFormatError(f"expected {expected} as a receiver's address, got another")
