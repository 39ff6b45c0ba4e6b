# SPDX-License-Identifier: Apache-2.0
"""Who listens on a coordinator's port, found out by beginning a TLS handshake there."""

import socket
import ssl

from coordinator.certificates import look_at
from coordinator.examining.facts import Answer
from coordinator.settings import Settings
from quorumseal.refusal import Refusal

PATIENCE_SECONDS = 5
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is asked instead


def knock(listen: str) -> Answer:
    """Look at the certificate that is presented there."""
    try:
        (seen,) = look_at(ssl.DER_cert_to_PEM_cert(_presented(listen)).encode())
    except (OSError, ValueError, Refusal) as error:
        return Answer(address=listen, certificate=None, reason=str(error))
    return Answer(address=listen, certificate=seen)


def _presented(listen: str) -> bytes:
    """Begin a TLS handshake without a certificate of our own; return the one that is presented, in DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what it presents is compared, and nothing is said to it
    host, port = reached(listen)
    with (
        socket.create_connection((host, int(port)), PATIENCE_SECONDS) as connected,
        context.wrap_socket(connected) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def reached(listen: str) -> tuple[str, str]:
    """Return host and port by which this machine reaches what listens there."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    return _ANYWHERE.get(host, host), port


def at_work(settings: Settings) -> bool:
    """Whether the port is held by who presents the certificate of these settings: by this coordinator."""
    try:
        presented = ssl.DER_cert_to_PEM_cert(_presented(settings.listen))
        return "".join(presented.split()) in "".join(settings.tls.certificate.read_text().split())
    except (OSError, ValueError):
        return False  # nobody answers; or the settings' own findings say what is wrong
