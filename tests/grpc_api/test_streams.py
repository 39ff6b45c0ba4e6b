# SPDX-License-Identifier: Apache-2.0
"""Thousands of streams at once, readers that do not read, and what is left when they are gone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from coordinator.certificates import Kind
from coordinator.grpc_api.presence import Presence
from coordinator.grpc_api.streams import thinned
from coordinator.values import Head as Now
from coordinator.values import LogEvent
from coordinator.values import LoggedEntry as Past
from quorumseal.client.connection import Connection
from quorumseal.client.statuses import error_of
from quorumseal.client.values import Head, LoggedEntry
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.v1.coordinator_pb2_grpc import CoordinatorServiceStub
from tests.grpc_api.knocking import knock, wait_until
from tests.grpc_api.sloths import resident_mib, sloths, timed
from tests.grpc_api.stand_in import StandIn
from tests.organisation import NOW
from tests.running_coordinator import Site

CHANNELS = 4


def aio_channels(site: Site, address: str, number: int) -> list[grpc.aio.Channel]:
    alice = site.client("alice")
    tls = grpc.ssl_channel_credentials(
        site.authority.certificate_pem, alice.private_key_pem, alice.certificate_pem
    )
    options = [("grpc.use_local_subchannel_pool", 1)]
    return [grpc.aio.secure_channel(address, tls, options) for _ in range(number)]


async def test_thousands_of_streams_opened_at_once_are_all_served_or_told_why(
    site: Site, use_cases: StandIn, count: Callable[..., int]
) -> None:
    streams = count(2_000, deep=10_000)
    site.limits = {"streams_per_caller": streams // 2}
    outcomes = Counter[str]()

    async def follow(stub: CoordinatorServiceStub) -> None:
        try:
            async for message in stub.Follow(wire.FollowRequest()):  # type: ignore[attr-defined] # its aio half
                if message.entry.entry == b"news":
                    outcomes["served"] += 1
                    return
                if message.HasField("head"):
                    outcomes["opened"] += 1
        except grpc.aio.AioRpcError as error:
            outcomes[error_of(error, "").code] += 1

    with site.api(use_cases) as api:
        channels = aio_channels(site, api.address, CHANNELS)
        stubs = [CoordinatorServiceStub(channel) for channel in channels]
        following = [asyncio.create_task(follow(stubs[i % CHANNELS])) for i in range(streams)]
        async with asyncio.timeout(60):
            while outcomes["opened"] + outcomes["limit.concurrent"] < streams:  # noqa: ASYNC110 - counts 2,000
                await asyncio.sleep(0.05)
            assert api.server.gate.in_progress == streams // 2
            asyncio.run_coroutine_threadsafe(use_cases.append(b"news"), api.loop)
            await asyncio.gather(*following)
        assert outcomes["served"] == outcomes["limit.concurrent"] == streams // 2
        assert set(outcomes) <= {"opened", "served", "limit.concurrent"}
        for channel in channels:
            await channel.close()
        with Connection(api.address, site.client_files("bob")) as bob:
            assert bob.organisation().policies, "the server goes on"
        wait_until(lambda: api.server.gate.in_progress == 0)
        assert use_cases.following == 0


def test_a_reader_that_does_not_read_is_dropped_and_resumes(site: Site, use_cases: StandIn) -> None:
    site.limits = {"write_seconds": 1}
    use_cases.entries = [b"%06d" % number + bytes(50_000) for number in range(600)]
    with site.api(use_cases) as api, knock(site, api.address, site.client("alice")) as alice:
        sloth = alice.stream("Follow")
        wait_until(lambda: use_cases.following == 1)
        wait_until(lambda: use_cases.following == 0)
        wait_until(lambda: api.server.gate.in_progress == 0)
        read: list[int] = []
        with pytest.raises(grpc.RpcError) as dropped:
            read.extend(wire.FollowResponse.FromString(data).entry.index for data in sloth)
        error = error_of(dropped.value, "")
        assert (error.code, error.retryable) == ("stream.too_slow", True)
        assert read == list(range(len(read)))
        assert len(read) < len(use_cases.entries)
        with Connection(api.address, site.client_files("alice")) as connection:
            events = connection.follow(from_index=len(read))
            resumed = [next(events) for _ in range(len(read), len(use_cases.entries) + 1)]
            events.close()
        assert resumed[0] == LoggedEntry(len(read), use_cases.entries[len(read)])
        assert resumed[-1] == Head(len(use_cases.entries))


def test_two_hundred_readers_that_do_not_read_cost_others_nothing_and_little_memory(
    site: Site, use_cases: StandIn
) -> None:
    """They sleep in a process of their own: what they buffer there is their business."""
    site.limits = {"streams_per_caller": 1000, "write_seconds": 3}
    use_cases.entries = [bytes(100_000)] * 5_000
    with site.api(use_cases) as api, Connection(api.address, site.client_files("bob")) as bob:
        bob.organisation()
        before = resident_mib()
        with sloths(site, api.address, 200):
            wait_until(lambda: use_cases.following == 200)
            slowest = max(timed(bob.organisation) for _ in range(20))
            assert resident_mib() - before < 64 + 200 * 0.3  # a message and HTTP/2's buffers for each
            wait_until(lambda: api.server.gate.in_progress == 0, patience=60)
        assert slowest < 5
        assert bob.organisation().policies


async def test_heads_that_say_nothing_new_are_not_sent() -> None:
    instants = iter([100.0, 101.0, 111.0, 111.0, 112.0])
    came: list[LogEvent] = [
        Past(0, b""),
        Past(1, b""),
        Now(2),
        Past(2, b""),
        Now(3),
        Now(4),
        Now(6),
        Now(7),
        Past(9, b""),
    ]

    async def events() -> AsyncIterator[LogEvent]:
        for event in came:
            yield event

    sent = [event async for event in thinned(events(), lambda: next(instants))]
    assert sent == [Past(0, b""), Past(1, b""), Now(2), Past(2, b""), Now(6), Past(9, b"")]


def test_presence_lasts_as_long_as_the_stream(site: Site, use_cases: StandIn) -> None:
    with site.api(use_cases) as api:
        with (
            Connection(api.address, site.client_files("alice")) as alice,
            Connection(api.address, site.client_files("olga", Kind.AUDITOR)) as olga,
        ):
            streams = [alice.follow(present=True), alice.follow(present=True), alice.follow(), olga.follow()]
            for stream in streams:
                next(stream)
            assert [each.signer for each in olga.presence()] == ["alice"]
            streams[0].close()
            wait_until(lambda: use_cases.following == 3)
            assert [each.signer for each in olga.presence()] == ["alice"]
            streams[1].close()
            wait_until(lambda: olga.presence() == ())
            for stream in streams[2:]:
                stream.close()
        wait_until(lambda: api.server.gate.in_progress == 0)


def test_a_signer_is_present_since_the_first_of_their_agents() -> None:
    instants = iter(NOW + timedelta(minutes=minute) for minute in range(9))
    presence = Presence(lambda: next(instants))
    with presence.of("alice"):
        with presence.of("alice"), presence.of("bob"):
            assert presence.present() == [("alice", NOW), ("bob", NOW + timedelta(minutes=2))]
        assert presence.present() == [("alice", NOW)]
    assert presence.present() == []


def test_a_stream_ends_with_the_certificate_that_opened_it(site: Site, use_cases: StandIn) -> None:
    short = site.authority.issue_client(
        Kind.SIGNER,
        "alice",
        at=datetime.now(UTC),
        lifetime=timedelta(seconds=4),
        randomness=lambda size: bytes([size + 1] * size),
    )
    with site.api(use_cases) as api, knock(site, api.address, short) as alice:
        stream = alice.stream("Follow")
        next(stream)
        with pytest.raises(grpc.RpcError) as ended:
            list(stream)
        assert error_of(ended.value, "").code == "stream.ended"
        time.sleep(1)
        assert alice.refusal("GetOrganisation").code == "certificate.expired"
    assert use_cases.reached.total() == 1
