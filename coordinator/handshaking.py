# SPDX-License-Identifier: Apache-2.0
"""TLS handshakes in memory, by which the rotation of an authority is rehearsed: who gets in at which step."""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.authority_rotation import digest_of_pem
from coordinator.certificates import Authority, Credentials, Kind
from coordinator.errors import RehearsalError

_HOST = "localhost"
_DAY = timedelta(days=1)
_MOST_TURNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshakes:
    """The throw-away authorities, and what connected."""

    authorities: tuple[str, str]
    made: tuple[str, ...]


def rehearse_handshakes(organisation: str, folder: Path, *, at: datetime) -> Handshakes:
    """Connect somebody at each step of a rotation; raise where they could not, or could for too long."""
    old, new = (
        Authority.create(organisation, at=at, lifetime=30 * _DAY, randomness=os.urandom) for _ in range(2)
    )
    both = old.certificate_pem + new.certificate_pem

    def server(authority: Authority) -> Credentials:
        return authority.issue_server([_HOST], at=at, lifetime=_DAY, randomness=os.urandom)

    def client(authority: Authority) -> Credentials:
        return authority.issue_client(Kind.SIGNER, "rehearsal", at=at, lifetime=_DAY, randomness=os.urandom)

    steps = (
        ("before: both sides by the old authority", old, old.certificate_pem, old, old.certificate_pem),
        ("both listed: somebody who has not renewed", old, both, old, old.certificate_pem),
        ("both listed: somebody who has renewed", old, both, old, both),
        ("switched: somebody with a certificate of the old", new, both, old, both),
        ("switched: somebody with a certificate of the new", new, both, new, both),
        ("the new one alone", new, new.certificate_pem, new, both),
    )
    for _, serving, lets_in, asking, trusts in steps:
        connect(folder, server(serving), lets_in, client(asking), trusts)
    try:
        connect(folder, server(new), new.certificate_pem, client(old), both)
    except ssl.SSLError:
        made = (*(step[0] for step in steps), "at the end the old authority lets nobody in")
    else:
        raise RehearsalError("expected the old authority to let nobody in at the end, got a connection")
    return Handshakes(
        authorities=(digest_of_pem(old.certificate_pem), digest_of_pem(new.certificate_pem)), made=made
    )


def connect(folder: Path, server: Credentials, lets_in: bytes, client: Credentials, trusts: bytes) -> None:
    """Shake hands as a coordinator and an agent do, without a network; raise ``ssl.SSLError`` where not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = _context(folder, ssl.PROTOCOL_TLS_SERVER, server, lets_in)
    asking = _context(folder, ssl.PROTOCOL_TLS_CLIENT, client, trusts)
    ends = (
        asking.wrap_bio(to_client, to_server, server_hostname=_HOST),
        serving.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = set(ends)
    for _ in range(_MOST_TURNS):
        for end in ends:
            if end in waiting:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                waiting.discard(end)
        if not waiting:
            return
    raise RehearsalError("expected a handshake to come to an end, got none")


def _context(folder: Path, protocol: int, own: Credentials, trusts: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=trusts.decode("ascii"))
    file = folder / "end.pem"
    file.touch(mode=0o600)
    file.write_bytes(own.private_key_pem + own.certificate_pem)
    context.load_cert_chain(file)
    return context
