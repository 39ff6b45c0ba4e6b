# SPDX-License-Identifier: Apache-2.0
"""Garbage, floods and sloths: each is refused with its code, and the server goes on."""

import os
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from coordinator.certificates import Kind
from coordinator.grpc_api.gate import Call
from coordinator.grpc_api.server import ApiServer
from quorumseal.client.statuses import error_of
from quorumseal.v1 import coordinator_pb2 as wire
from tests.grpc_api.knocking import Knock, knock, wait_until
from tests.grpc_api.stand_in import StandIn, envelope
from tests.running_coordinator import InProcess, Site

MIB = 1 << 20
UNKNOWN_FIELD = b"\xfa\x07\x03abc"  # field 127
LIMITS = {
    "calls": 8,
    "write_seconds": 1,
    "calls_per_caller": 3,
    "transfers_per_caller": 2,
    "streams_per_caller": 4,
    "call_seconds": 2,
    "evidence_bytes": 3 * MIB,
}


@pytest.fixture
def api(site: Site, use_cases: StandIn) -> Iterator[InProcess[ApiServer]]:
    site.limits = LIMITS
    with site.api(use_cases) as running:
        yield running
        wait_until(lambda: running.server.gate.in_progress == 0)


@pytest.fixture
def alice(site: Site, api: InProcess[ApiServer]) -> Iterator[Knock]:
    with knock(site, api.address, site.client("alice")) as door:
        yield door
        assert door.call("GetOrganisation"), "the server goes on"


def annexed(text: str, salt: bytes = b"s" * 32) -> bytes:
    message = wire.ActRequest(envelope=envelope(), annex=wire.Annex(salt=salt, text=text))
    return message.SerializeToString()


ANNEX = wire.Annex(salt=b"s" * 32, text="why")


def listing(**fields: object) -> bytes:
    return wire.ListCeremoniesRequest(**fields).SerializeToString()  # type: ignore[arg-type] # each row's own


MALFORMED = [
    ("bytes that are no message", "Start", b"\xff\xff\xff\xff", "message.malformed"),
    ("a field of the wrong type", "GetCeremony", b"\x08\x01", "message.unknown_field"),
    ("text that is not UTF-8", "GetCeremony", b"\x0a\x02\xff\xfe", "message.malformed"),
    ("an unknown field", "GetOrganisation", UNKNOWN_FIELD, "message.unknown_field"),
    ("an unknown field inside", "Act", b"\x12\x05" + UNKNOWN_FIELD[:5], "message.malformed"),
    ("an unknown field of an annex", "Act", b"\x12\x06" + UNKNOWN_FIELD, "message.unknown_field"),
    ("an empty envelope", "Start", b"", "json.malformed"),
    (
        "an envelope with duplicate keys",
        "Start",
        wire.StartRequest(envelope=b'{"a":1,"a":1}'),
        "json.duplicate_key",
    ),
    ("an envelope that is none", "Decide", wire.DecideRequest(envelope=b"[]"), "json.invalid_field"),
    ("an annex without salt", "Act", annexed("why", salt=b""), "message.field"),
    ("an annex without text", "Act", annexed(""), "message.field"),
    ("an annex that is a book", "Act", annexed("x" * 70_000), "message.field"),
    (
        "a pile of annexes",
        "Start",
        wire.StartRequest(envelope=envelope(), annexes=[ANNEX] * 5),
        "message.field",
    ),
    (
        "a ceremony that is a path",
        "GetCeremony",
        wire.GetCeremonyRequest(ceremony="../../etc"),
        "value.format",
    ),
    (
        "a size beyond numbers",
        "GetConsistency",
        wire.GetConsistencyRequest(known_size=1 << 63),
        "message.field",
    ),
    ("a page beyond measure", "ListCeremonies", listing(page_size=100_000), "message.field"),
    ("a token beyond measure", "ListCeremonies", listing(page_token="x" * 1000), "message.field"),
    ("an unknown state", "ListCeremonies", listing(states=["lost"]), "message.field"),
    ("a hundred states", "ListCeremonies", listing(states=["open"] * 100), "message.field"),
    ("a product with control characters", "ListCeremonies", listing(product="a\x1b[31m"), "value.format"),
    ("evidence by another digest", "GetEvidence", wire.GetEvidenceRequest(digest="md5:00"), "value.format"),
    ("entries of an unknown type", "Follow", wire.FollowRequest(types=["opinion"]), "message.field"),
]


@pytest.mark.parametrize(("_", "method", "data", "code"), MALFORMED, ids=[row[0] for row in MALFORMED])
def test_what_is_malformed_is_refused_and_reaches_nothing(
    _: str, method: str, data: bytes | wire.StartRequest, code: str, alice: Knock, use_cases: StandIn
) -> None:
    sent = data if isinstance(data, bytes) else data.SerializeToString()
    assert alice.code_of_any(method, sent) == code
    assert not use_cases.reached


def test_a_message_over_the_limit_is_not_even_read(alice: Knock, use_cases: StandIn) -> None:
    assert alice.refusal("Start", os.urandom(2 * MIB)).code == "rpc.resource_exhausted"
    assert not use_cases.reached


def test_random_bytes_at_every_method_change_nothing(alice: Knock, use_cases: StandIn) -> None:
    for method in ("Start", "Decide", "Act", "GetCeremony", "Publish", "GetBundle", "Follow"):
        for size in (1, 7, 100, 5_000):
            code = alice.code_of_any(method, b"\x0f" + os.urandom(size))
            assert code.startswith("message."), (method, size, code)
    assert not use_cases.reached


