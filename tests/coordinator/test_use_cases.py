# SPDX-License-Identifier: Apache-2.0
"""The coordinator as its API sees it: whole, with all its threads, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from coordinator.errors import (
    AnnexError,
    CallerNotSignerError,
    EvidenceTooLargeError,
    EvidenceUnknownError,
    NotPublishableError,
    PageTokenError,
    SeenCheckpointError,
    SizeAheadError,
    UnknownCeremonyError,
)
from coordinator.use_cases import UseCases
from coordinator.values import (
    MAX_EVIDENCE_BYTES,
    Annex,
    Head,
    LogEvent,
    LoggedEntry,
    PublicationState,
    Recorded,
    Started,
)
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.errors import CeremonyEndedError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.request_errors import (
    AlreadyApprovedError,
    CeremonyExistsError,
    MustSupersedeError,
    OpenCeremonyExistsError,
)
from quorumseal.ceremony.statements import Choice, Evidence, Request, SeenCheckpoint, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import EMPTY_ROOT, hash_text, verify_consistency
from quorumseal.verifier.part import open_log_checkpoint, verify_part, verify_seen_checkpoints
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.coordinator.workshop import Workshop
from tests.organisation import ARTIFACT, NOW, REASON, SALT, Organisation

_T = TypeVar("_T")
OTHER_BYTES = (Subject(name="widget.tar.gz", digest=digest_of(b"other bytes")),)
REASON_ANNEX = Annex(salt=SALT, text=REASON)


@pytest.fixture
def cases(workshop: Workshop) -> UseCases:
    return workshop.coordinator().use_cases


@pytest.fixture
def people(cases: UseCases, organisation: Organisation) -> "People":
    return People(cases, organisation)


class People:
    """Everybody who calls the coordinator, each with their own key."""

    def __init__(self, cases: UseCases, organisation: Organisation) -> None:
        self.cases = cases
        self.organisation = organisation

    async def start(self, request: Request | None = None) -> Started:
        request = request or self.organisation.request()
        return await self.cases.start(self.organisation.seal(request), caller=request.context.signer)

    async def decide(
        self, signer: str, choice: Choice = Choice.APPROVAL, request: Request | None = None
    ) -> Recorded:
        signed = self.organisation.sign_request(request)
        decision = self.organisation.decision(signer, signed, choice)
        reason = REASON_ANNEX if decision.reason else None
        return await self.cases.decide(self.organisation.seal(decision), reason, caller=signer)

    async def approve(self, request: Request | None = None) -> Recorded:
        await self.start(request)
        for signer in ("alice", "erin", "carol"):
            await self.decide(signer, request=request)
        return await self.decide("rita", request=request)


async def test_a_ceremony_runs_from_its_request_to_a_bundle_that_verifies(
    people: People, workshop: Workshop
) -> None:
    assert (await people.approve()).state is State.APPROVED
    ceremony = people.organisation.request().ceremony
    record = await _eventually(
        lambda: people.cases.ceremony(ceremony),
        lambda record: record.publications[0].state is PublicationState.PUBLISHED,
    )
    assert record.publications[0].detail == str(workshop.published / "widget@1.0.quorumseal.json")
    bundle = (workshop.published / "widget@1.0.quorumseal.json").read_bytes()
    assert bundle == await people.cases.bundle(ceremony)
    trust = Trust(
        organisation=people.organisation.name, policy=people.organisation.policy.digest, minimum_version=1
    )
    verified = verify(bundle, trust, {"widget.tar.gz": digest_of(ARTIFACT)}, terms=Terms(product="widget"))
    assert verified.request.version == "1.0"


async def test_the_same_request_again_is_the_same_ceremony(people: People) -> None:
    first, again = await people.start(), await people.start()
    assert (first.created, again.created) == (True, False)
    assert (first.ceremony, first.receipt.entry, first.receipt.index) == (
        again.ceremony,
        again.receipt.entry,
        again.receipt.index,
    )
    anew = await people.start(people.organisation.request(number=7))
    assert (anew.ceremony, anew.created) == (first.ceremony, False)


async def test_many_at_once_who_start_the_same_release_open_one_ceremony(people: People) -> None:
    started = await asyncio.gather(
        *(people.start(people.organisation.request(number=n)) for n in range(1, 21))
    )
    assert len({each.ceremony for each in started}) == 1
    assert sum(each.created for each in started) == 1


async def test_the_same_decision_again_gets_a_receipt_for_the_same_entry(
    people: People, workshop: Workshop
) -> None:
    await people.start()
    first, again = await people.decide("alice"), await people.decide("alice")
    assert (first.receipt.entry, first.receipt.index) == (again.receipt.entry, again.receipt.index)
    workshop.check(again.receipt)


async def test_a_decision_repeated_after_the_end_still_gets_its_receipt(people: People) -> None:
    await people.start()
    first = await people.decide("alice")
    for signer in ("erin", "carol", "rita"):
        await people.decide(signer)
    again = await people.decide("alice")
    assert again.receipt.index == first.receipt.index
    assert again.state is State.APPROVED


async def test_a_rejection_ends_the_ceremony_and_its_reason_is_kept(people: People) -> None:
    await people.start()
    decided = await people.decide("carol", Choice.REJECTION)
    assert decided.state is State.REJECTED
    record = await people.cases.ceremony(people.organisation.request().ceremony)
    assert record.annexes == (REASON_ANNEX,)
    with pytest.raises(CeremonyEndedError):
        await people.decide("alice")


async def test_other_bytes_under_an_open_version_must_supersede(people: People) -> None:
    await people.start()
    other = people.organisation.request(number=2, subjects=OTHER_BYTES)
    with pytest.raises(OpenCeremonyExistsError):
        await people.start(other)
    supersedes = people.organisation.sign_request().digest
    started = await people.start(replace(other, supersedes=supersedes))
    assert started.created
    old = await people.cases.ceremony(people.organisation.request().ceremony)
    entry = read_entry(old.part.entries[-1])
    assert entry.type is EntryType.SUPERSEDED
    assert old.part.index == started.receipt.index - 1, "in the same transaction, just before"


async def test_other_bytes_under_an_ended_version_must_supersede(people: People) -> None:
    await people.start()
    await people.decide("carol", Choice.REJECTION)
    other = people.organisation.request(number=2, subjects=OTHER_BYTES)
    with pytest.raises(MustSupersedeError):
        await people.start(other)
    supersedes = people.organisation.sign_request().digest
    assert (await people.start(replace(other, supersedes=supersedes))).created


async def test_an_approved_version_is_never_opened_for_other_bytes(people: People) -> None:
    await people.approve()
    with pytest.raises(AlreadyApprovedError):
        await people.start(people.organisation.request(number=2, subjects=OTHER_BYTES))


async def test_a_ceremony_id_is_used_once(people: People) -> None:
    await people.start()
    with pytest.raises(CeremonyExistsError):
        await people.start(people.organisation.request(number=1, version="2.0"))


async def test_a_decision_after_the_deadline_is_recorded_as_late(people: People, workshop: Workshop) -> None:
    await people.start()
    workshop.time.pass_by(timedelta(hours=24))
    late = await people.decide("alice")
    assert late.state is State.EXPIRED
    assert read_entry(late.receipt.entry).type is EntryType.LATE
    workshop.check(late.receipt)
    record = await people.cases.ceremony(people.organisation.request().ceremony)
    assert [read_entry(entry).type for entry in record.part.entries] == ["opened", "expired", "late"]


async def test_a_release_whose_ceremony_is_past_its_deadline_can_be_asked_for_again(
    people: People, workshop: Workshop
) -> None:
    await people.start()
    workshop.time.pass_by(timedelta(hours=24))
    again = people.organisation.request(number=2, at=NOW + timedelta(hours=24))
    assert (await people.start(again)).created


async def test_a_ceremony_nobody_looks_at_expires(people: People, workshop: Workshop) -> None:
    await people.start()
    workshop.time.pass_by(timedelta(hours=24))
    page = await _eventually(
        lambda: people.cases.list_ceremonies(states=[State.EXPIRED]), lambda page: bool(page.items)
    )
    assert page.items[0].ended_at == workshop.time.now


async def test_a_cancellation_repeated_gets_the_same_receipt(people: People, workshop: Workshop) -> None:
    await people.start()
    chain = workshop.desk(running=False).chain(people.organisation.request().ceremony)
    envelope = people.organisation.seal(people.organisation.cancellation("mallory", chain))
    first = await people.cases.act(envelope, REASON_ANNEX, caller="mallory")
    again = await people.cases.act(envelope, REASON_ANNEX, caller="mallory")
    assert (first.receipt.entry, first.receipt.index) == (again.receipt.entry, again.receipt.index)
    other = people.organisation.seal(people.organisation.cancellation("rita", chain))
    with pytest.raises(CeremonyEndedError):
        await people.cases.act(other, REASON_ANNEX, caller="rita")


async def test_a_cancellation_after_the_deadline_is_refused_and_the_expiry_recorded(
    people: People, workshop: Workshop
) -> None:
    await people.start()
    desk = workshop.desk(running=False)
    chain = desk.chain(people.organisation.request().ceremony)
    workshop.time.pass_by(timedelta(hours=24))
    envelope = people.organisation.seal(people.organisation.cancellation("mallory", chain))
    with pytest.raises(CeremonyEndedError):
        await people.cases.act(envelope, REASON_ANNEX, caller="mallory")
    assert desk.types()[-1] == "expired"


async def test_a_statement_is_handed_in_by_its_signer_only(people: People) -> None:
    await people.start()
    decision = people.organisation.decision("alice", people.organisation.sign_request())
    with pytest.raises(CallerNotSignerError):
        await people.cases.decide(people.organisation.seal(decision), caller="bob")


@pytest.mark.parametrize(
    "annex",
    [
        None,
        Annex(salt=SALT, text="another reason"),
        Annex(salt=SALT[:31], text=REASON),
        Annex(salt=SALT, text=""),
        Annex(salt=SALT, text="\0"),
        Annex(salt=SALT, text="long" * 5000),
    ],
)
async def test_a_reason_that_is_not_the_committed_one_is_refused(people: People, annex: Annex | None) -> None:
    await people.start()
    decision = people.organisation.decision("carol", people.organisation.sign_request(), Choice.REJECTION)
    with pytest.raises(AnnexError):
        await people.cases.decide(people.organisation.seal(decision), annex, caller="carol")
    assert (await people.decide("carol", Choice.REJECTION)).state is State.REJECTED


async def test_a_text_that_no_statement_commits_to_is_refused(people: People) -> None:
    await people.start()
    decision = people.organisation.decision("alice", people.organisation.sign_request())
    with pytest.raises(AnnexError):
        await people.cases.decide(people.organisation.seal(decision), REASON_ANNEX, caller="alice")


@pytest.mark.parametrize("size", [1, 2, 99])
async def test_a_statement_that_names_another_logs_checkpoint_is_refused(people: People, size: int) -> None:
    await people.start()
    seen = SeenCheckpoint(size=size, root=digest_of(b"another history"))
    decision = people.organisation.decision("alice", people.organisation.sign_request(), seen=seen)
    with pytest.raises(SeenCheckpointError):
        await people.cases.decide(people.organisation.seal(decision), caller="alice")


async def test_a_bundle_proves_every_checkpoint_that_its_statements_name(people: People) -> None:
    await people.start()
    signed = people.organisation.sign_request()
    log = people.organisation.policy.policy.log
    for signer in ("alice", "erin", "carol", "rita"):
        checkpoint = open_log_checkpoint((await people.cases.consistency(0)).checkpoint, log)
        seen = SeenCheckpoint(size=checkpoint.size, root=hash_text(checkpoint.root))
        decision = people.organisation.decision(signer, signed, seen=seen)
        await people.cases.decide(people.organisation.seal(decision), caller=signer)
    bundle = await people.cases.bundle(signed.statement.ceremony)
    trust = Trust(
        organisation=people.organisation.name, policy=people.organisation.policy.digest, minimum_version=1
    )
    concluded = verify(bundle, trust, {"widget.tar.gz": digest_of(ARTIFACT)}).checkpoint
    assert concluded is not None
    assert concluded.size == 7


async def test_a_ceremony_is_proved_to_a_checkpoint_that_extends_the_callers(people: People) -> None:
    log = people.organisation.policy.policy.log
    before = open_log_checkpoint((await people.cases.organisation()).checkpoint, log)
    await people.start()
    await people.decide("alice")
    record = await people.cases.ceremony(people.organisation.request().ceremony, before.size)
    verified = verify_part(record.part, people.organisation.policy)
    assert len(verified.chain.hashes) == 2
    verify_consistency(
        before.size, before.root, verified.checkpoint.size, verified.checkpoint.root, record.consistency
    )
    between = await people.cases.consistency(before.size, 2)
    assert open_log_checkpoint(between.checkpoint, log).size == 2
    for known, size in ((0, 4), (3, 2)):
        with pytest.raises(SizeAheadError):
            await people.cases.consistency(known, size)
    with pytest.raises(SizeAheadError):
        await people.cases.ceremony(people.organisation.request().ceremony, 4)
    with pytest.raises(SizeAheadError):
        await people.cases.consistency(4)


async def test_a_ceremony_comes_with_a_proof_from_every_checkpoint_that_its_statements_name(
    people: People,
) -> None:
    log, signed = people.organisation.policy.policy.log, people.organisation.sign_request()
    await people.start()
    for signer, size in (("alice", 1), ("carol", 2), ("rita", 2), ("erin", 0)):
        note = (await people.cases.consistency(0, size)).checkpoint
        root = open_log_checkpoint(note, log).root if size else EMPTY_ROOT
        seen = SeenCheckpoint(size=size, root=hash_text(root))
        decision = people.organisation.decision(signer, signed, seen=seen)
        await people.cases.decide(people.organisation.seal(decision), caller=signer)
    part = (await people.cases.ceremony(signed.statement.ceremony)).part
    assert sorted(part.consistency) == [1, 2]
    verify_seen_checkpoints(part, open_log_checkpoint(part.checkpoint, log))


async def test_what_does_not_exist_is_said_to_be_unknown(people: People) -> None:
    unknown = people.organisation.request(number=99).ceremony
    with pytest.raises(UnknownCeremonyError):
        await people.cases.ceremony(unknown)
    with pytest.raises(UnknownCeremonyError):
        await people.cases.bundle(unknown)
    with pytest.raises(EvidenceUnknownError):
        await anext(aiter(people.cases.evidence(digest_of(b"nothing"))))


async def test_an_open_ceremony_has_no_bundle(people: People) -> None:
    await people.start()
    with pytest.raises(NotPublishableError):
        await people.cases.bundle(people.organisation.request().ceremony)
    with pytest.raises(NotPublishableError):
        await people.cases.publish(people.organisation.request().ceremony)


async def test_lists_go_page_by_page_newest_first(people: People) -> None:
    for n in range(1, 8):
        await people.start(people.organisation.request(number=n, version=f"1.{n}"))
    await people.start(people.organisation.request(number=8, product="gadget"))
    seen, token = [], ""
    while True:
        page = await people.cases.list_ceremonies(product="widget", page_size=3, page_token=token)
        seen += [each.version for each in page.items]
        token = page.next_token
        if not token:
            break
    assert seen == [f"1.{n}" for n in range(7, 0, -1)]
    assert not (await people.cases.list_ceremonies(states=[State.APPROVED])).items
    assert len((await people.cases.list_ceremonies(version="1.3")).items) == 1
    for token in ("x", "-1", "1" * 19, "²"):
        with pytest.raises(PageTokenError):
            await people.cases.list_ceremonies(page_token=token)


async def test_evidence_comes_back_byte_for_byte_and_is_asked_for_by_requests(people: People) -> None:
    data = bytes(range(256)) * 3000
    evidence = Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=digest_of(data))
    request = replace(people.organisation.request(), evidence=(evidence,))
    with pytest.raises(EvidenceUnknownError):
        await people.start(request)
    for _ in range(2):
        assert await people.cases.put_evidence(_chunks(data, 100_000), caller="mallory") == digest_of(data)
    assert b"".join([chunk async for chunk in people.cases.evidence(digest_of(data))]) == data
    assert (await people.start(request)).created


async def test_evidence_may_be_empty(people: People) -> None:
    digest = await people.cases.put_evidence(_chunks(b"", 1), caller="mallory")
    assert [chunk async for chunk in people.cases.evidence(digest)] == []


async def test_evidence_is_bounded_as_it_comes(people: People) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * (1 << 20)

    with pytest.raises(EvidenceTooLargeError):
        await people.cases.put_evidence(endless(), caller="mallory")
    assert taken == MAX_EVIDENCE_BYTES // (1 << 20) + 1


async def test_a_follower_sees_what_was_and_what_comes(people: People) -> None:
    await people.start()
    events = people.cases.follow()
    assert await _take(events, 3) == [0, 1, "head 2"]
    await people.decide("alice")
    assert await _take(events, 2) == [2, "head 3"]
    await people.decide("carol", Choice.REJECTION)
    assert await _take(events, 3) == [3, 4, "head 5"]


async def test_a_follower_gets_only_what_it_asked_for(people: People) -> None:
    for n in range(1, 4):
        await people.start(people.organisation.request(number=n, version=f"1.{n}"))
    request = people.organisation.request(number=2, version="1.2")
    await people.decide("alice", request=request)
    assert await _take(people.cases.follow(types=[EntryType.DECIDED]), 2) == [4, "head 5"]
    assert await _take(people.cases.follow(ceremony=request.ceremony), 3) == [2, 4, "head 5"]
    assert await _take(people.cases.follow(3), 3) == [3, 4, "head 5"]
    with pytest.raises(SizeAheadError):
        await _take(people.cases.follow(6), 1)


async def test_a_follower_hears_of_what_another_coordinator_writes(
    people: People, workshop: Workshop, database: str
) -> None:
    if database.startswith("sqlite"):
        pytest.skip("a database file has one coordinator")
    other = People(workshop.coordinator().use_cases, people.organisation)
    events = people.cases.follow()
    assert await _take(events, 2) == [0, "head 1"]
    await other.start()
    assert await asyncio.wait_for(_take(events, 2), 10) == [1, "head 2"]


async def test_nothing_is_answered_before_it_can_be_read_elsewhere(
    people: People, workshop: Workshop
) -> None:
    """Every checkpoint that leaves the coordinator is in the database by then."""
    elsewhere = workshop.desk(running=False).storage
    for n in range(1, 6):
        started = await people.start(people.organisation.request(number=n, version=f"1.{n}"))
        size = workshop.check(started.receipt).size
        stored = elsewhere.log.checkpoint(size)
        assert stored is not None
        assert stored.note == started.receipt.checkpoint


async def _take(events: AsyncIterator[LogEvent], count: int) -> list[int | str]:
    found: list[int | str] = []
    async for event in events:
        match event:
            case LoggedEntry(index=index):
                found.append(index)
            case Head(size=size):
                found.append(f"head {size}")
        if len(found) == count:
            break
    return found


async def _chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def _eventually(ask: Callable[[], Awaitable[_T]], right: Callable[[_T], bool]) -> _T:
    """Ask until the answer is right, for ten seconds."""
    for _ in range(500):
        answer = await ask()
        if right(answer):
            return answer
        await asyncio.sleep(0.02)
    pytest.fail("it never came")
