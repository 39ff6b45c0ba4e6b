# SPDX-License-Identifier: Apache-2.0
"""Observations as Prometheus reads them, and how little a reader of the port can do."""

import re
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import pytest

from coordinator.grpc_api.errors import InternalError
from coordinator.metrics.catalogue import (
    CEREMONIES,
    METRICS,
    NOTIFICATION_FAILURES,
    QUEUE,
    REFUSALS,
    ROLE_RESPONSE,
    TIME_TO_QUORUM,
    Sort,
)
from coordinator.metrics.observing import Observation
from coordinator.metrics.registry import Registry, refusal_codes
from coordinator.metrics.serving import AT_ONCE, MetricsAddressError, MetricsServer
from tests.scraping import fetch, numbers, scrape

NAME = re.compile(r"quorumseal_[a-z]+(_[a-z]+)*")
UNITS = ("_total", "_seconds", "_commands")


def registry(*read: Observation, roles: Iterable[str] = ("engineering",)) -> Registry:
    made = Registry()
    made.read_from(lambda: read, channels=("chat",), roles=roles)
    return made


def values(made: Registry) -> dict[str, float]:
    """Return what Prometheus would store."""
    return numbers(made.write()[0].decode())


def test_names_are_what_prometheus_expects() -> None:
    assert len({each.name for each in METRICS}) == len(METRICS)
    for each in METRICS:
        assert NAME.fullmatch(each.name)
        assert each.name.endswith("_total") == (each.sort is Sort.COUNTER)
        assert (each.sort is Sort.HISTOGRAM) == bool(each.buckets)
        assert each.sort is not Sort.HISTOGRAM or each.name.endswith(UNITS)
        assert list(each.buckets) == sorted(set(each.buckets))


def test_what_happened_adds_up() -> None:
    made = registry()
    for seconds in (10.0, 200.0):
        made.observe(Observation(ROLE_RESPONSE, seconds, "engineering"))
    made.observe(Observation(NOTIFICATION_FAILURES, label="chat"))
    made.observe(Observation(TIME_TO_QUORUM, 7200.0, "regular"))
    found = values(made)
    assert found["quorumseal_role_response_seconds_count engineering"] == 2
    assert found["quorumseal_role_response_seconds_sum engineering"] == 210
    assert found["quorumseal_role_response_seconds_bucket 60.0 engineering"] == 1
    assert found["quorumseal_role_response_seconds_bucket 300.0 engineering"] == 2
    assert found["quorumseal_notification_failures_total chat"] == 1
    assert found["quorumseal_time_to_quorum_seconds_count regular"] == 1


def test_what_is_read_is_what_it_was_at_the_scrape() -> None:
    queued = [3.0]
    made = Registry()
    made.read_from(
        lambda: [
            Observation(QUEUE, queued[0]),
            Observation(CEREMONIES, 5, "approved"),
            Observation(CEREMONIES, 0, "expired"),
        ],
        channels=(),
        roles=(),
    )
    assert values(made)["quorumseal_writer_queue"] == 3
    queued[0] = 0.0
    found = values(made)
    assert found["quorumseal_writer_queue"] == 0
    assert found["quorumseal_ceremonies_total approved"] == 5
    assert found["quorumseal_ceremonies_total expired"] == 0


def test_a_series_that_alerts_watch_is_there_before_its_first_event() -> None:
    found = values(registry())
    for series in (
        "quorumseal_refusals_total coordinator.read_only",
        f"quorumseal_refusals_total {InternalError.code}",
        "quorumseal_notification_failures_total chat",
        "quorumseal_role_response_seconds_count engineering",
        "quorumseal_time_to_quorum_seconds_count break-glass",
    ):
        assert found[series] == 0


def test_no_caller_can_make_a_label() -> None:
    made = registry()
    for number in range(1000):
        made.observe(Observation(REFUSALS, label=f"made.up.{number}"))
    made.observe(Observation(REFUSALS, label="quorum.short"))
    found = values(made)
    assert found["quorumseal_refusals_total other"] == 1001 - ("quorum.short" in refusal_codes())
    labels = {each.partition(" ")[2] for each in found if each.startswith("quorumseal_refusals_total ")}
    assert labels <= refusal_codes() | {"other"}


def test_openmetrics_is_written_for_who_asks_for_it() -> None:
    body, content_type = registry().write("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert registry().write()[1].startswith("text/plain; version=")


@contextmanager
def serving(listen: str = "127.0.0.1:0") -> Iterator[MetricsServer]:
    server = MetricsServer(listen, registry().write)
    server.start()
    with closing(server):
        yield server


def url(server: MetricsServer, path: str = "/metrics", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.port}{path}"


def test_the_port_answers_one_path_and_one_method() -> None:
    with serving() as server:
        assert scrape(url(server)).keys() == scrape(url(server, "/metrics?debug=1")).keys()
        for path in ("/", "/metrics/", "/../metrics"):
            assert fetch(url(server, path))[0] == 404
        for method in ("POST", "PUT", "DELETE"):
            assert fetch(url(server), method=method)[0] == 501


def test_it_listens_on_ipv6_too() -> None:
    with serving("[::1]:0") as server:
        assert scrape(url(server, host="[::1]"))


def test_it_listens_where_it_was_told_and_nowhere_else() -> None:
    with serving() as server, pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_a_port_that_is_taken_is_refused_with_the_name_of_the_setting() -> None:
    with serving() as server, pytest.raises(MetricsAddressError, match="expected to listen on") as refused:
        MetricsServer(f"127.0.0.1:{server.port}", registry().write)
    assert "metrics.listen" in refused.value.hint


def test_readers_that_dawdle_are_dropped_and_keep_nobody_from_stopping() -> None:
    with serving() as server:
        dawdlers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_ONCE)]
        for each in dawdlers:
            each.sendall(b"GET /met")
        began = time.monotonic()
        refused = socket.create_connection(("127.0.0.1", server.port))
        refused.settimeout(5)
        assert refused.recv(1) == b"", "there is room for so many at once"
        for each in dawdlers:
            each.settimeout(10)
            assert each.recv(1) == b""
        assert time.monotonic() - began < 9
        assert scrape(url(server))
        for each in (refused, *dawdlers):
            each.close()


def test_a_reader_that_goes_away_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    gone, written = threading.Event(), threading.Event()

    def answer(_: str) -> tuple[bytes, str]:
        gone.wait(10)
        written.set()
        return b"x" * 10_000_000, "text/plain"

    server = MetricsServer("127.0.0.1:0", answer)
    server.start()
    with closing(server):
        with socket.create_connection(("127.0.0.1", server.port)) as leaver:
            leaver.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            leaver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.set()
        assert written.wait(10)
        assert fetch(url(server))[0] == 200
    assert not caplog.records


def test_a_defect_is_told_and_the_next_reader_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    failures = [RuntimeError("nobody foresaw this")]

    def answer(_: str) -> tuple[bytes, str]:
        if failures:
            raise failures.pop()
        return b"", "text/plain"

    server = MetricsServer("127.0.0.1:0", answer)
    server.start()
    with closing(server):
        with pytest.raises(ConnectionError):
            fetch(url(server))
        assert fetch(url(server))[0] == 200
    (record,) = caplog.records
    assert "unforeseen error" in record.getMessage()
