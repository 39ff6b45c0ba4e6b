# SPDX-License-Identifier: Apache-2.0
"""Who tries to get in: one row for each way, and what must stop it.  Every server is tried with all."""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509

from coordinator.certificates import Authority, Credentials, Kind
from tests.certificates.forging import DAY, authority, forge, uri

CAROL = uri("quorumseal://acme/signer/carol")


class StoppedBy(StrEnum):
    NOBODY = "nobody"
    HANDSHAKE = "handshake"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    description: str
    presents: Credentials | None
    stopped_by: StoppedBy
    newest_tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3


def attempts(own: Authority, *, at: datetime) -> list[Attempt]:
    """Everything that may be presented to a server of ``own`` at this instant."""

    def signer(issuer: Authority, *, at: datetime = at, lifetime: timedelta = DAY) -> Credentials:
        return issuer.issue_client(Kind.SIGNER, "carol", at=at, lifetime=lifetime, randomness=os.urandom)

    def named(*names: x509.GeneralName) -> Credentials:
        return forge(own, at=at, names=names)

    good = signer(own)
    server = own.issue_server(["localhost"], at=at, lifetime=DAY, randomness=os.urandom)
    rows = [
        ("a signer's certificate", good, StoppedBy.NOBODY),
        ("no certificate", None, StoppedBy.HANDSHAKE),
        ("expired", signer(own, at=at - 2 * DAY), StoppedBy.HANDSHAKE),
        ("not yet valid", signer(own, at=at + 2 * DAY), StoppedBy.HANDSHAKE),
        ("another authority", signer(authority("acme", at=at)), StoppedBy.HANDSHAKE),
        ("another organisation's authority", signer(authority("other", at=at)), StoppedBy.HANDSHAKE),
        ("self-signed", forge(None, at=at, names=[CAROL]), StoppedBy.HANDSHAKE),
        ("a server's certificate", server, StoppedBy.HANDSHAKE),
        (
            "a host name instead of the URI",
            named(x509.DNSName("carol")),
            StoppedBy.IDENTITY,
        ),
        (
            "a URI of another scheme",
            named(uri("spiffe://acme/carol")),
            StoppedBy.IDENTITY,
        ),
        (
            "two URIs",
            named(CAROL, uri("quorumseal://acme/signer/dan")),
            StoppedBy.IDENTITY,
        ),
        ("a name in the subject only", forge(own, at=at, names=[], common_name="carol"), StoppedBy.IDENTITY),
        ("no purpose at all", forge(own, at=at, names=[CAROL], uses=[]), StoppedBy.IDENTITY),
    ]
    return [
        *(Attempt(description=text, presents=given, stopped_by=by) for text, given, by in rows),
        Attempt(
            description="TLS 1.2",
            presents=good,
            stopped_by=StoppedBy.HANDSHAKE,
            newest_tls=ssl.TLSVersion.TLSv1_2,
        ),
    ]
