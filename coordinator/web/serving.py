# SPDX-License-Identifier: Apache-2.0
"""The port of the pages: uvicorn in a thread and an event loop of its own, so no page holds up a call."""

import asyncio
import logging
import socket
import ssl
import threading
from contextlib import suppress
from email.utils import formatdate
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from coordinator.errors import CoordinatorError
from coordinator.web.accepting import Door
from coordinator.web.peers import PeerProtocol

DRAIN_SECONDS: Final = 3.0
_LARGEST_HEAD: Final = 16 << 10
_KEEP_ALIVE: Final = 15
_PATIENCE: Final = 10.0
_log = logging.getLogger(__name__)


class PagesAddressError(CoordinatorError):
    """The coordinator cannot listen for browsers where the settings say."""

    code = "pages.address"


class PagesServer:
    """Serves an application over TLS, from ``start`` to ``close``; every connection has a known other end."""

    def __init__(self, listen: str, tls: ssl.SSLContext, app: ASGIApp) -> None:
        self._socket = _bind(listen)
        self._listen = listen
        self._config = Config(
            _Dated(app),
            http=PeerProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # whoever is there is known from the handshake
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
        )
        self._state = ServerState()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pages", daemon=True)
        self._door = Door(self._socket, tls, lambda: PeerProtocol(self._config, self._state, {}))
        self._lifespan: LifespanOn | None = None

    @property
    def address(self) -> str:
        """Where it really listens."""
        return f"{self._listen.rpartition(':')[0]}:{self.port}"

    @property
    def port(self) -> int:
        """On which port it really listens."""
        return int(self._socket.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many browsers are connected."""
        return len(self._state.connections)

    @property
    def handshakes(self) -> int:
        """How many more have begun to connect."""
        return self._door.handshakes

    def start(self) -> None:
        """Answer."""
        self._config.load()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(_PATIENCE)

    def close(self) -> None:
        """Let what is being answered finish, for a moment; safe where it never started."""
        if self._thread.ident is not None:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._socket.close()

    async def _open(self) -> None:
        self._loop.set_exception_handler(_tell)
        self._lifespan = LifespanOn(self._config)
        await self._lifespan.startup()
        self._door.open()

    async def _close(self) -> None:
        await self._door.close()
        for connection in [*self._state.connections]:
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait([*self._state.tasks], timeout=DRAIN_SECONDS)
        late = [*self._state.tasks]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for connection in [*self._state.connections]:
            connection.transport.abort()
        if self._lifespan is not None:
            await self._lifespan.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._loop.shutdown_default_executor()


class _Dated:
    """Says when an answer was made (RFC 9110, section 6.6.1), and never how an error came about."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", formatdate(usegmt=True).encode())
                message = {**message, "headers": [*message.get("headers", ()), date]}
            await send(message)

        await self._app(scope, receive, dated)


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    bound: socket.socket | None = None
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
    except OSError as error:
        if bound is not None:
            bound.close()
        raise PagesAddressError(
            f"expected to listen on {listen} for browsers, got {error.strerror}",
            hint="name another address in pages.listen, or see what else listens there",
        ) from None
    return bound


def _tell(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Leave browsers that have gone, and handshakes that failed; tell the rest."""
    error = context.get("exception")
    if not isinstance(error, OSError):
        _log.error("unforeseen error in serving pages: %s", context.get("message"), exc_info=error)  # type: ignore[arg-type]
