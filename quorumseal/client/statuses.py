# SPDX-License-Identifier: Apache-2.0
"""From a gRPC status to an error that says what happened and what to do."""

from typing import Any

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc import RpcError, StatusCode

from quorumseal.client.errors import ClientError, CoordinatorRefusedError, CoordinatorUnreachableError

DOMAIN = "quorumseal.dev"
DETAILS = "grpc-status-details-bin"

_BROKEN = frozenset({StatusCode.UNAVAILABLE, StatusCode.CANCELLED, StatusCode.DEADLINE_EXCEEDED})
_HINTS = (
    # part of grpcio's text, what to do about it
    ("onnection refused", "nothing listens there: start it with `quorumseal coordinator run`"),
    ("CERTIFICATE_VERIFY_FAILED", "the coordinator's certificate is not of the authority that you trust"),
    ("DNS", "the coordinator's address cannot be resolved: compare it with the operator's"),
    ("ostname", "the coordinator's certificate is for another name: connect by the name that it has"),
    ("Deadline", "the coordinator did not answer in time: try again"),
    ("Connect", "the coordinator cannot be reached: compare its address with the operator's"),
)
_TOO_MUCH = "the coordinator has more to do at once than it takes: try again in a moment"
_TOO_LARGE = "what was sent is larger than the coordinator takes: send less at once"
_OTHERWISE = "compare the versions of this program and the coordinator"
_CLOSED = (
    "if this goes on, the coordinator refuses this machine's certificate: it may have expired, or come from "
    "another authority"
)


def error_of(error: RpcError, target: str) -> ClientError:
    """Return what a failed call means."""
    status: StatusCode = error.code()
    details: str = error.details() or ""
    rich = _rich(error)
    if rich is not None:
        info, message = rich
        return CoordinatorRefusedError(
            info.reason,
            message,
            hint=info.metadata.get("hint", ""),
            retryable=info.metadata.get("retryable") == "true",
        )
    if status in _BROKEN:
        hint = next((hint for part, hint in _HINTS if part in details), _CLOSED)
        return CoordinatorUnreachableError(
            f"expected an answer from the coordinator at {target}, got none ({_short(details)})", hint=hint
        )
    exhausted, too_large = status is StatusCode.RESOURCE_EXHAUSTED, "larger than max" in details
    return CoordinatorRefusedError(
        f"rpc.{status.name.lower()}",
        f"expected an answer from the coordinator at {target}, got {status.name}: {_short(details)}",
        hint=_TOO_LARGE if too_large else _TOO_MUCH if exhausted else _OTHERWISE,
        retryable=exhausted and not too_large,
    )


def _rich(error: RpcError) -> tuple[ErrorInfo, str] | None:
    metadata: Any = error.trailing_metadata() or ()  # its stub does not know that it is a sequence
    for key, value in metadata:
        if key != DETAILS:
            continue
        try:
            status = Status.FromString(value)
            for detail in status.details:
                info = ErrorInfo()
                if detail.Unpack(info) and info.domain == DOMAIN:
                    return info, status.message
        except DecodeError:  # somebody else's, or a liar's: the plain status says enough
            continue
    return None


def _short(details: str) -> str:
    line = " ".join(details.split())
    return line if len(line) <= 200 else line[:200] + "…"
