# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: mTLS, options, health, reflection where it is asked for, and a stop that really ends."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from coordinator.grpc_api.callers import SERVICE, Callers
from coordinator.grpc_api.errors import AddressError
from coordinator.grpc_api.gate import Gate, Sort
from coordinator.grpc_api.handlers import Handler, guarded, handlers_of
from coordinator.grpc_api.joining import Joining
from coordinator.grpc_api.presence import Presence
from coordinator.grpc_api.service import Service
from coordinator.limits import Limits
from coordinator.metrics.observing import Observe, unobserved
from coordinator.revoking import Revocations
from coordinator.use_cases import UseCases

_log = logging.getLogger(__name__)
WRITING = f"{SERVICE}/writing"
"""What the health service knows the coordinator's writing by."""
_SECOND = 1000
_CLEANUP_SECONDS = 5
_LOOK_EVERY = 1.0
SIEM = "quorumseal.siem"
"""What the health service calls the export; that it is blocked makes nothing else unhealthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """The server's certificate and key, and the authorities whose clients may connect; all in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_authorities: bytes


def _unchanged() -> ServerTls | None:
    return None


class ApiServer:
    """The coordinator on a port.  Made, started and stopped in one event loop.

    Without use cases the organisation is still being founded; ``open`` then serves everything.
    ``lost`` names what has ended behind the API and should not have; the health service says so, and whether
    anything is written, which it is not while the log is ``rewound``.
    ``impaired`` says of parts by their names whether they are; the service as a whole serves all the same.
    ``renewed`` is asked for new certificates at every handshake.
    """

    def __init__(
        self,
        use_cases: UseCases | None,
        *,
        organisation: str,
        listen: str,
        tls: ServerTls,
        limits: Limits,
        now: Callable[[], datetime],
        lost: Callable[[], Collection[str]] = tuple,
        rewound: Callable[[], bool] = bool,
        impaired: Callable[[], Mapping[str, bool]] = dict,
        joining: Joining | None = None,
        renewed: Callable[[], ServerTls | None] = _unchanged,
        revocations: Revocations | None = None,
        reflection: bool = False,
        observe: Observe = unobserved,
    ) -> None:
        self._revocations = revocations or Revocations()
        self.callers = callers = Callers(organisation, revoked=lambda: self._revocations.serials, now=now)
        callers.founding = use_cases is None
        if use_cases is not None:
            callers.suspended_until = use_cases.suspended_until
        self.gate = Gate(callers, limits, now=now, observe=observe)
        self.presence = Presence(now)
        self._limits = limits
        self._lost = lost
        self._rewound = rewound
        self._writing: bool | None = None
        self._impaired = impaired
        self._told: dict[str, bool] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._health = health.aio.HealthServicer()
        self._serving = True
        self._server = grpc.aio.server(options=_options(limits), maximum_concurrent_rpcs=2 * limits.calls)
        self._service = Service(use_cases, self.presence, limits)
        handlers = handlers_of(self._service, joining or Joining(), self.gate)
        self._server.add_generic_rpc_handlers((handlers,))
        guarding = cast("grpc.aio.Server", _Guarding(self._server, self.gate))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, guarding)
        if reflection:
            _reflect(guarding)
        self.port = self._bind(listen, tls, renewed)

    async def start(self) -> None:
        """Serve."""
        self._tasks = {
            "sweep": asyncio.create_task(self.gate.sweep()),
            "health": asyncio.create_task(self._watch()),
            "revocations": asyncio.create_task(self._reread()),
        }
        await asyncio.to_thread(self._revocations.refresh)
        await self._server.start()
        if self.callers.founding:
            await self._health.set(SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)
        else:
            await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
            await self._tell_writing()

    async def open(self, use_cases: UseCases) -> None:
        """Serve everything: the organisation was founded."""
        self._service.open(use_cases)
        self.callers.founding = False
        self.callers.suspended_until = use_cases.suspended_until
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """End streams with a status that lets them resume, let calls finish, and wait for every handler."""
        await self._health.enter_graceful_shutdown()
        self.gate.close()
        await self._server.stop(self._limits.drain_seconds)
        try:
            async with asyncio.timeout(_CLEANUP_SECONDS):
                await self.gate.idle()
        except TimeoutError:
            _log.warning("%d calls did not end in time", self.gate.in_progress)
        for task in self._tasks.values():
            task.cancel()

    async def _watch(self) -> None:
        """Look now and then whether all goes on; never returns."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await self._tell()
            except Exception:
                _log.exception("unforeseen error in telling how the coordinator is")

    async def _reread(self) -> None:
        """Read now and then which certificates let nobody in any more; never returns."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await asyncio.to_thread(self._revocations.refresh)
            except Exception:
                _log.exception("unforeseen error in reading which certificates are revoked")

    async def _tell(self) -> None:
        """Say how parts with a name of their own are; once, for good, that something has ended."""
        for part, impaired in self._impaired().items():
            if self._told.get(part) != impaired:
                self._told[part] = impaired
                answer = health_pb2.HealthCheckResponse
                await self._health.set(part, answer.NOT_SERVING if impaired else answer.SERVING)
        lost = [*self._lost(), *(name for name, task in self._tasks.items() if task.done())]
        if lost and self._serving:
            for service in (SERVICE, WRITING, ""):
                await self._health.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)
            self._serving = False
            _log.critical("ended and not asked to: %s; start the coordinator again", ", ".join(lost))
        if self._serving and not self.callers.founding:
            await self._tell_writing()

    async def _tell_writing(self) -> None:
        """Say whether anything is written: reads go on, and agents hand back, where nothing is."""
        writing = not self._rewound()
        if writing is not self._writing:
            self._writing = writing
            served = health_pb2.HealthCheckResponse
            await self._health.set(WRITING, served.SERVING if writing else served.NOT_SERVING)

    def _bind(self, listen: str, tls: ServerTls, renewed: Callable[[], ServerTls | None]) -> int:
        def fetch() -> Any:  # its stub does not know that None means: as before
            new = renewed()
            return None if new is None else _configuration(new)

        credentials = grpc.dynamic_ssl_server_credentials(
            _configuration(tls), fetch, require_client_authentication=True
        )
        try:
            return self._server.add_secure_port(listen, credentials)
        except RuntimeError:
            raise AddressError(
                f"expected to listen on {listen} with the configured certificate, got no such port",
                hint="see whether something else listens there, and whether certificate and key are a pair",
            ) from None


