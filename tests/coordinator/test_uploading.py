# SPDX-License-Identifier: Apache-2.0
"""Evidence on its way in: nobody holds every place, nobody fills the disk, nothing named is ever lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator import uploading
from coordinator.errors import (
    EvidenceBusyError,
    EvidenceNotAllowedError,
    EvidenceQuotaError,
    EvidenceTooSlowError,
    EvidenceUnknownError,
)
from coordinator.intake import Intake
from coordinator.log_keys import LogKeys
from coordinator.sweeping import Sweeping
from coordinator.uploading import KEPT, UPLOADS, UPLOADS_PER_CALLER, Uploads
from quorumseal.ceremony.statements import Evidence, Request
from quorumseal.ceremony.values import digest_of
from tests.coordinator.workshop import Desk, Workshop

DATA = b"the bill of materials\n"


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return workshop.desk()


@pytest.fixture
def uploads(desk: Desk, workshop: Workshop) -> Iterator[Uploads]:
    with ThreadPoolExecutor() as storing:
        yield Uploads(desk.storage, desk.policies, now=lambda: workshop.time.now, storing=storing)


async def whole(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def held(until: asyncio.Event, piece: bytes = DATA) -> AsyncIterator[bytes]:
    yield piece
    await until.wait()


def with_evidence(workshop: Workshop, *files: bytes) -> Request:
    request = workshop.organisation.request(deadline=KEPT * 3)
    evidence = (
        Evidence(kind="sbom", name=f"sbom-{number}.json", media_type="application/json", digest=digest)
        for number, digest in enumerate(map(digest_of, files))
    )
    return replace(request, evidence=tuple(evidence))


async def test_one_caller_has_a_share_and_leaves_room_for_others(uploads: Uploads) -> None:
    done = asyncio.Event()
    slow = [
        asyncio.create_task(uploads.take(held(done, b"%d" % n), caller="mallory"))
        for n in range(UPLOADS_PER_CALLER)
    ]
    await asyncio.sleep(0)
    with pytest.raises(EvidenceBusyError, match="of mallory"):
        await uploads.take(whole(DATA), caller="mallory")
    assert await uploads.take(whole(DATA), caller="rita") == digest_of(DATA)
    done.set()
    await asyncio.gather(*slow)
    assert await uploads.take(whole(b"again"), caller="mallory") == digest_of(b"again")


async def test_all_callers_together_have_a_bound(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "UPLOADS_PER_CALLER", UPLOADS)
    done = asyncio.Event()
    slow = [asyncio.create_task(uploads.take(held(done), caller="mallory")) for _ in range(UPLOADS)]
    await asyncio.sleep(0)
    with pytest.raises(EvidenceBusyError):
        await uploads.take(whole(DATA), caller="rita")
    done.set()
    await asyncio.gather(*slow)


async def test_who_goes_away_gives_the_place_back(uploads: Uploads) -> None:
    for _ in range(UPLOADS_PER_CALLER * 3):
        task = asyncio.create_task(uploads.take(held(asyncio.Event()), caller="mallory"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert await uploads.take(whole(DATA), caller="mallory") == digest_of(DATA)


@pytest.mark.parametrize(
    ("seconds", "size", "taken"),
    [(15, 10, True), (16.5, 64 << 10, False), (16, 64 << 10, True), (100, 64 << 10, False)],
)
async def test_a_file_comes_at_a_least_rate(seconds: float, size: int, taken: bool) -> None:
    times = iter([0.0, seconds])
    collecting = uploading._collect(whole(bytes(size)), lambda: next(times))
    if taken:
        assert len(await collecting) == size
    else:
        with pytest.raises(EvidenceTooSlowError):
            await collecting


@pytest.mark.parametrize(("caller", "may"), [("rita", True), ("ci", True), ("alice", True), ("zoe", False)])
async def test_who_may_request_nothing_sends_nothing(uploads: Uploads, caller: str, may: bool) -> None:
    if may:
        assert await uploads.take(whole(DATA), caller=caller)
    else:
        with pytest.raises(EvidenceNotAllowedError):
            await uploads.take(whole(DATA), caller=caller)


async def test_what_no_request_names_has_a_quota(
    uploads: Uploads, workshop: Workshop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "WAITING_BYTES_PER_CALLER", 10)
    monkeypatch.setattr(uploading, "WAITING_BYTES", 16)
    await uploads.take(whole(b"12345678"), caller="mallory")
    with pytest.raises(EvidenceQuotaError, match="of mallory"):
        await uploads.take(whole(b"abc"), caller="mallory")
    await uploads.take(whole(b"ABCDEFGH"), caller="rita")
    with pytest.raises(EvidenceQuotaError, match="at most 16 bytes of evidence that"):
        await uploads.take(whole(b"x"), caller="ci")
    desk.written(workshop.start(with_evidence(workshop, b"12345678")))
    assert await uploads.take(whole(b"abc"), caller="mallory"), "what is named counts against nobody"


async def test_what_no_request_names_in_time_goes_and_what_one_names_stays(
    uploads: Uploads, workshop: Workshop, desk: Desk
) -> None:
    named, forgotten = b"named", b"forgotten" * 60_000
    for data in (named, forgotten):
        await uploads.take(whole(data), caller="mallory")
    desk.written(workshop.start(with_evidence(workshop, named)))
    sweeping = Sweeping(desk.storage, clock=workshop.time.clock())
    sweeping.sweep()
    assert desk.storage.evidence.size(digest_of(forgotten)) == len(forgotten)
    workshop.time.pass_by(KEPT + timedelta(seconds=1))
    sweeping.sweep()
    assert desk.storage.evidence.size(digest_of(forgotten)) is None
    assert desk.storage.evidence.chunk(digest_of(forgotten), 0) is None
    assert desk.storage.evidence.chunk(digest_of(named), 0) == named
    workshop.time.pass_by(KEPT * 400)
    sweeping.sweep()
    assert desk.storage.evidence.chunk(digest_of(named), 0) == named


async def test_a_start_finds_its_evidence_or_is_refused_whenever_others_sweep(
    uploads: Uploads, workshop: Workshop, desk: Desk
) -> None:
    """Whoever looks for evidence puts off its end, so no sweep comes between the look and the entry."""
    await uploads.take(whole(DATA), caller="mallory")
    intake = Intake(desk.storage, desk.policies, LogKeys(), now=lambda: workshop.time.now)
    envelope = workshop.organisation.seal(with_evidence(workshop, DATA))
    sweeping = Sweeping(desk.storage, clock=workshop.time.clock())
    workshop.time.pass_by(KEPT - timedelta(seconds=1))
    start = intake.request(envelope, (), None, "mallory")
    workshop.time.pass_by(timedelta(seconds=2))
    sweeping.sweep()
    desk.written(start)
    workshop.time.pass_by(KEPT * 2)
    sweeping.sweep()
    assert desk.storage.evidence.chunk(digest_of(DATA), 0) == DATA


async def test_evidence_that_is_gone_is_asked_for_again(
    uploads: Uploads, workshop: Workshop, desk: Desk
) -> None:
    await uploads.take(whole(DATA), caller="mallory")
    workshop.time.pass_by(KEPT + timedelta(seconds=1))
    Sweeping(desk.storage, clock=workshop.time.clock()).sweep()
    intake = Intake(desk.storage, desk.policies, LogKeys(), now=lambda: workshop.time.now)
    envelope = workshop.organisation.seal(with_evidence(workshop, DATA))
    with pytest.raises(EvidenceUnknownError, match="got none for") as refused:
        intake.request(envelope, (), None, "mallory")
    assert "send the file first" in refused.value.hint
    await uploads.take(whole(DATA), caller="mallory")
    assert intake.request(envelope, (), None, "mallory").request.statement.evidence
