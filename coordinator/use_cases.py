# SPDX-License-Identifier: Apache-2.0
"""What a coordinator does for its callers: plain values in, plain values out, refusals raised."""

from collections.abc import AsyncIterator, Collection

from coordinator.values import (
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Consistency,
    Decided,
    LogEvent,
    Organisation,
    Page,
    Publication,
    Receipt,
    Started,
)
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.signatures import Envelope

DEFAULT_PAGE_SIZE = 50


class UseCases:
    """The only thing that the API talks to.  ``caller`` is the signer's name from the certificate."""

    async def organisation(self) -> Organisation:
        """Return the policies and the newest checkpoint."""
        raise NotImplementedError

    async def start(self, envelope: Envelope, *, caller: str) -> Started:
        """Open the ceremony that a signed request asks for, or return the one that it opened before."""
        raise NotImplementedError

    async def decide(self, envelope: Envelope, reason: Annex | None = None, *, caller: str) -> Decided:
        """Record a signed decision; the same one again gets a receipt for the same entry."""
        raise NotImplementedError

    async def cancel(self, envelope: Envelope, reason: Annex, *, caller: str) -> Receipt:
        """Record a signed cancellation."""
        raise NotImplementedError

    async def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Return a ceremony, proved to a checkpoint that extends the one of ``known_size``."""
        raise NotImplementedError

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
        raise NotImplementedError

    def follow(
        self, from_index: int = 0, *, types: Collection[EntryType] = (), ceremony: str = ""
    ) -> AsyncIterator[LogEvent]:
        """Yield entries from an index on, then as they come, with a ``Head`` whenever it has caught up."""
        raise NotImplementedError

    async def consistency(self, known_size: int) -> Consistency:
        """Return the newest checkpoint and the proof that it extends the one of ``known_size``."""
        raise NotImplementedError

    async def put_evidence(self, chunks: AsyncIterator[bytes]) -> str:
        """Store a file of evidence; return its digest."""
        raise NotImplementedError

    def evidence(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a file of evidence in chunks."""
        raise NotImplementedError

    async def bundle(self, ceremony: str) -> bytes:
        """Return the bundle of an approved ceremony."""
        raise NotImplementedError

    async def publish(self, ceremony: str) -> tuple[Publication, ...]:
        """Try now to publish an approved ceremony wherever it is not published yet."""
        raise NotImplementedError
