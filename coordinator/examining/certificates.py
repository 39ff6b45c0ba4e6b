# SPDX-License-Identifier: Apache-2.0
"""How long certificates still live, and whether a server's names where it listens."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from coordinator.certificates import Seen, look_at
from quorumseal import examining
from quorumseal.refusal import Refusal
from quorumseal.terminal.findings import Finding, fine, warning, wrong

_ANYWHERE = ("0.0.0.0", "::", "0:0:0:0:0:0:0:0")  # noqa: S104 - what is compared with
_RENEW = "have a new one issued, and put it in the place of this one"


def life(about: str, seen: Seen, *, at: datetime, hint: str = _RENEW) -> Finding:
    """Judge a certificate by how long it is still valid."""
    return examining.life(about, seen.not_before, seen.not_after, at=at, hint=hint)


def server(about: str, certificate: Path, listen: str, *, at: datetime) -> Iterator[Finding]:
    """Judge a server's certificate; by its names only where it is known where it listens."""
    try:
        own, *_ = look_at(certificate.read_bytes())
    except (OSError, Refusal) as error:
        yield wrong(about, f"expected a certificate, got: {error}", "name the server's certificate, in PEM")
        return
    yield life(about, own, at=at)
    if listen:
        yield names(about, own, listen)


def names(about: str, seen: Seen, listen: str) -> Finding:
    """Judge the server's certificate by whether it names the address that agents are told."""
    host = listen.rpartition(":")[0].strip("[]")
    named = ", ".join(sorted(seen.hosts)) or "no host"
    if host in _ANYWHERE or host in seen.hosts:
        return fine(about, f"it names {named}")
    return warning(
        about,
        f"expected it to name {host}, where the coordinator listens, got {named}",
        "agents reach it by a name that the certificate has, or set server_name to one",
    )