def test_evidence_is_cut_off_at_its_limit(alice: Knock, use_cases: StandIn) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield wire.PutEvidenceRequest(chunk=bytes(64 << 10)).SerializeToString()

    with pytest.raises(grpc.RpcError) as cut:
        alice.upload("PutEvidence", endless())
    assert error_of(cut.value, "").code == "evidence.too_large"
    assert not use_cases.evidence_files


def test_evidence_in_empty_pieces_is_refused(alice: Knock, use_cases: StandIn) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        alice.upload("PutEvidence", [b""] * 10)
    assert error_of(refused.value, "").code == "message.field"
    assert not use_cases.evidence_files


def test_evidence_that_does_not_come_is_not_waited_for(alice: Knock) -> None:
    def stalling() -> Iterator[bytes]:
        yield wire.PutEvidenceRequest(chunk=b"a").SerializeToString()
        over.wait(20)

    over = threading.Event()
    with pytest.raises(grpc.RpcError) as refused:
        alice.upload("PutEvidence", stalling())
    over.set()
    assert error_of(refused.value, "").code == "limit.time"


def test_all_callers_together_have_only_so_many_calls_at_once(
    site: Site, api: InProcess[ApiServer], alice: Knock, use_cases: StandIn
) -> None:
    streams = [alice.stream("Follow") for _ in range(4)]
    with knock(site, api.address, site.client("bob")) as bob:
        streams += [bob.stream("Follow") for _ in range(4)]
        wait_until(lambda: use_cases.following == LIMITS["calls"])
        refusal = bob.refusal("GetOrganisation")
        assert (refusal.code, refusal.retryable) == ("limit.concurrent", True)
        for stream in streams:
            stream.cancel()
    wait_until(lambda: use_cases.following == 0)


def test_one_caller_has_only_so_many_calls_at_once(
    site: Site, api: InProcess[ApiServer], alice: Knock, use_cases: StandIn
) -> None:
    use_cases.slow = 1.0
    calls = [alice.later("GetOrganisation") for _ in range(10)]
    with knock(site, api.address, site.client("bob")) as bob:
        assert bob.call("GetOrganisation"), "others are not held up"
    answered = [call for call in calls if call.exception() is None]
    refused = [error_of(call.exception(), "") for call in calls if call.exception() is not None]
    assert len(answered) == LIMITS["calls_per_caller"]
    assert {(error.code, error.retryable) for error in refused} == {("limit.concurrent", True)}
    use_cases.slow = 0


def test_one_caller_has_only_so_many_streams_at_once(alice: Knock, use_cases: StandIn) -> None:
    streams = [alice.stream("Follow") for _ in range(LIMITS["streams_per_caller"])]
    for stream in streams:
        next(stream)
    assert alice.code_of_any("Follow") == "limit.concurrent"
    streams[0].cancel()
    wait_until(lambda: use_cases.following == LIMITS["streams_per_caller"] - 1)
    assert alice.code_of_any("Follow") == ""
    for stream in streams:
        stream.cancel()
    wait_until(lambda: use_cases.following == 0)


def test_one_error_in_watching_the_time_does_not_end_the_watch(
    api: InProcess[ApiServer], alice: Knock, use_cases: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, errors = api.server.gate._judge, [ValueError("cannot happen")]

    def broken(call: Call, at: float) -> None:
        if errors:
            raise errors.pop()
        judge(call, at)

    monkeypatch.setattr(api.server.gate, "_judge", broken)
    use_cases.slow = 60
    assert alice.refusal("GetOrganisation").code == "limit.time"
    assert errors == []
    use_cases.slow = 0


def test_a_call_that_takes_too_long_is_ended(
    api: InProcess[ApiServer], alice: Knock, use_cases: StandIn
) -> None:
    use_cases.slow = 60
    began = time.monotonic()
    refusal = alice.refusal("GetOrganisation")
    assert (refusal.code, refusal.retryable) == ("limit.time", True)
    assert time.monotonic() - began < 10
    wait_until(lambda: api.server.gate.in_progress == 0)
    use_cases.slow = 0


def test_a_caller_who_gives_up_leaves_nothing_behind(
    api: InProcess[ApiServer], alice: Knock, use_cases: StandIn
) -> None:
    use_cases.slow = 60
    with pytest.raises(grpc.RpcError):
        alice.call("GetOrganisation", timeout=0.3)
    wait_until(lambda: api.server.gate.in_progress == 0)
    use_cases.slow = 0


def test_what_nobody_foresaw_says_nothing_about_the_inside(
    alice: Knock, use_cases: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    use_cases.failure = RuntimeError("the password is swordfish")
    refusal = alice.refusal("GetOrganisation")
    assert refusal.code == "internal"
    assert "swordfish" not in str(refusal) + refusal.hint
    number = str(refusal).partition("number ")[2].rstrip(")")
    assert f"unforeseen error {number}" in caplog.text
    use_cases.failure = None


def test_only_signers_are_present(site: Site, api: InProcess[ApiServer], use_cases: StandIn) -> None:
    request = wire.FollowRequest(present=True).SerializeToString()
    with knock(site, api.address, site.client("olga", Kind.AUDITOR)) as olga:
        assert olga.code_of_any("Follow", request) == "message.field"
    assert not use_cases.reached
