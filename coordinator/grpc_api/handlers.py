# SPDX-License-Identifier: Apache-2.0
"""How the RPCs are put behind the gate: nothing is waited for or parsed before the caller is admitted.

A call of one message is taken as a stream of one.  Otherwise grpcio awaits it, for ever, before anybody is
asked who they are: whoever sent headers and nothing more would hold all calls that the coordinator has.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from coordinator.certificates import Identity
from coordinator.grpc_api.callers import SERVICE
from coordinator.grpc_api.gate import Call, Gate, Sort
from coordinator.grpc_api.joining import Joining
from coordinator.grpc_api.messages import decoded, parse, parse_each
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

    read: Any = handler.request_deserializer

    async def requested(call: Call, requests: AsyncIterator[Any]) -> Any:
        if handler.request_streaming:
            return call.requests(requests)
        return decoded(read, await call.request(), "message")

    async def answer(requests: AsyncIterator[Any], context: Context) -> Any:
        call = gate.call(method, context, sort)
        async with call:
            return await inner(await requested(call, requests), context)

    async def stream(requests: AsyncIterator[Any], context: Context) -> None:
        call = gate.call(method, context, sort)
        async with call:
            responses = inner(await requested(call, requests), context)
            if isinstance(responses, Awaitable):
                await responses
                return
            async with closing(responses):
                async for response in responses:
                    await call.send(response)

    each = read if handler.request_streaming else None
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(stream, each, handler.response_serializer)
    return grpc.stream_unary_rpc_method_handler(answer, each, handler.response_serializer)


def _call(
    gate: Gate, kind: type[_Request], behaviour: Callable[[_Request, Identity], Awaitable[Message]]
) -> Handler:
    method = _method(kind)

    async def handle(_: object, context: Context) -> bytes:
        call = gate.call(method, context, Sort.CALL)
        async with call as caller:
            request = parse(kind, await call.request())
            return (await behaviour(request, caller)).SerializeToString()

    return grpc.stream_unary_rpc_method_handler(handle)


def _upload(
    gate: Gate,
    kind: type[_Request],
    behaviour: Callable[[AsyncIterator[_Request], Identity], Awaitable[Message]],
) -> Handler:
    method = _method(kind)

    async def handle(stream: AsyncIterator[bytes], context: Context) -> bytes:
        call = gate.call(method, context, Sort.TRANSFER)
        async with call as caller:
            requests = parse_each(kind, call.requests(stream))
            return (await behaviour(requests, caller)).SerializeToString()

    return grpc.stream_unary_rpc_method_handler(handle)


def _stream(
    gate: Gate,
    sort: Sort,
    kind: type[_Request],
    behaviour: Callable[[_Request, Identity], AsyncIterator[bytes]],
) -> Handler:
    method = _method(kind)

    async def handle(_: object, context: Context) -> None:
        call = gate.call(method, context, sort)
        async with call as caller:
            request = parse(kind, await call.request())
            async with closing(behaviour(request, caller)) as responses:
                async for response in responses:
                    await call.send(response)

    return grpc.stream_stream_rpc_method_handler(handle)


def _method(kind: type[Message]) -> str:
    """Return the path of the RPC that takes a request; buf keeps the two names together."""
    return f"/{SERVICE}/{kind.DESCRIPTOR.name.removesuffix('Request')}"
