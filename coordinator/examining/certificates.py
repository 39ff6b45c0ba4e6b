# SPDX-License-Identifier: Apache-2.0
"""How long certificates still live, and whether the server's names where it listens."""

from datetime import datetime

from coordinator.certificates import Seen
from quorumseal.ceremony.expiring import warned
from quorumseal.terminal.durations import duration_text
from quorumseal.terminal.findings import Finding, fine, warning, wrong

_ANYWHERE = ("0.0.0.0", "::", "0:0:0:0:0:0:0:0")  # noqa: S104 - what is compared with
_RENEW = "have a new one issued, and put it in the place of this one"


def life(about: str, seen: Seen, *, at: datetime, hint: str = _RENEW) -> Finding:
    """Judge a certificate by how long it is still valid."""
    if at < seen.not_before:
        return wrong(
            about,
            f"expected it to be valid, got one from {seen.not_before:%Y-%m-%d %H:%M} UTC",
            "set the clock",
        )
    if at > seen.not_after:
        return wrong(
            about, f"expected it to be valid, got one until {seen.not_after:%Y-%m-%d %H:%M} UTC", hint
        )
    left = f"valid until {seen.not_after:%Y-%m-%d}, {duration_text(seen.not_after - at)} more"
    lifetime = seen.not_after - seen.not_before
    # One that never had sixty days is renewed by its own measure.
    soon = warned(seen.not_after, at=at) is not None and 3 * (seen.not_after - at) < lifetime
    return warning(about, left, hint) if soon else fine(about, left)


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
