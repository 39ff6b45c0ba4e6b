# SPDX-License-Identifier: Apache-2.0
"""What a coordinator does for its callers: plain values in, plain values out, refusals raised.

Statements are authenticated and decided about by the writer's thread.  Reads have a pool of their own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import count
from typing import TypeVar

from coordinator.clock import LogClock
from coordinator.commands import Outcome, WriterCommand, Written
from coordinator.cosigning import Cosigning
from coordinator.errors import EvidenceUnknownError, PageTokenError, SizeAheadError
from coordinator.following import follow
from coordinator.handing_back import HandingBack
from coordinator.high_water import HighWater
from coordinator.intake import Intake
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.nudging import Nudging
from coordinator.policies import Policies
from coordinator.publishing import Publishing
from coordinator.reading import LogReader
from coordinator.status import StatusFile
from coordinator.storage import CeremonyRow, Storage
from coordinator.uploading import Uploads
from coordinator.values import (
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Consistency,
    HandedBack,
    LogEvent,
    Nudged,
    Organisation,
    Page,
    Publication,
    Receipt,
    Recorded,
    StandingRecord,
    Started,
)
from coordinator.writer import Writer
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode
from quorumseal.signatures import Envelope

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE = 500
_Answer = TypeVar("_Answer")


class UseCases:
    """The only thing that the API talks to.  ``caller`` is the signer's name from the certificate."""

    def __init__(
        self,
        *,
        storage: Storage,
        policies: Policies,
        log_keys: LogKeys,
        writer: Writer,
        live: Live,
        reader: LogReader,
        status: StatusFile,
        publishing: Publishing,
        nudging: Nudging,
        cosigning: Cosigning,
        clock: LogClock,
        reading: ThreadPoolExecutor,
        high_water: HighWater,
        handing_back: HandingBack,
    ) -> None:
        self._storage = storage
        self._policies = policies
        self._writer = writer
        self._live = live
        self._reader = reader
        self._status = status
        self._publishing = publishing
        self._nudging = nudging
        self._cosigning = cosigning
        self._clock = clock
        self._high_water = high_water
        self._handing_back = handing_back
        self._intake = Intake(storage, policies, log_keys, now=clock.now, shown=high_water.show)
        self._reading = reading
        self._uploads = Uploads(storage, policies, now=clock.now, storing=reading)

    async def organisation(self) -> Organisation:
        """Return the policies and the newest checkpoint."""
        checkpoint = await self._read(self._reader.newest_checkpoint)
        return Organisation(
            policy=self._policies.newest,
            versions=await self._read(self._reader.versions),
            checkpoint=checkpoint.note,
            now=self._clock.now(),
        )

    async def start(
        self,
        envelope: Envelope,
        annexes: Collection[Annex] = (),
        proposed: bytes | None = None,
        *,
        caller: str,
    ) -> Started:
        """Open the ceremony that a signed request asks for, or return the one that it opened before."""
        outcome = await self._writer.run(partial(self._intake.request, envelope, annexes, proposed, caller))
        assert outcome.ceremony is not None  # noqa: S101 - a request has one
        created = isinstance(outcome, Written)
        return Started(ceremony=outcome.ceremony, created=created, receipt=await self._receipt(outcome))

    async def decide(
        self, envelope: Envelope, reason: Annex | None = None, timestamp: bytes = b"", *, caller: str
    ) -> Recorded:
        """Record a signed decision; the same one again gets a receipt for the same entry."""
        return await self._recorded(partial(self._intake.decision, envelope, reason, timestamp, caller))

    async def act(self, envelope: Envelope, annex: Annex | None = None, *, caller: str) -> Recorded:
        """Record a signed cancellation, extension, veto or report."""
        return await self._recorded(partial(self._intake.act, envelope, annex, caller))

    async def stand(self, envelope: Envelope, *, caller: str) -> Receipt:
        """Record what is signed outside any ceremony."""
        outcome = await self._writer.run(partial(self._intake.standing_act, envelope, caller))
        return await self._receipt(outcome)

    def suspended_until(self, signer: str) -> datetime | None:
        """Return until when somebody does not count; none where they do."""
        suspended = self._policies.chain.standing.suspended.get(signer)
        return suspended.until if suspended and self._clock.now() < suspended.until else None

    async def standing(self, known_size: int = 0) -> StandingRecord:
        """Return the entries of no ceremony, proved to a checkpoint that extends ``known_size``."""
        return await self._read(lambda: self._reader.standing(known_size))

    async def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Return a ceremony, proved to a checkpoint that extends the one of ``known_size``."""
        return await self._read(lambda: self._reader.record(ceremony, known_size))

    async def list_ceremonies(
        self,
        *,
        states: Collection[State] = (),
        product: str = "",
        version: str = "",
        page_size: int = DEFAULT_PAGE_SIZE,
        page_token: str = "",
    ) -> Page[CeremonySummary]:
        """List ceremonies, newest first; empty filters mean all."""
        limit = max(1, min(page_size, LARGEST_PAGE))
        before = _read_token(page_token)
        rows = await self._read(
            lambda: self._storage.ceremonies.page(
                states=[str(state) for state in states],
                product=product,
                version=version,
                before=before,
                limit=limit + 1,
            )
        )
        listed = [row.ceremony for row in rows[:limit]]
        unpublished = await self._read(lambda: self._storage.outbox.unpublished(listed))
        return Page(
            items=tuple(_summary(row, unpublished.get(row.ceremony, "")) for row in rows[:limit]),
            next_token=str(rows[limit - 1].opened_index) if len(rows) > limit else "",
        )

    async def shown(self, note: bytes, *, caller: str) -> None:
        """Take in the newest checkpoint that a caller holds of this log."""
        if note:
            await self._read(lambda: self._high_water.show(note, by=caller))

    async def hand_back(
        self,
        note: bytes,
        entries: Collection[tuple[int, bytes]],
        texts: Collection[tuple[str, Annex]],
        *,
        caller: str,
    ) -> HandedBack:
        """Take in what an agent holds of the end that the log has lost."""
        return await self._read(lambda: self._handing_back.take(note, entries, texts, signer=caller))

    def follow(
        self, from_index: int = 0, *, types: Collection[EntryType] = (), ceremony: str = ""
    ) -> AsyncIterator[LogEvent]:
        """Yield entries from an index on, then as they come, with a ``Head`` whenever it has caught up."""
        return follow(self._live, self._storage, self._reading, from_index, types=types, ceremony=ceremony)

    async def consistency(self, known_size: int, size: int = 0) -> Consistency:
        """Return the newest checkpoint, or that of a size, and the proof from the one of ``known_size``."""
        return await self._read(lambda: self._whole(known_size, size))

    def _whole(self, known_size: int, size: int) -> Consistency:
        try:
            return self._reader.consistency(known_size, size)
        except SizeAheadError:
            self._high_water.require()  # then it is known why
            raise

    async def cosign(self, note: bytes, *, caller: str) -> None:
        """Keep a signer's cosignature of a checkpoint."""
        await self._read(lambda: self._cosigning.take(note, caller=caller))

    async def put_evidence(self, chunks: AsyncIterator[bytes], *, caller: str) -> str:
        """Store a file of evidence; return its digest."""
        self._high_water.require()
        return await self._uploads.take(chunks, caller=caller)

    async def evidence(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a file of evidence in chunks."""
        if await self._read(lambda: self._storage.evidence.size(digest)) is None:
            raise EvidenceUnknownError(f"expected evidence of this coordinator, got {digest}")
        for number in count():
            chunk = await self._read(partial(self._storage.evidence.chunk, digest, number))
            if chunk is None:
                return
            yield chunk

    async def bundle(self, ceremony: str) -> bytes:
        """Return the bundle of an approved or provisional ceremony."""
        return await self._read(lambda: self._reader.bundle(ceremony))

    async def status(self) -> bytes:
        """Return what was revoked and what has lapsed, signed as of now."""
        self._high_water.require()
        return await self._read(self._status.make)

    async def nudge(self, ceremony: str, *, caller: str) -> Nudged:
        """Remind those whose decision is awaited."""
        self._high_water.require()
        return await self._read(lambda: self._nudging.nudge(ceremony, caller=caller))

    async def publish(self, ceremony: str) -> tuple[Publication, ...]:
        """Try now to publish an approved ceremony wherever it is not published yet."""
        self._high_water.require()
        return await self._read(lambda: self._publishing.publish_now(ceremony))

    async def _recorded(self, check: Callable[[], WriterCommand]) -> Recorded:
        outcome = await self._writer.run(check)
        assert outcome.state is not None  # noqa: S101 - it belongs to a ceremony
        return Recorded(receipt=await self._receipt(outcome), state=outcome.state)

    async def _receipt(self, outcome: Outcome) -> Receipt:
        """Return the receipt of a statement's entry, whether it was written now or before."""
        if isinstance(outcome, Written):
            return outcome.receipt
        return await self._read(partial(self._reader.receipt, outcome.ceremony, outcome.seq))

    async def _read(self, ask: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._reading, ask)


def _read_token(token: str) -> int | None:
    if not token:
        return None
    if not token.isascii() or not token.isdigit() or len(token) > 18:
        raise PageTokenError("expected the token of an earlier page of this list, got another text")
    return int(token)


def _summary(row: CeremonyRow, publication: str) -> CeremonySummary:
    return CeremonySummary(
        publication=publication,
        ceremony=row.ceremony,
        product=row.product,
        version=row.version,
        kind=Kind(row.kind),
        mode=Mode(row.mode),
        state=State(row.state),
        requester=row.requester,
        opened_at=row.opened_at,
        deadline=row.deadline,
        ended_at=row.ended_at,
    )
