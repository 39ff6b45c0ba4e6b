# SPDX-License-Identifier: Apache-2.0
"""The health service, behind the same door as everything else, and reflection, which is off."""

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from coordinator.certificates import Kind
from coordinator.grpc_api.callers import SERVICE
from quorumseal.client.statuses import error_of
from tests.certificates.forging import forge, uri
from tests.grpc_api.knocking import Knock, knock, wait_until
from tests.grpc_api.stand_in import StandIn
from tests.running_coordinator import Site

HEALTH, REFLECTION = "/grpc.health.v1.Health", "/grpc.reflection.v1alpha.ServerReflection"
SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse(status=status)
    for status in (health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING)
)


def check(door: Knock, service: str = SERVICE) -> health_pb2.HealthCheckResponse:
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2.HealthCheckResponse.FromString(
        door.call(f"{HEALTH}/Check", request.SerializeToString())
    )


def test_whoever_may_connect_may_ask_how_it_is(site: Site, use_cases: StandIn) -> None:
    with site.api(use_cases) as api:
        for kind in Kind:
            with knock(site, api.address, site.client("olga", kind)) as door:
                assert check(door) == check(door, "") == SERVING


def test_nobody_else_is_told(site: Site, use_cases: StandIn) -> None:
    stranger = forge(site.authority, at=site.started_at, names=[uri("spiffe://acme/olga")])
    with site.api(use_cases) as api:
        with knock(site, api.address, stranger) as door:
            assert door.refusal(f"{HEALTH}/Check").code == "certificate.identity"
        with knock(site, api.address, None) as door:
            assert door.refusal(f"{HEALTH}/Check").code == "coordinator.unreachable"


@pytest.mark.parametrize("garbage", [b"\xff\xff", b"\x0a\x02\xff\xfe"])
def test_garbage_is_refused_by_name(site: Site, use_cases: StandIn, garbage: bytes) -> None:
    with site.api(use_cases) as api, knock(site, api.address, site.client("olga")) as door:
        assert door.refusal(f"{HEALTH}/Check", garbage).code == "message.malformed"


def test_who_watches_is_sent_away_at_the_stop(site: Site, use_cases: StandIn) -> None:
    request = health_pb2.HealthCheckRequest(service=SERVICE).SerializeToString()
    with site.api(use_cases) as api, knock(site, api.address, site.client("olga", Kind.OPERATOR)) as door:
        watching = door.stream(f"{HEALTH}/Watch", request)
        assert health_pb2.HealthCheckResponse.FromString(next(watching)) == SERVING
        api.run(api.server.stop())
        with pytest.raises(grpc.RpcError) as ended:
            list(watching)
        assert error_of(ended.value, "").code == "coordinator.closing"
        assert api.server.gate.in_progress == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # one is ended
def test_a_coordinator_that_has_lost_a_thread_does_not_say_that_it_serves(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("coordinator.grpc_api.server._LOOK_EVERY", 0.02)
    request = health_pb2.HealthCheckRequest(service=SERVICE).SerializeToString()
    with site.in_process() as running:
        certificate = site.client("olga", Kind.OPERATOR)
        with knock(site, running.address, certificate) as door:
            states = map(health_pb2.HealthCheckResponse.FromString, door.stream(f"{HEALTH}/Watch", request))
            assert next(states) == SERVING
            assert check(door) == check(door, "") == SERVING
            behind = running.server.coordinator._running
            assert behind is not None
            behind._deadlines.thread._work = _end_the_thread
            assert next(states) == NOT_SERVING
            wait_until(lambda: check(door) == check(door, "") == NOT_SERVING)
    (record,) = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert "deadlines" in record.getMessage()


def _end_the_thread() -> float:
    raise SystemExit


def ask_for_services(door: Knock) -> bytes:
    request = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    method = door.channel.stream_stream(f"{REFLECTION}/ServerReflectionInfo")
    answer: bytes = next(method(iter([request]), timeout=10))
    return answer


def test_reflection_is_off(site: Site, use_cases: StandIn) -> None:
    with (
        site.api(use_cases) as api,
        knock(site, api.address, site.client("alice")) as door,
        pytest.raises(grpc.RpcError) as refused,
    ):
        ask_for_services(door)
    assert error_of(refused.value, "").code == "rpc.unimplemented"


def test_reflection_is_a_setting(site: Site, use_cases: StandIn) -> None:
    site.reflection = True
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as door:
        assert SERVICE.encode() in ask_for_services(door)
