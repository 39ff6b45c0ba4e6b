# SPDX-License-Identifier: Apache-2.0
"""What the agent needs of a connection to a coordinator.  Nothing that comes through it is believed."""

from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from quorumseal.client.errors import ClientError
from quorumseal.client.values import (
    Acted,
    Annex,
    CeremonyRecord,
    Consistency,
    Decided,
    HandedBack,
    LogEvent,
    LoggedEntry,
    OrganisationRecord,
    Page,
    Receipt,
    StandingRecord,
    Started,
)


class Stream(Protocol):
    """The log as it grows; ``close``, from any thread, ends it."""

    def __iter__(self) -> Iterator[LogEvent]: ...

    def close(self) -> None:
        """End it."""
        ...


class Connection(Protocol):
    """A coordinator, as a signer's program reaches it: over the wire, or simulated."""

    def organisation(self) -> OrganisationRecord:
        """Return the policies and the newest checkpoint."""
        ...

    def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Return a ceremony, proved to a checkpoint that extends the one of ``known_size``."""
        ...

    def consistency(self, known_size: int, size: int = 0, newest: bytes = b"") -> Consistency:
        """Return the newest checkpoint, or that of a size, proved to extend the one of ``known_size``."""
        ...

    def hand_back(
        self,
        checkpoint: bytes,
        entries: Collection[LoggedEntry] = (),
        texts: Collection[tuple[str, Annex]] = (),
    ) -> HandedBack:
        """Hand back what the log has lost; return which indices that are."""
        ...

    def list_ceremonies(
        self,
        *,
        states: Collection[str] = (),
        product: str = "",
        version: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> Page:
        """Return summaries, newest first."""
        ...

    def start(
        self, envelope: bytes, annexes: Collection[Annex] = (), proposed: bytes | None = None
    ) -> Started:
        """Send a request with its texts, and the policy that it is to change to."""
        ...

    def decide(self, envelope: bytes, reason: Annex | None = None, timestamp: bytes = b"") -> Decided:
        """Send a decision, with its timestamp if it has one."""
        ...

    def act(self, envelope: bytes, annex: Annex | None = None) -> Acted:
        """Send a cancellation, extension, veto or report."""
        ...

    def stand(self, envelope: bytes) -> Receipt:
        """Send an absence, delegation or withdrawal."""
        ...

    def evidence(self, digest: str) -> bytes:
        """Return a file of evidence; whoever uses it compares its digest."""
        ...

    def standing(self, known_size: int = 0) -> StandingRecord:
        """Return the entries of no ceremony, proved to a checkpoint that extends ``known_size``."""
        ...

    def follow(
        self,
        from_index: int = 0,
        *,
        types: Collection[str] = (),
        present: bool = False,
        on_break: Callable[[ClientError], None] | None = None,
        newest: Callable[[], bytes] = bytes,
    ) -> Stream:
        """Return the log's entries as they come, however often the connection breaks."""
        ...
