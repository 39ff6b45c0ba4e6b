# SPDX-License-Identifier: Apache-2.0
"""The door of the pages: browsers come in by handshakes, of which there are only so many at once.

A browser's handshake takes moments.  Where there is no room, the address that knocks most makes some: the one
of its handshakes goes that has lasted longest.  So nobody keeps others out by knocking from one place, and
nobody uses up the coordinator's descriptors.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
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
        self._handshakes: dict[asyncio.Task[None], tuple[str, socket.socket]] = {}
        """With where each comes from, and by what; the oldest first."""
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
        self._accepting.add_done_callback(_tell_end)

    async def close(self) -> None:
        """Let nobody in any more; safe where it was never open."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        for _, connection in self._handshakes.values():
            _hang_up(connection)
        await asyncio.gather(*self._handshakes, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listening)
            except OSError as error:  # no descriptor is left, or the one who knocked has gone
                _log.warning("a browser could not connect: %s", error.strerror)
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            while len(self._handshakes) >= MOST_HANDSHAKES:
                self._make_room()
            handshake = loop.create_task(self._shake_hands(connection))
            self._handshakes[handshake] = str(address[0]), connection
            handshake.add_done_callback(lambda done: self._handshakes.pop(done, None))
            await asyncio.sleep(0)  # others have their turn, however many knock

    def _make_room(self) -> None:
        knocking = Counter(address for address, _ in self._handshakes.values())
        ((crowd, _),) = knocking.most_common(1)
        oldest = next(each for each, (address, _) in self._handshakes.items() if address == crowd)
        _, connection = self._handshakes.pop(oldest)
        _hang_up(connection)

    async def _shake_hands(self, connection: socket.socket) -> None:
        with suppress(OSError):  # a handshake that failed concerns nobody else
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )


def _hang_up(connection: socket.socket) -> None:
    """End a handshake as if the other end had gone: cancelling its task can leave a transport behind."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _tell_end(accepting: asyncio.Task[None]) -> None:
    if not accepting.cancelled() and (error := accepting.exception()) is not None:
        _log.critical("no browser can connect any more: start the coordinator again", exc_info=error)
