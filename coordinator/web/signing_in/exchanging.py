# SPDX-License-Identifier: Apache-2.0
"""One question to the provider: within a time, of a size, by HTTPS, and no redirect is followed."""

import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final, TypeAlias, cast

from coordinator.notifying.connecting import OwnPorts, connect, cut_off
from coordinator.notifying.posting import HttpAddress
from coordinator.web.errors import ProviderAnswerError, ProviderUnreachableError
from quorumseal.refusal import Refusal

SECONDS: Final = 8.0
LARGEST: Final = 256 << 10
_JSON: Final = "application/json"
Document: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider said."""

    status: int
    document: Document


Exchange: TypeAlias = Callable[[HttpAddress, bytes | None, Mapping[str, str]], Answer]
"""Asks an address, with some headers; a body makes it a POST of a form.  The answer is one JSON object."""


def exchange(
    address: HttpAddress,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    tls: ssl.SSLContext,
    own_ports: OwnPorts,
    seconds: float = SECONDS,
    largest: int = LARGEST,
) -> Answer:
    """Ask, and return the answer; raise where there is none in time, or one that cannot be read."""
    try:
        timed = connect(address.host, address.port, seconds=seconds, own_ports=own_ports)
    except Refusal as refusal:
        raise ProviderUnreachableError(f"expected the provider to answer, got: {refusal}") from None
    connection = HTTPConnection(address.host, address.port, timeout=timed.seconds)
    with closing(connection), cut_off(timed):
        connection.sock = timed.socket
        try:
            connection.sock = tls.wrap_socket(timed.socket, server_hostname=address.host)
            connection.putrequest("GET" if body is None else "POST", address.target, skip_host=True)
            for name, value in {"Host": address.authority, "Accept": _JSON, **headers}.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Type", "application/x-www-form-urlencoded")
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            with closing(connection.getresponse()) as response:
                return Answer(status=response.status, document=_document(response, largest))
        except ssl.SSLCertVerificationError as error:
            raise ProviderUnreachableError(
                f"expected a certificate of the provider that can be trusted, got {error.verify_message}",
                hint="the operator names the provider's authority in pages.sign_in.authorities",
            ) from None
        except (OSError, HTTPException) as error:
            raise ProviderUnreachableError(
                f"expected an answer of the provider in time, got {type(error).__name__}"
            ) from None


def read_document(data: bytes) -> Document:
    """Return the one object that some JSON is; names that stand twice in an object are refused."""
    try:
        read = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise ProviderAnswerError("expected a JSON object of the provider, got something else")
    return cast("Document", read)


def text_of(document: Document, name: str) -> str:
    """Return a text of a document, which is not empty."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderAnswerError(f"expected {name} as a text, got {type(value).__name__}")
    return value


def _document(response: HTTPResponse, largest: int) -> Document:
    data = response.read(largest + 1)
    if len(data) > largest:
        raise ProviderAnswerError(f"expected at most {largest} bytes of the provider, got more")
    if 300 <= response.status <= 399:
        raise ProviderAnswerError(
            f"expected an answer of the provider, got status {response.status}, which leads elsewhere"
        )
    return read_document(data)


def _unique(pairs: list[tuple[str, object]]) -> Document:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _refuse(constant: str) -> object:
    raise ValueError(constant)