def _configuration(tls: ServerTls) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(tls.key, tls.certificate)], tls.client_authorities)


class _Guarding:
    """Stands in for the server while others register their services, and puts them behind the gate."""

    def __init__(self, server: grpc.aio.Server, gate: Gate) -> None:
        self._server = server
        self._gate = gate

    def add_generic_rpc_handlers(self, _: object) -> None:
        """Leave it to the next one, which knows the names."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        """Register the handlers behind the gate."""
        behind = {
            name: guarded(
                self._gate,
                f"/{service}/{name}",
                handler,
                Sort.STREAM if handler.response_streaming else Sort.CALL,
            )
            for name, handler in handlers.items()
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, behind),))


def _options(limits: Limits) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_send_message_length", -1),  # our own answers; what they hold was bounded on the way in
        ("grpc.max_concurrent_streams", limits.streams_per_connection),
        # thousands of streams opened at once are taken up one by one; the defaults turn most of them away
        ("grpc.server.max_pending_requests", limits.waiting_calls),
        ("grpc.server.max_pending_requests_hard_limit", 2 * limits.waiting_calls),
        ("grpc.keepalive_time_ms", 30 * _SECOND),  # notices an agent whose machine is gone
        ("grpc.keepalive_timeout_ms", 20 * _SECOND),
        ("grpc.http2.min_ping_interval_without_data_ms", 10 * _SECOND),  # more pings than that are abuse
        ("grpc.http2.max_ping_strikes", 2),
        ("grpc.max_connection_idle_ms", 600 * _SECOND),  # an agent's stream keeps its connection in use
        ("grpc.so_reuseport", 0),  # two coordinators on one port would each see half of the agents
        ("grpc.server_handshake_timeout_ms", 10 * _SECOND),
    ]


def _reflect(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    servicer = reflection.aio.ReflectionServicer(names)
    add: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server  # its stub is untyped
    add(servicer, server)
