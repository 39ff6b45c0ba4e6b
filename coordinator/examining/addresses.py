# SPDX-License-Identifier: Apache-2.0
"""Whether an address can be listened on, found out by listening on it for a moment."""

import errno
import socket
from collections.abc import Iterable, Iterator

from quorumseal.terminal.findings import Finding, fine, warning, wrong

_PERHAPS_OURS = "nothing to do if that is this coordinator, at work; otherwise name another port"


def listenable(about: str, listen: str) -> Finding:
    """Bind the address and let it go again."""
    host, _, port = listen.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in found[:1]:
            with socket.socket(family, kind, protocol) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(address)
                bound.listen(1)
    except OSError as error:
        return unlistenable(about, listen, error)
    return fine(about, f"{listen} is free")


def unlistenable(about: str, listen: str, error: OSError) -> Finding:
    """Say why an address cannot be listened on; one in use may be our own."""
    if error.errno == errno.EADDRINUSE:
        return warning(
            about,
            f"expected {listen} to be free, but somebody listens there",
            _PERHAPS_OURS,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "name a port from 1024 on, or give the coordinator CAP_NET_BIND_SERVICE"
    else:
        hint = "name an address of this machine, or 0.0.0.0 for all of them"
    return wrong(about, f"expected to listen on {listen}, got {error.strerror}", hint)


def in_use(finding: Finding) -> bool:
    """Whether the finding is that somebody listens there already."""
    return finding.hint == _PERHAPS_OURS


def judge_holders(findings: Iterable[Finding], *, at_work: bool) -> Iterator[Finding]:
    """Say of every port in use whose it is: a coordinator that is at work holds all of its own."""
    for each in findings:
        if not in_use(each):
            yield each
        elif at_work:
            yield fine(each.about, "in use, by this coordinator, which is at work")
        else:
            yield wrong(
                each.about,
                each.text + " who is not this coordinator",
                "end that process, or name another port",
            )
