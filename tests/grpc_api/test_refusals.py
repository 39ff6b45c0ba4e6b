# SPDX-License-Identifier: Apache-2.0
"""From refusals to statuses and back: the same code, message and hint at both ends."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_status import rpc_status

import coordinator.certificates
import coordinator.enrolment_errors
import coordinator.errors
import coordinator.grpc_api.errors
import quorumseal.ceremony.enrolment_errors
import quorumseal.ceremony.errors
import quorumseal.ceremony.request_errors
import quorumseal.signatures
import quorumseal.strict_json
from coordinator.errors import BusyError, UnknownCeremonyError
from coordinator.grpc_api.refusals import STATUSES, status_of
from quorumseal.client.statuses import error_of
from quorumseal.refusal import Refusal
from tests.grpc_api.knocking import Knock, knock
from tests.grpc_api.stand_in import StandIn
from tests.running_coordinator import Site


@pytest.fixture
def alice(site: Site, use_cases: StandIn) -> Iterator[Knock]:
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as door:
        yield door


def failure(door: Knock) -> Any:
    with pytest.raises(grpc.RpcError) as failed:
        door.call("GetOrganisation")
    return failed.value


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("plain", ""),
        ("two\nlines \x00 \x1b[31m and a bidi \u202e override", "try\tagain"),
        ("Ünïcødé ✓ 你好 " * 5, "Ünïcødé"),
    ],
)
def test_code_message_and_hint_arrive_as_they_were(
    message: str, hint: str, alice: Knock, use_cases: StandIn
) -> None:
    use_cases.failure = UnknownCeremonyError(message, hint=hint)
    error = error_of(failure(alice), "")
    assert (error.code, str(error), error.hint) == ("ceremony.unknown", message, hint)
    assert not error.retryable


def test_a_refusal_as_long_as_a_book_still_arrives(alice: Knock, use_cases: StandIn) -> None:
    use_cases.failure = UnknownCeremonyError("é" * 100_000, hint="日" * 100_000)
    error = error_of(failure(alice), "")
    assert error.code == "ceremony.unknown"
    assert str(error).startswith("é" * 400)
    assert str(error).endswith("...")
    assert error.hint.startswith("日" * 100)


def test_standard_tools_read_the_same(alice: Knock, use_cases: StandIn) -> None:
    use_cases.failure = BusyError("expected room, got none", hint="wait")
    call = failure(alice)
    status = rpc_status.from_call(call)
    assert call.code() is StatusCode.UNAVAILABLE
    assert status is not None
    assert (status.message, status.details[0].type_url) == (
        "expected room, got none",
        "type.googleapis.com/google.rpc.ErrorInfo",
    )
    assert error_of(call, "").retryable


def every_refusal() -> list[type[Refusal]]:
    modules = (
        coordinator.certificates,
        coordinator.enrolment_errors,
        coordinator.errors,
        coordinator.grpc_api.errors,
        quorumseal.ceremony.enrolment_errors,
        quorumseal.ceremony.errors,
        quorumseal.ceremony.request_errors,
        quorumseal.signatures,
        quorumseal.strict_json,
    )
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Refusal) and "code" in vars(value)
    }
    return sorted(found, key=lambda refusal: refusal.code)


def test_every_row_of_the_table_is_for_some_code() -> None:
    families = {".".join(parts[:n]) for r in every_refusal() for parts in [r.code.split(".")] for n in (1, 2)}
    assert not STATUSES.keys() - families


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda refusal: refusal.code)
def test_what_is_retryable_has_a_status_that_says_so_and_nothing_else_has(refusal: type[Refusal]) -> None:
    passing = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED}
    retryable = getattr(refusal, "retryable", False)
    assert status_of(refusal.code) is not StatusCode.OK
    if retryable:
        assert status_of(refusal.code) in passing
    else:
        assert status_of(refusal.code) is not StatusCode.UNAVAILABLE


def test_what_the_rules_refuse_is_a_failed_precondition() -> None:
    assert status_of("ceremony.ended") is StatusCode.FAILED_PRECONDITION
    assert status_of("request.must_supersede") is StatusCode.FAILED_PRECONDITION
    assert status_of("nobody.knows") is StatusCode.FAILED_PRECONDITION
    assert status_of("ceremony.unknown") is StatusCode.NOT_FOUND
