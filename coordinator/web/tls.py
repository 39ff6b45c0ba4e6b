# SPDX-License-Identifier: Apache-2.0
"""TLS for browsers: 1.3 only, client certificates of the organisation's authorities, files read again."""

import ssl
from collections.abc import Callable
from typing import Final

from coordinator.settings import SettingsError, TlsFiles

_PROTOCOLS: Final = ["http/1.1"]


def context_of(files: TlsFiles, *, certificate_needed: bool) -> ssl.SSLContext:
    """Return what accepts connections with a certificate of the authorities, or without one where it may."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED if certificate_needed else ssl.CERT_OPTIONAL
    context.num_tickets = 0  # a session that is resumed is not checked against the authorities of today
    context.set_alpn_protocols(_PROTOCOLS)
    try:
        context.load_verify_locations(files.client_authorities)
        context.load_cert_chain(files.certificate, files.key, password=lambda: b"")
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"settings.pages: expected a certificate, its unencrypted key and authorities, got {error}",
            hint="restore certificate and key from the same backup, or have a new pair issued",
        ) from None
    return context


def reloading(current: ssl.SSLContext, renewed: Callable[[], ssl.SSLContext | None]) -> ssl.SSLContext:
    """Return a context that looks at each handshake for a newer one, and goes on by that."""
    newest = current

    def look(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        nonlocal newest
        newest = renewed() or newest
        connection.context = newest

    current.sni_callback = look  # asked at every handshake, whether or not a name is
    return current
