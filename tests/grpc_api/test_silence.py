# SPDX-License-Identifier: Apache-2.0
"""Callers who begin calls and send nothing: they are known, counted and let go like everybody else."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from coordinator.certificates import identity_of
from coordinator.grpc_api.callers import CALLERS
from coordinator.grpc_api.server import ApiServer
from quorumseal.client.statuses import error_of
from quorumseal.v1 import coordinator_pb2 as wire
from tests.grpc_api.knocking import Knock, knock, wait_until
from tests.grpc_api.stand_in import StandIn
from tests.running_coordinator import InProcess, Site

LIMITS = {"calls": 40, "calls_per_caller": 3, "streams_per_caller": 2, "transfers_per_caller": 1}
TAKEN_APART = ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "PutEvidence")
"""Streams of messages, each of which has a time of its own; reflection is off."""
ONE_MESSAGE = sorted(method for method in CALLERS if not method.endswith(TAKEN_APART))


class Silent:
    """Calls of one connection that send headers, and no message before ``speak``."""

    def __init__(self, door: Knock) -> None:
        self._door = door
        self._over = threading.Event()
        self._message = b""
        self.calls: list[Any] = []

    def begin(self, method: str) -> Any:
        """Begin a call, whatever its shape."""
        call = self._door.channel.stream_stream(method)(self._said(), timeout=60)
        self.calls.append(call)
        return call

    def speak(self, message: bytes) -> None:
        """Let every call send its message."""
        self._message = message
        self._over.set()

    def ended(self) -> bool:
        return all(call.done() for call in self.calls)

    def code(self, call: Any) -> str:
        """Return why a call was ended."""
        with pytest.raises(grpc.RpcError) as ended:
            next(call)
        return error_of(ended.value, "").code

    def _said(self) -> Iterator[bytes]:
        self._over.wait(60)
        yield self._message


@pytest.fixture
def api(site: Site, use_cases: StandIn) -> Iterator[InProcess[ApiServer]]:
    site.limits = {**LIMITS, "call_seconds": 2}
    with site.api(use_cases) as running:
        yield running
        wait_until(lambda: running.server.gate.in_progress == 0)


@pytest.fixture
def alice(site: Site, api: InProcess[ApiServer]) -> Iterator[Silent]:
    with knock(site, api.address, site.client("alice")) as door:
        silent = Silent(door)
        yield silent
        silent.speak(b"")


def of(rpc: str) -> str:
    return f"/quorumseal.v1.CoordinatorService/{rpc}"


@pytest.mark.parametrize(("rpc", "most"), [("GetOrganisation", 3), ("Follow", 2), ("GetStatus", 1)])
def test_calls_without_a_message_count_against_their_callers_limit(
    site: Site, api: InProcess[ApiServer], alice: Silent, rpc: str, most: int
) -> None:
    for _ in range(most):
        alice.begin(of(rpc))
    wait_until(lambda: api.server.gate.in_progress == most)
    assert alice.code(alice.begin(of(rpc))) == "limit.concurrent"
    with knock(site, api.address, site.client("bob")) as bob:
        assert bob.call("GetOrganisation"), "others are not held up"


def test_a_call_of_any_kind_without_a_message_has_the_time_of_a_call(site: Site, use_cases: StandIn) -> None:
    site.limits = {"call_seconds": 1, "transfers_per_caller": len(ONE_MESSAGE), "stream_seconds": 600}
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as door:
        silent, began = Silent(door), time.monotonic()
        calls = {method: silent.begin(method) for method in ONE_MESSAGE}
        wait_until(silent.ended)
        assert 1 <= time.monotonic() - began < 10
        assert {method: silent.code(call) for method, call in calls.items()} == dict.fromkeys(
            ONE_MESSAGE, "limit.time"
        )
        assert not use_cases.reached
        wait_until(lambda: api.server.gate.in_progress == 0)


def test_an_upload_has_the_time_of_a_transfer_once_it_has_begun(
    site: Site, api: InProcess[ApiServer], use_cases: StandIn
) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(9):
            yield wire.PutEvidenceRequest(chunk=bytes(1 << 10)).SerializeToString()
            time.sleep(0.4)  # 3.6 s in all, over the time of a call and a sweep

    with knock(site, api.address, site.client("alice")) as door:
        door.upload("PutEvidence", slowly())
    assert use_cases.reached["put_evidence"] == 1


def test_an_upload_that_does_not_begin_has_the_time_of_a_call(
    api: InProcess[ApiServer], alice: Silent
) -> None:
    assert alice.code(alice.begin(of("PutEvidence"))) == "limit.time"
    wait_until(lambda: api.server.gate.in_progress == 0)


@pytest.mark.parametrize("rpc", ["GetOrganisation", "Follow"])
def test_a_revoked_certificate_is_refused_before_any_message(
    site: Site, use_cases: StandIn, rpc: str
) -> None:
    site.revoked = (identity_of(site.client("alice").certificate_pem).serial,)
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as door:
        silent = Silent(door)
        assert silent.code(silent.begin(of(rpc))) == "certificate.revoked"
        assert api.server.gate.in_progress == 0


def test_a_message_that_comes_late_but_in_time_is_answered_and_a_stream_then_has_a_streams_time(
    api: InProcess[ApiServer], alice: Silent
) -> None:
    follow = alice.begin(of("Follow"))
    wait_until(lambda: api.server.gate.in_progress == 1)
    began = time.monotonic()
    alice.speak(wire.FollowRequest().SerializeToString())
    next(follow)
    time.sleep(max(0, began + 2.6 - time.monotonic()))  # over the time of a call, and a sweep
    assert not follow.done()
    follow.cancel()


@pytest.mark.parametrize("rpc", ["GetOrganisation", "GetStatus"])
def test_a_call_that_ends_without_a_message_is_refused_and_reaches_nothing(
    site: Site, api: InProcess[ApiServer], use_cases: StandIn, rpc: str
) -> None:
    with knock(site, api.address, site.client("alice")) as door:
        call = door.channel.stream_stream(of(rpc))(iter(()), timeout=20)
        with pytest.raises(grpc.RpcError) as refused:
            next(call)
    assert error_of(refused.value, "").code == "message.malformed"
    assert not use_cases.reached
