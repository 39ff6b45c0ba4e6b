# SPDX-License-Identifier: Apache-2.0
"""The door of the pages: browsers come in by handshakes, of which there are only so many at once.

A browser's handshake takes moments, so the one that has lasted longest is one that never comes: where there
is no room, it goes.  Nobody keeps others out by knocking, and nobody uses up the coordinator's descriptors.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

HANDSHAKE_SECONDS: Final = 10.0
MOST_HANDSHAKES: Final = 64
_GOODBYE_SECONDS: Final = 3.0
_AGAIN_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


class Door:
    """Lets connections in, from ``open`` to ``close``; for one event loop."""

    def __init__(
        self, listening: socket.socket, tls: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._listening = listening
        self._tls = tls
        self._protocol = protocol
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._accepting: asyncio.Task[None] | None = None

    @property
    def handshakes(self) -> int:
        """How many have begun to come in."""
        return len(self._handshakes)

    def open(self) -> None:
        """Let whoever knocks in."""
        self._listening.setblocking(False)
        self._listening.listen()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def close(self) -> None:
        """Let nobody in any more; safe where it was never open."""
        ended = [*self._handshakes, *filter(None, [self._accepting])]
        for each in ended:
            each.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError as error:  # no descriptor is left, or the one who knocked has gone
                _log.warning("a browser could not connect: %s", error.strerror)
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            while len(self._handshakes) >= MOST_HANDSHAKES:
                self._give_up(next(iter(self._handshakes)))
            handshake = loop.create_task(self._shake_hands(connection))
            self._handshakes[handshake] = None
            handshake.add_done_callback(lambda done: self._handshakes.pop(done, None))
            await asyncio.sleep(0)  # it begins, and so closes its connection whatever comes

    def _give_up(self, handshake: asyncio.Task[None]) -> None:
        del self._handshakes[handshake]
        handshake.cancel()

    async def _shake_hands(self, connection: socket.socket) -> None:
        with suppress(OSError):  # a handshake that failed concerns nobody else
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
