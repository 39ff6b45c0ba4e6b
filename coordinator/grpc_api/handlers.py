# SPDX-License-Identifier: Apache-2.0
"""How the RPCs are put behind the gate: nothing is parsed before the caller is admitted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from coordinator.certificates import Identity
from coordinator.grpc_api.callers import SERVICE
from coordinator.grpc_api.gate import Gate, Sort
from coordinator.grpc_api.joining import Joining
from coordinator.grpc_api.messages import parse, parse_each
from coordinator.grpc_api.refusals import Context
from coordinator.grpc_api.service import Service
from coordinator.grpc_api.streams import closing
from quorumseal.v1 import coordinator_pb2 as wire

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Request = TypeVar("_Request", bound=Message)


def handlers_of(service: Service, joining: Joining, gate: Gate) -> grpc.GenericRpcHandler:
    """Return the handlers of every RPC of the coordinator's service."""
    handlers: dict[str, Handler] = {
        "GetOrganisation": _call(gate, wire.GetOrganisationRequest, service.get_organisation),
        "Start": _call(gate, wire.StartRequest, service.start),
        "Decide": _call(gate, wire.DecideRequest, service.decide),
        "Act": _call(gate, wire.ActRequest, service.act),
        "Stand": _call(gate, wire.StandRequest, service.stand),
        "Nudge": _call(gate, wire.NudgeRequest, service.nudge),
        "GetCeremony": _call(gate, wire.GetCeremonyRequest, service.get_ceremony),
        "GetStanding": _call(gate, wire.GetStandingRequest, service.get_standing),
        "ListCeremonies": _call(gate, wire.ListCeremoniesRequest, service.list_ceremonies),
        "Follow": _stream(gate, Sort.STREAM, wire.FollowRequest, service.follow),
        "ListPresence": _call(gate, wire.ListPresenceRequest, service.list_presence),
        "GetConsistency": _call(gate, wire.GetConsistencyRequest, service.get_consistency),
        "HandBack": _call(gate, wire.HandBackRequest, service.hand_back),
        "Cosign": _call(gate, wire.CosignRequest, service.cosign),
        "PutEvidence": _upload(gate, wire.PutEvidenceRequest, service.put_evidence),
        "GetEvidence": _stream(gate, Sort.TRANSFER, wire.GetEvidenceRequest, service.get_evidence),
        "GetStatus": _stream(gate, Sort.TRANSFER, wire.GetStatusRequest, service.get_status),
        "GetBundle": _stream(gate, Sort.TRANSFER, wire.GetBundleRequest, service.get_bundle),
        "Publish": _call(gate, wire.PublishRequest, service.publish),
        "RenewCertificate": _call(gate, wire.RenewCertificateRequest, joining.renew_certificate),
        "ListEnrolments": _call(gate, wire.ListEnrolmentsRequest, joining.list_enrolments),
        "GetFounding": _call(gate, wire.GetFoundingRequest, joining.get_founding),
        "SignFounding": _call(gate, wire.SignFoundingRequest, joining.sign_founding),
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


def guarded(gate: Gate, method: str, handler: Handler, sort: Sort) -> Handler:
    """Return a handler that somebody else wrote, behind the gate."""
    inner: Any = (
        handler.stream_stream or handler.unary_stream if handler.response_streaming else handler.unary_unary
    )

    async def answer(request: Any, context: Context) -> Any:
        async with gate.call(method, context, sort):
            return await inner(request, context)

    async def stream(request: Any, context: Context) -> None:
        call = gate.call(method, context, sort)
        async with call:
            responses = inner(request, context)
            if isinstance(responses, Awaitable):
                await responses
                return
            async with closing(responses):
                async for response in responses:
                    await call.send(response)

    make: Callable[..., Handler]
    if not handler.response_streaming:
        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )
    make = (
        grpc.stream_stream_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_stream_rpc_method_handler
    )
    return make(stream, handler.request_deserializer, handler.response_serializer)


def _call(
    gate: Gate, kind: type[_Request], behaviour: Callable[[_Request, Identity], Awaitable[Message]]
) -> Handler:
    method = _method(kind)

    async def handle(data: bytes, context: Context) -> bytes:
        async with gate.call(method, context, Sort.CALL) as caller:
            return (await behaviour(parse(kind, data), caller)).SerializeToString()

    return grpc.unary_unary_rpc_method_handler(handle)


def _upload(
    gate: Gate,
    kind: type[_Request],
    behaviour: Callable[[AsyncIterator[_Request], Identity], Awaitable[Message]],
) -> Handler:
    method = _method(kind)

    async def handle(stream: AsyncIterator[bytes], context: Context) -> bytes:
        async with gate.call(method, context, Sort.TRANSFER) as caller:
            return (await behaviour(parse_each(kind, stream), caller)).SerializeToString()

    return grpc.stream_unary_rpc_method_handler(handle)


def _stream(
    gate: Gate,
    sort: Sort,
    kind: type[_Request],
    behaviour: Callable[[_Request, Identity], AsyncIterator[bytes]],
) -> Handler:
    method = _method(kind)

    async def handle(data: bytes, context: Context) -> None:
        call = gate.call(method, context, sort)
        async with call as caller, closing(behaviour(parse(kind, data), caller)) as responses:
            async for response in responses:
                await call.send(response)

    return grpc.unary_stream_rpc_method_handler(handle)


def _method(kind: type[Message]) -> str:
    """Return the path of the RPC that takes a request; buf keeps the two names together."""
    return f"/{SERVICE}/{kind.DESCRIPTOR.name.removesuffix('Request')}"
