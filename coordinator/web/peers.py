# SPDX-License-Identifier: Apache-2.0
"""Who is at the other end of a connection: taken from the transport, and from nothing that a request says.

uvicorn tells an application nothing of TLS.  This protocol puts what the handshake established into
``scope["state"]``, where no header can get, and ends connections that are too many or ask for nothing.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST_CONNECTIONS: Final = 256
MOST_OF_ONE: Final = 48
"""How many of these one client certificate has, or one address without any."""
REQUEST_SECONDS: Final = 10.0
"""For how long a connection may take over its first request, and over each that it has begun to send."""
_PEER: Final = "peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What the handshake established."""

    certificate: bytes | None
    """In DER; none where no certificate was presented, which is possible only where it may be."""
    tls: str | None
    """The version of TLS."""


def peer_of(scope: Scope) -> Peer:
    """Return the other end of the connection that a request came by."""
    peer = scope["state"][_PEER]
    assert isinstance(peer, Peer)  # noqa: S101 - the protocol put it there
    return peer


class PeerProtocol(H11Protocol):
    """HTTP/1.1 over a connection whose other end is known."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience: asyncio.TimerHandle | None = None
        self.whose: object = None
        """What connections of one person have in common."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Look who is there, and whether there is room for them."""
        super().connection_made(transport)
        peer = _peer(transport.get_extra_info("ssl_object"))
        self.whose = peer.certificate or (self.client and self.client[0])
        same = sum(
            1 for each in self.connections if isinstance(each, PeerProtocol) and each.whose == self.whose
        )
        if len(self.connections) > MOST_CONNECTIONS or same > MOST_OF_ONE:
            transport.abort()
            return
        self.app_state = {**self.app_state, _PEER: peer}
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take in what came; what is no whole request yet must become one soon, whatever comes of it."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._wait_no_more()
        elif self._idle and self._patience is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # at first

    def _wait(self) -> None:
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        """End a connection by which no whole request has come."""
        self._patience = None
        if self._idle:
            self.transport.abort()


def _peer(tls: ssl.SSLObject | None) -> Peer:
    if tls is None:  # a server without TLS is not this project's, but would let nobody in
        return Peer(certificate=None, tls=None)
    return Peer(certificate=tls.getpeercert(binary_form=True), tls=tls.version())
