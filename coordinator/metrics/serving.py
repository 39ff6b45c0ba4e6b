# SPDX-License-Identifier: Apache-2.0
"""The port that Prometheus reads: ``GET /metrics`` over plain HTTP, and nothing else."""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from coordinator.errors import CoordinatorError

PATH: Final = "/metrics"
AT_ONCE: Final = 4
_SECONDS: Final = 5.0
_PATIENCE: Final = 1.0
_log = logging.getLogger(__name__)


class MetricsAddressError(CoordinatorError):
    """The coordinator cannot listen for Prometheus where the settings say."""

    code = "coordinator.metrics_address"


class MetricsServer:
    """A thread that answers; ``write`` takes what the reader accepts and returns a body and its type."""

    def __init__(self, listen: str, write: Callable[[str], tuple[bytes, str]]) -> None:
        self._server = _bind(listen, write)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def port(self) -> int:
        """Where it really listens."""
        return self._server.server_port

    def start(self) -> None:
        """Answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Answers a few at once; more wait for a moment, then are dropped, as is who dawdles."""

    daemon_threads = True

    def __init__(
        self, family: socket.AddressFamily, where: tuple[str, int], write: Callable[[str], tuple[bytes, str]]
    ) -> None:
        self.address_family = family
        self.write = write
        self._room = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(where, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        """Answer in a thread, where there is room soon."""
        if not self._room.acquire(timeout=_PATIENCE):
            self.shutdown_request(request)  # type: ignore[arg-type] # typeshed's own alias
            return
        super().process_request(request, client_address)  # type: ignore[arg-type] # typeshed's own alias

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Answer, and make room again."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._room.release()

    def handle_error(self, *_: object) -> None:
        """Leave a reader that has gone; tell the rest."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("unforeseen error in answering Prometheus")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS
    server_version = "quorumseal"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer."""
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body, content_type = self.server.write(self.headers.get("Accept", ""))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: who reads is no news."""


def _bind(listen: str, write: Callable[[str], tuple[bytes, str]]) -> _Server:
    host, _, port = listen.rpartition(":")
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _Server(family, (str(where[0]), int(where[1])), write)
    except OSError as error:
        raise MetricsAddressError(
            f"expected to listen on {listen} for Prometheus, got {error.strerror}",
            hint="name another address in metrics.listen, or see what else listens there",
        ) from None
