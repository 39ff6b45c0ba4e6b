# SPDX-License-Identifier: Apache-2.0
"""From a refusal to a gRPC status: one table.  The refusal's code and hint travel as ``ErrorInfo``."""

import asyncio
import logging
from typing import Any, Final, NoReturn, TypeAlias

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc import StatusCode
from grpc.aio import InternalError, ServicerContext

from coordinator.errors import CoordinatorError
from coordinator.running_log import about
from quorumseal.refusal import Refusal

Context: TypeAlias = "ServicerContext[Any, Any]"

DOMAIN: Final = "quorumseal.dev"
DETAILS: Final = "grpc-status-details-bin"
_LONGEST_MESSAGE: Final = 1000
_LONGEST_HINT: Final = 400
_log = logging.getLogger(__name__)

STATUSES: Final[dict[str, StatusCode]] = {
    "annex": StatusCode.INVALID_ARGUMENT,
    "bundle": StatusCode.FAILED_PRECONDITION,
    "caller": StatusCode.PERMISSION_DENIED,
    "caller.no_certificate": StatusCode.UNAUTHENTICATED,
    "caller.tls_version": StatusCode.UNAUTHENTICATED,
    "ceremony.unknown": StatusCode.NOT_FOUND,
    "certificate": StatusCode.UNAUTHENTICATED,
    "coordinator": StatusCode.FAILED_PRECONDITION,
    "coordinator.anchor": StatusCode.UNAVAILABLE,
    "log.witness_refused": StatusCode.UNAVAILABLE,
    "coordinator.busy": StatusCode.UNAVAILABLE,
    "coordinator.closing": StatusCode.UNAVAILABLE,
    "coordinator.storage": StatusCode.UNAVAILABLE,
    "coordinator.founding": StatusCode.UNAVAILABLE,
    "certificate.not_a_signer": StatusCode.PERMISSION_DENIED,
    "certificate.no_authority": StatusCode.FAILED_PRECONDITION,
    "certificate.other_name": StatusCode.PERMISSION_DENIED,
    "certificate.request": StatusCode.INVALID_ARGUMENT,
    "enrolment": StatusCode.INVALID_ARGUMENT,
    "envelope": StatusCode.INVALID_ARGUMENT,
    "evidence.busy": StatusCode.UNAVAILABLE,
    "evidence.quota": StatusCode.RESOURCE_EXHAUSTED,
    "evidence.too_large": StatusCode.RESOURCE_EXHAUSTED,
    "evidence.too_slow": StatusCode.DEADLINE_EXCEEDED,
    "evidence.unknown": StatusCode.NOT_FOUND,
    "evidence.uploader": StatusCode.PERMISSION_DENIED,
    "internal": StatusCode.INTERNAL,
    "founding.not_a_founder": StatusCode.PERMISSION_DENIED,
    "founding.signature": StatusCode.INVALID_ARGUMENT,
    "invitation.malformed": StatusCode.INVALID_ARGUMENT,
    "invitation.too_many_guesses": StatusCode.RESOURCE_EXHAUSTED,
    "invitation.unknown": StatusCode.NOT_FOUND,
    "json": StatusCode.INVALID_ARGUMENT,
    "key.malformed": StatusCode.INVALID_ARGUMENT,
    "key.small_order": StatusCode.INVALID_ARGUMENT,
    "key.taken": StatusCode.ALREADY_EXISTS,
    "limit": StatusCode.RESOURCE_EXHAUSTED,
    "limit.time": StatusCode.DEADLINE_EXCEEDED,
    "log.size_ahead": StatusCode.OUT_OF_RANGE,
    "message": StatusCode.INVALID_ARGUMENT,
    "notice.not_taken": StatusCode.UNAVAILABLE,
    "nudge.not_allowed": StatusCode.PERMISSION_DENIED,
    "nudge.too_soon": StatusCode.RESOURCE_EXHAUSTED,
    "page": StatusCode.INVALID_ARGUMENT,
    "publication": StatusCode.UNAVAILABLE,
    "recovery.handed_back": StatusCode.INVALID_ARGUMENT,
    "request.ceremony_exists": StatusCode.ALREADY_EXISTS,
    "signature": StatusCode.INVALID_ARGUMENT,
    "signer.suspended": StatusCode.PERMISSION_DENIED,
    "statement.format": StatusCode.INVALID_ARGUMENT,
    "statement.newer_format": StatusCode.INVALID_ARGUMENT,
    "statement.signature": StatusCode.INVALID_ARGUMENT,
    "stream": StatusCode.UNAVAILABLE,
    "value": StatusCode.INVALID_ARGUMENT,
}
"""The longest prefix of a code decides; what the rules say no to is FAILED_PRECONDITION."""


def status_of(code: str) -> StatusCode:
    """Return the status that a refusal's code is sent under."""
    family = code
    while family:
        if family in STATUSES:
            return STATUSES[family]
        family = family.rpartition(".")[0]
    return StatusCode.FAILED_PRECONDITION


def rich_status(refusal: Refusal) -> Status:
    """Return the status message that carries a refusal."""
    info = ErrorInfo(reason=refusal.code, domain=DOMAIN)
    if refusal.hint:
        info.metadata["hint"] = _cut(refusal.hint, _LONGEST_HINT)
    if isinstance(refusal, CoordinatorError) and refusal.retryable:
        info.metadata["retryable"] = "true"
    detail = AnyMessage()
    detail.Pack(info)
    number: int = status_of(refusal.code).value[0]
    return Status(code=number, message=_cut(str(refusal), _LONGEST_MESSAGE), details=[detail])


async def refuse(context: Context, refusal: Refusal, *, within: float) -> NoReturn:
    """End a call with a refusal; a peer that does not take even that is left behind after ``within``."""
    status = rich_status(refusal)
    metadata = ((DETAILS, status.SerializeToString()),)
    try:
        async with asyncio.timeout(within):
            await context.abort(status_of(refusal.code), status.message, metadata)
    except (TimeoutError, InternalError):
        _log.info("a peer did not take its refusal", extra=about(reason=refusal))
    raise asyncio.CancelledError


def _cut(text: str, longest: int) -> str:
    """Bound what goes into HTTP/2 trailers, in bytes; three of them travel for one that is not ASCII."""
    encoded = text.encode()
    return text if len(encoded) <= longest else encoded[:longest].decode(errors="ignore") + "..."
