# SPDX-License-Identifier: Apache-2.0
"""Fetches pages over real TLS, with the certificate that somebody holds, or without any."""

import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from quorumseal.client.connection import TlsFiles

PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


def client_context(authority: Path, files: TlsFiles | None = None) -> ssl.SSLContext:
    """Return what trusts the organisation's authority and presents somebody's certificate."""
    context = ssl.create_default_context(cafile=str(authority))
    if files is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context


def fetch(
    url: str, context: ssl.SSLContext, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> Fetched:
    """Ask once; no redirect is followed."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = HTTPSConnection(parts.hostname, parts.port, context=context, timeout=PATIENCE)
    with closing(connection):
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Fetched(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
