# SPDX-License-Identifier: Apache-2.0
"""Other coordinators of this log, on databases of their own, are asked at the start how far they know it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from coordinator.running_log import about
from quorumseal.client.connection import Connection, TlsFiles
from quorumseal.refusal import Refusal

AskPeers: TypeAlias = Callable[[bytes], Iterable[tuple[str, bytes]]]
"""Told our newest checkpoint; yields the peers that answered, each with its own."""
_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """Whom to ask, and with which client certificate."""

    addresses: tuple[str, ...]
    certificate: Path
    key: Path
    authorities: Path

    def ask(self, newest: bytes) -> Iterator[tuple[str, bytes]]:
        """Ask each once; one that does not answer is no reason not to begin."""
        tls = TlsFiles(ca=self.authorities, certificate=self.certificate, key=self.key)
        for address in self.addresses:
            try:
                with Connection(address, tls, timeout=_SECONDS, patience=0.0) as peer:
                    yield f"the coordinator at {address}", peer.consistency(0, newest=newest).checkpoint
            except Refusal as refusal:
                _log.warning(
                    "the coordinator at %s did not say how far it knows the log: %s",
                    address,
                    refusal,
                    extra=about(reason=refusal),
                )


def nobody(_: bytes) -> tuple[tuple[str, bytes], ...]:
    """Ask nobody."""
    return ()
