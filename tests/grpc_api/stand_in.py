# SPDX-License-Identifier: Apache-2.0
"""Use cases in memory, behind the real interface: enough log to stream, and switches for what goes wrong."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from coordinator.errors import BusyError, EvidenceUnknownError, UnknownCeremonyError
from coordinator.use_cases import DEFAULT_PAGE_SIZE, UseCases
from coordinator.values import (
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Consistency,
    HandedBack,
    Head,
    LogEvent,
    LoggedEntry,
    Nudged,
    Organisation,
    Page,
    Publication,
    PublicationState,
    Receipt,
    Recorded,
    StandingRecord,
    Started,
)
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.verifier.part import Part
from tests.organisation import NOW, ceremony_number, key_of
from tests.organisation import Organisation as Example

HASH = b"\x11" * 32


@dataclass
class StandIn(UseCases):
    """Answers what a coordinator would, and counts what reached it."""

    example: Example = field(default_factory=Example)
    entries: list[bytes] = field(default_factory=lambda: [b'{"entry":0}'])
    reached: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    failure: Exception | None = None
    slow: float = 0.0
    following: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    evidence_files: dict[str, bytes] = field(default_factory=dict)
    annexes: tuple[Annex, ...] = (Annex(salt=b"s" * 32, text="why"),)
    bundle_bytes: int = 200_000
    suspended: dict[str, datetime] = field(default_factory=dict)
    notes: list[bytes] = field(default_factory=list)

    def suspended_until(self, signer: str) -> datetime | None:
        return self.suspended.get(signer)

    async def append(self, *entries: bytes) -> None:
        """Log something, and wake the followers."""
        async with self._news:
            self.entries += entries
            self._news.notify_all()

    async def _reach(self, name: str) -> None:
        self.reached[name] += 1
        if self.busy:
            self.busy -= 1
            raise BusyError("expected room in the writer's queue, got a full one", hint="wait a moment")
        if self.failure is not None:
            raise self.failure
        if self.slow:
            await asyncio.sleep(self.slow)

    def _made_up_receipt(self, index: int = 0) -> Receipt:
        return Receipt(entry=self.entries[index], index=index, inclusion=(HASH,), checkpoint=b"a checkpoint")

    def _part(self) -> Part:
        return Part(entries=tuple(self.entries), index=0, inclusion=(HASH,), checkpoint=b"a checkpoint")

    async def organisation(self) -> Organisation:
        await self._reach("organisation")
        return Organisation(
            policy=self.example.policy,
            versions=(self.example.policy.envelope,),
            checkpoint=b"a checkpoint",
            now=NOW,
        )

    async def start(
        self,
        envelope: Envelope,
        annexes: Collection[Annex] = (),
        proposed: bytes | None = None,
        *,
        caller: str,
    ) -> Started:
        what = [*(annex.text for annex in annexes), *([proposed.decode()] if proposed else [])]
        await self._reach(" ".join(["start", caller, *what]))
        await self.append(envelope.payload)
        receipt = self._made_up_receipt(len(self.entries) - 1)
        return Started(ceremony=ceremony_number(1), created=True, receipt=receipt)

    async def decide(
        self, envelope: Envelope, reason: Annex | None = None, timestamp: bytes = b"", *, caller: str
    ) -> Recorded:
        stamped = [timestamp.decode()] if timestamp else []
        await self._reach(" ".join(["decide", caller, reason.text if reason else "None", *stamped]))
        await self.append(envelope.payload)
        return Recorded(receipt=self._made_up_receipt(len(self.entries) - 1), state=State.OPEN)

    async def act(self, envelope: Envelope, annex: Annex | None = None, *, caller: str) -> Recorded:
        await self._reach(f"act {caller} {annex.text if annex else None} {envelope.payload.decode()}")
        return Recorded(receipt=self._made_up_receipt(), state=State.CANCELLED)

    async def stand(self, envelope: Envelope, *, caller: str) -> Receipt:
        await self._reach(f"stand {caller} {envelope.payload.decode()}")
        return self._made_up_receipt()

    async def standing(self, known_size: int = 0) -> StandingRecord:
        await self._reach("standing")
        return StandingRecord(part=self._part(), consistency=(HASH,) * known_size)

    async def status(self) -> bytes:
        await self._reach("status")
        return b"a status"

    async def nudge(self, ceremony: str, *, caller: str) -> Nudged:
        await self._reach(f"nudge {caller} {ceremony}")
        return Nudged(told=("alice", "bob"), next_at=NOW)

    async def cosign(self, note: bytes, *, caller: str) -> None:
        await self._reach(f"cosign {caller} {note.decode()}")

    async def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        await self._reach("ceremony")
        if ceremony != ceremony_number(1):
            raise UnknownCeremonyError(f"expected a ceremony of this log, got {ceremony}")
        return CeremonyRecord(
            part=replace(self._part(), consistency={1: (), 5: (HASH, HASH)}),
            consistency=(HASH,) * known_size,
            annexes=self.annexes,
            publications=(
                Publication(destination="folder", state=PublicationState.PUBLISHED, detail="w-1.json"),
            ),
        )

    async def list_ceremonies(
        self,
        *,
        states: Collection[State] = (),
        product: str = "",
        version: str = "",
        page_size: int = DEFAULT_PAGE_SIZE,
        page_token: str = "",
    ) -> Page[CeremonySummary]:
        await self._reach(f"list {sorted(states)} {product} {version} {page_size} {page_token}")
        summary = CeremonySummary(
            ceremony=ceremony_number(1),
            product="widget",
            version="1.0",
            kind=Kind.RELEASE,
            state=State.OPEN,
            requester="mallory",
            opened_at=NOW,
            deadline=NOW,
            ended_at=None,
            mode=Mode.REGULAR,
        )
        return Page(items=(summary,), next_token="" if page_token else "more")

    async def follow(
        self, from_index: int = 0, *, types: Collection[EntryType] = (), ceremony: str = ""
    ) -> AsyncIterator[LogEvent]:
        self.reached[f"follow {sorted(types)} {ceremony}"] += 1
        self.following += 1
        try:
            index = from_index
            while True:
                while index < len(self.entries):
                    yield LoggedEntry(index, self.entries[index])
                    index += 1
                yield Head(index)
                async with self._news:
                    await self._news.wait_for(lambda: len(self.entries) > index)  # noqa: B023
        finally:
            self.following -= 1

    async def shown(self, note: bytes, *, caller: str) -> None:
        assert caller
        self.notes.append(note)

    async def hand_back(
        self,
        note: bytes,
        entries: Collection[tuple[int, bytes]],
        texts: Collection[tuple[str, Annex]],
        *,
        caller: str,
    ) -> HandedBack:
        await self._reach("hand_back")
        assert caller == "alice"
        return HandedBack(rewound=bool(note), start=len(entries), end=len(texts))

    async def consistency(self, known_size: int, size: int = 0) -> Consistency:
        await self._reach("consistency")
        return Consistency(checkpoint=b"a checkpoint of %d" % size, proof=(HASH,) * known_size)

    async def put_evidence(self, chunks: AsyncIterator[bytes], *, caller: str) -> str:
        assert caller == "alice"
        self.reached["put_evidence"] += 1
        data = b"".join([chunk async for chunk in chunks])
        digest = digest_of(data)
        self.evidence_files[digest] = data
        return digest

    async def evidence(self, digest: str) -> AsyncIterator[bytes]:
        self.reached["evidence"] += 1
        if digest not in self.evidence_files:
            raise EvidenceUnknownError(f"expected evidence that is stored, got {digest}")
        yield self.evidence_files[digest]

    async def bundle(self, ceremony: str) -> bytes:
        await self._reach(f"bundle {ceremony}")
        return b"b" * self.bundle_bytes

    async def publish(self, ceremony: str) -> tuple[Publication, ...]:
        await self._reach(f"publish {ceremony}")
        return (Publication(destination="folder", state=PublicationState.FAILED, detail="full"),)


def envelope(payload: bytes = b'{"a":1}') -> bytes:
    """Return something that is signed, which the stand-in takes for any statement."""
    return write(sign(payload, key_of("alice")).to_json())
