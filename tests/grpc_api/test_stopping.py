# SPDX-License-Identifier: Apache-2.0
"""A stop that loses nothing: calls finish, streams end so that they resume, and it says when all is over."""

import asyncio
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from quorumseal.client.connection import Connection
from quorumseal.client.errors import ClientError, CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.client.statuses import error_of
from quorumseal.client.values import Head, LoggedEntry
from quorumseal.v1 import coordinator_pb2 as wire
from tests.grpc_api.knocking import knock, wait_until
from tests.grpc_api.stand_in import StandIn, envelope
from tests.running_coordinator import Site


def test_calls_in_progress_finish_and_streams_end_retryably(site: Site, use_cases: StandIn) -> None:
    use_cases.slow = 1.0
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as alice:
        stream = alice.stream("Follow")
        next(stream)
        decision = wire.DecideRequest(envelope=envelope()).SerializeToString()
        deciding = [alice.later("Decide", decision) for _ in range(20)]
        wait_until(lambda: api.server.gate.in_progress == 21)
        stopping = asyncio.run_coroutine_threadsafe(api.server.stop(), api.loop)
        assert end_of(stream) == "coordinator.closing"
        refused = alice.refusal("GetOrganisation")
        assert refused.retryable
        for call in deciding:
            assert wire.DecideResponse.FromString(call.result()).receipt.entry == b'{"a":1}'
        stopping.result(20)
        assert api.server.gate.in_progress == use_cases.following == 0


def test_a_call_that_does_not_end_is_cut_off_after_the_drain(site: Site, use_cases: StandIn) -> None:
    use_cases.slow = 600
    site.limits = {"drain_seconds": 1}
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as alice:
        call = alice.later("GetOrganisation")
        wait_until(lambda: api.server.gate.in_progress == 1)
        began = time.monotonic()
        api.run(api.server.stop())
        assert time.monotonic() - began < 6
        assert api.server.gate.in_progress == 0
        assert error_of(call.exception(), "").retryable


def test_a_stop_with_a_thousand_streams_is_quick(site: Site, use_cases: StandIn) -> None:
    site.limits = {"streams_per_caller": 1_000}
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as alice:
        streams = [alice.stream("Follow") for _ in range(1_000)]
        wait_until(lambda: use_cases.following == 1_000)
        began = time.monotonic()
        api.run(api.server.stop())
        assert time.monotonic() - began < 10
        assert api.server.gate.in_progress == use_cases.following == 0
        assert {end_of(stream) for stream in streams} == {"coordinator.closing"}


def end_of(stream: Iterable[bytes]) -> str:
    with pytest.raises(grpc.RpcError) as ended:
        list(stream)
    return error_of(ended.value, "").code


def test_a_client_outlasts_a_restart(site: Site, use_cases: StandIn) -> None:
    breaks: list[ClientError] = []
    events: list[object] = []
    with site.api(use_cases) as api:
        site.port = api.server.port
        connection = Connection(api.address, site.client_files("alice"), patience=20)
        following = connection.follow(on_break=breaks.append)
        reading = threading.Thread(target=lambda: events.extend(following))
        reading.start()
        wait_until(lambda: Head(1) in events)
    use_cases.entries.append(b"while it was away")
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(connection.organisation)
        time.sleep(0.5)
        second = StandIn(entries=use_cases.entries)
        with site.api(second) as api:
            assert asking.result(20).policies
            wait_until(lambda: following.cursor == 2)
            following.close()
            reading.join(20)
            connection.close()
    assert [event for event in events if isinstance(event, LoggedEntry)] == [
        LoggedEntry(0, b'{"entry":0}'),
        LoggedEntry(1, b"while it was away"),
    ]
    assert breaks
    assert all(error.retryable for error in breaks)


def test_a_busy_coordinator_is_asked_again(site: Site, use_cases: StandIn) -> None:
    use_cases.busy = 2
    with site.api(use_cases) as api, Connection(api.address, site.client_files("alice")) as alice:
        assert alice.decide(envelope()).receipt.index == 1
        assert use_cases.reached["decide alice None"] == 3
        use_cases.busy = 10_000
        with (
            Connection(api.address, site.client_files("alice"), patience=0.5) as hasty,
            pytest.raises(CoordinatorRefusedError) as refused,
        ):
            hasty.decide(envelope())
        assert (refused.value.code, refused.value.hint) == ("coordinator.busy", "wait a moment")


def test_what_cannot_pass_is_not_asked_again(site: Site, use_cases: StandIn) -> None:
    use_cases.failure = RuntimeError()
    with (
        site.api(use_cases) as api,
        Connection(api.address, site.client_files("alice")) as alice,
        pytest.raises(CoordinatorRefusedError, match="unforeseen error"),
    ):
        alice.organisation()
    assert use_cases.reached == {"organisation": 1}


def test_nobody_there_is_said_with_what_to_do(site: Site) -> None:
    with (
        Connection("127.0.0.1:1", site.client_files("alice"), patience=0.3) as connection,
        pytest.raises(CoordinatorUnreachableError) as unreachable,
    ):
        connection.organisation()
    assert unreachable.value.code == "coordinator.unreachable"
    assert "nothing listens there" in unreachable.value.hint


def test_a_coordinator_of_another_authority_is_not_talked_to(
    site: Site, use_cases: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Site(tmp_path_factory.mktemp("other"))
    with (
        other.api(use_cases) as api,
        Connection(api.address, site.client_files("alice"), patience=0.3) as connection,
        pytest.raises(CoordinatorUnreachableError) as unreachable,
    ):
        connection.organisation()
    assert "not of the authority that you trust" in unreachable.value.hint
    assert not use_cases.reached


def test_a_coordinator_is_known_by_the_names_in_its_certificate_only(site: Site, use_cases: StandIn) -> None:
    files = site.client_files("alice")
    with site.api(use_cases) as api:
        with Connection(api.address, files, server_name="localhost") as connection:
            assert connection.organisation().policies
        with (
            Connection(api.address, files, server_name="elsewhere.example", patience=0.3) as connection,
            pytest.raises(CoordinatorUnreachableError) as unreachable,
        ):
            connection.organisation()
    assert "is for another name" in unreachable.value.hint


def test_a_stream_that_cannot_come_back_says_so(site: Site) -> None:
    with (
        Connection("127.0.0.1:1", site.client_files("alice")) as connection,
        pytest.raises(CoordinatorUnreachableError),
    ):
        next(connection.follow(patience=0.5))


def test_closing_wakes_who_waits_for_a_stream_to_come_back(site: Site) -> None:
    with Connection("127.0.0.1:1", site.client_files("alice")) as connection:
        following = connection.follow()
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(list, following)
            time.sleep(0.3)
            following.close()
            assert reading.result(5) == []
