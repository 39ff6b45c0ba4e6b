# SPDX-License-Identifier: Apache-2.0
"""Answers that no honest coordinator gives end in a refusal, never in an error that nobody foresaw."""

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from quorumseal.client import messages
from quorumseal.client.errors import CoordinatorRefusedError, UnexpectedAnswerError
from quorumseal.client.statuses import DETAILS, DOMAIN, error_of
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.verifier.outcomes import Outcome, outcome_of


class Failure(grpc.RpcError):
    """A status with details, as a channel raises it."""

    def __init__(self, *details: bytes) -> None:
        self._metadata = tuple((DETAILS, each) for each in details)

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self) -> str:
        return "no"

    def trailing_metadata(self) -> Any:
        return self._metadata


def _status(detail: AnyMessage) -> bytes:
    data: bytes = Status(code=9, message="why", details=[detail]).SerializeToString()
    return data


def _detail(reason: str) -> AnyMessage:
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=reason, domain=DOMAIN))
    return detail


BROKEN = AnyMessage(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")


@pytest.mark.parametrize("details", [b"\xff\xff", _status(BROKEN)], ids=["no status", "no error info"])
def test_details_that_cannot_be_read_are_passed_over(details: bytes) -> None:
    plain = error_of(Failure(details), "coordinator.acme.example")
    assert isinstance(plain, CoordinatorRefusedError)
    assert plain.code == "rpc.failed_precondition"
    assert error_of(Failure(details, _status(_detail("ceremony.full"))), "c").code == "ceremony.full"


@pytest.mark.parametrize("code", ["", "verified", "artifact", "quorum.met", "\x1b[2J"])
def test_no_code_of_a_coordinator_is_a_success(code: str) -> None:
    assert outcome_of(error_of(Failure(_status(_detail(code))), "c").code) is not Outcome.VERIFIED


@pytest.mark.parametrize(
    "event",
    [
        wire.FollowResponse(),
        wire.FollowResponse(entry=wire.LoggedEntry(index=2**64 - 1, entry=b"{}")),
        wire.FollowResponse(head=wire.Head(size=2**53)),
    ],
    ids=["neither", "an index beyond all logs", "a size beyond all logs"],
)
def test_an_event_that_no_log_has_is_refused(event: wire.FollowResponse) -> None:
    with pytest.raises(UnexpectedAnswerError):
        messages.event_of(event)


@pytest.mark.parametrize("state", ["", "OPEN", "approved \u2713 and published", "\x1b[2J"])
def test_a_state_that_no_ceremony_has_is_refused(state: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match="expected the state of a ceremony"):
        messages.decided_of(wire.DecideResponse(state=state))
