# SPDX-License-Identifier: Apache-2.0
"""The port for whoever has an invitation and no certificate yet: TLS 1.3, no client certificates, two calls.

Nobody is known here, so everything is small and bounded: messages, calls at once, their time, wrong codes.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message

from coordinator.enrolling import Enrolling
from coordinator.enrolment_errors import InvitationUnknownError
from coordinator.grpc_api.errors import AddressError, InternalError, TlsVersionError, TooLongError
from coordinator.grpc_api.guessing import Guesses, place_of
from coordinator.grpc_api.messages import parse
from coordinator.grpc_api.refusals import Context, refuse
from coordinator.metrics.catalogue import REFUSALS
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.running_log import about
from quorumseal.ceremony.values import instant_text
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope
from quorumseal.v1 import enrolment_pb2 as wire

SERVICE: Final = "quorumseal.v1.EnrolmentService"
_LARGEST_MESSAGE: Final = 64 << 10
_MOST_CALLS: Final = 32
_CALL_SECONDS: Final = 20.0
_REFUSAL_SECONDS: Final = 5.0
_SECOND: Final = 1000
_log = logging.getLogger(__name__)
_Request = TypeVar("_Request", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTls:
    """The port's certificate, which signs itself, and its key; both in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


class EnrolmentServer:
    """The enrolment port.  Made, started and stopped in one event loop."""

    def __init__(
        self,
        enrolling: Enrolling,
        *,
        listen: str,
        tls: OwnTls,
        elapsed: Callable[[], float],
        observe: Observe = unobserved,
    ) -> None:
        self._enrolling = enrolling
        self._guesses = Guesses(elapsed)
        self._observe = observe
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    SERVICE,
                    {
                        "GetInvitation": self._call(wire.GetInvitationRequest, self._get_invitation),
                        "Enroll": self._call(wire.EnrollRequest, self._enroll),
                    },
                ),
            )
        )
        credentials = grpc.ssl_server_credentials([(tls.key, tls.certificate)])
        try:
            self.port = self._server.add_secure_port(listen, credentials)
        except RuntimeError:
            raise AddressError(
                f"expected to listen on {listen} for enrolment, got no such port",
                hint="see whether something else listens there, and whether certificate and key are a pair",
            ) from None

    async def start(self) -> None:
        """Serve."""
        await self._server.start()

    async def stop(self) -> None:
        """Let calls finish."""
        await self._server.stop(_REFUSAL_SECONDS)

    async def _get_invitation(self, request: wire.GetInvitationRequest) -> wire.GetInvitationResponse:
        found = await asyncio.to_thread(self._enrolling.invitation, request.code)
        return wire.GetInvitationResponse(
            organisation=found.organisation,
            log=found.log,
            signer=found.signer,
            founder=found.founder,
            expires=instant_text(found.expires),
        )

    async def _enroll(self, request: wire.EnrollRequest) -> wire.EnrollResponse:
        envelope = JointEnvelope.read(request.envelope)
        enrolled = await asyncio.to_thread(
            self._enrolling.enroll, request.code, envelope, request.certificate_request
        )
        return wire.EnrollResponse(
            certificate=enrolled.certificate.decode(),
            authority=enrolled.authority.decode(),
            coordinator=enrolled.coordinator,
            expires=instant_text(enrolled.expires),
        )

    def _call(
        self, kind: type[_Request], behaviour: Callable[[_Request], Awaitable[Message]]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        method = f"/{SERVICE}/{kind.DESCRIPTOR.name.removesuffix('Request')}"

        async def handle(messages: AsyncIterator[bytes], context: Context) -> bytes:
            async def answer() -> Message:
                return await behaviour(parse(kind, await anext(messages, b"")))

            try:
                return (await self._answer(context, answer)).SerializeToString()
            except Refusal as refusal:
                self._observe(Observation(REFUSALS, label=refusal.code))
                _log.info("refused a call", extra=about(reason=refusal, call=method))
                await refuse(context, refusal, within=_REFUSAL_SECONDS)
            except Exception as error:
                number = secrets.token_hex(4)
                _log.exception("unforeseen error %s", number, extra=about(reason=error, call=method))
                unforeseen = InternalError(
                    f"expected an answer, got an unforeseen error (number {number})",
                    hint="the coordinator's own log says more under this number",
                )
                await refuse(context, unforeseen, within=_REFUSAL_SECONDS)

        # As a stream of one message, whose arrival is within the call's time: grpcio waits for it for ever.
        return grpc.stream_unary_rpc_method_handler(handle)

    async def _answer(self, context: Context, behaviour: Callable[[], Awaitable[Message]]) -> Message:
        versions = [*context.auth_context().get("ssl_tls_version", ())]
        if versions != [b"TLSv1.3"]:
            raise TlsVersionError("expected a connection over TLS 1.3, got an older one")
        place = place_of(context.peer())
        self._guesses.check(place)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await behaviour()
        except InvitationUnknownError:
            self._guesses.count(place)
            raise
        except TimeoutError:
            raise TooLongError(
                f"expected an answer within {_CALL_SECONDS:.0f} s, got none",
                hint="what was asked may have been done; ask again, the same enrolment is not used twice",
            ) from None


_OPTIONS: Final[list[tuple[str, Any]]] = [
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_concurrent_streams", 4),
    ("grpc.max_connection_idle_ms", 60 * _SECOND),
    ("grpc.max_connection_age_ms", 300 * _SECOND),
    ("grpc.http2.min_ping_interval_without_data_ms", 10 * _SECOND),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 10 * _SECOND),
]
