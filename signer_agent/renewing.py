# SPDX-License-Identifier: Apache-2.0
"""A client certificate that renews itself: after two thirds of its life, whenever its agent connects.

Key and certificate lie in one file, so that one renaming replaces both: there is no moment at which a
connection could be opened with one of each.  A pair in two files comes from an operator, who renews it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from quorumseal.client.connection import TlsFiles
from quorumseal.client.values import Renewed
from quorumseal.signatures import P256PrivateKey, Scheme, generate_key, write_key_file
from signer_agent.enrolling import require_own_certificate
from signer_agent.home import Home, write_whole
from signer_agent.key_sources.certificates import Certificate, certificate_request, read_certificate

BETWEEN_TRIES = timedelta(minutes=10)


class Renewer(Protocol):
    """What renewing needs of a connection."""

    def renew_certificate(self, certificate_request: bytes) -> Renewed:
        """Return the next certificate for the key of a request."""
        ...

    def reopen(self) -> None:
        """Use the files as they are now for whatever is called from now on."""
        ...


def due(certificate: Certificate, *, at: datetime) -> bool:
    """Whether two thirds of a certificate's life are over."""
    return at >= certificate.not_before + (certificate.not_after - certificate.not_before) * 2 / 3


@dataclass(slots=True)
class Renewal:
    """Keeps one agent's certificate valid."""

    connection: Renewer
    home: Home
    files: TlsFiles
    organisation: str
    signer: str
    randomness: Callable[[int], bytes]
    _tried_at: datetime | None = None

    def keep_valid(self, *, at: datetime) -> bool:
        """Renew the certificate where that is due, at most once in a while; say whether it was."""
        if self.files.certificate != self.files.key or not self._due(at):
            return False
        self._tried_at = at
        key = generate_key(Scheme.ECDSA_P256, self.randomness)
        assert isinstance(key, P256PrivateKey)  # noqa: S101 - that is what was asked for
        renewed = self.connection.renew_certificate(certificate_request(key))
        require_own_certificate(renewed.certificate, key, self.organisation, self.signer)
        with self.home.exclusive():
            write_whole(self.files.ca, renewed.authority)
            write_whole(self.files.key, write_key_file(key, None) + renewed.certificate)
        self.connection.reopen()
        return True

    def _due(self, at: datetime) -> bool:
        if self._tried_at is not None and at - self._tried_at < BETWEEN_TRIES:
            return False
        return due(read_certificate(self.files.certificate.read_bytes()), at=at)
