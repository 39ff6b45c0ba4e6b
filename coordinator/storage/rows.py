# SPDX-License-Identifier: Apache-2.0
"""What goes into the tables and comes out of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique

from quorumseal.tlog import Frontier, Node

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(at: datetime) -> int:
    """Return an instant as it is stored."""
    return (at - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """Return a stored instant."""
    return _EPOCH + milliseconds * _MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """Where the log ends: the right edge of its tree and the time of its last entry."""

    frontier: Frontier
    root: bytes
    at: datetime

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.frontier.size


EMPTY_HEAD = LogHead(frontier=Frontier(), root=Frontier().root(), at=_EPOCH)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry where it stands, with what it is looked up by."""

    index: int
    type: str
    ceremony: str | None
    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed checkpoint."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A checkpoint of this log that it does not contain, and who or what showed it."""

    size: int
    root: bytes
    note: bytes
    shown_by: str


@dataclass(frozen=True, slots=True)
class HandedRow:
    """What a signer's agent says stood at an index of the log."""

    index: int
    signer: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class HeardRow:
    """How far a signer's agent has seen the log."""

    signer: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyRow:
    """A ceremony as the lists and the rules of admission see it."""

    ceremony: str
    product: str
    version: str
    kind: str
    mode: str
    state: str
    requester: str
    identity: str
    request: str
    opened_at: datetime
    deadline: datetime
    due_at: datetime | None
    """When time alone moves it next."""
    ended_at: datetime | None
    stopped_by: str | None
    report_due: datetime | None
    opened_index: int | None
    concluded_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRow:
    """Who says by when a ceremony had concluded, and the token that says it."""

    ceremony: str
    authority: str
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignatureRow:
    """A witness's line under the checkpoint of a size."""

    size: int
    witness: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexRow:
    """A text that a statement of a ceremony commits to."""

    ceremony: str
    commitment: str
    salt: bytes
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A bundle's way to one destination."""

    ceremony: str
    destination: str
    state: str
    detail: str
    attempts: int
    due_at: datetime


@unique
class DeliveryState(StrEnum):
    """How far a notice is on its way along one route."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice's way to one address of one channel."""

    id: str
    channel: str
    address: str
    instead_of: str
    """The route that it could not be delivered along; empty where this is its own."""
    notice: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Everything that one durable transaction writes, and the head that it follows."""

    before: LogHead
    after: LogHead
    entries: Sequence[EntryRow]
    nodes: Sequence[Node]
    checkpoints: Sequence[CheckpointRow]
    opened: Sequence[CeremonyRow] = ()
    moved: Sequence[CeremonyRow] = ()
    """Ceremonies that were stored before; where they began and ended in the log is known already."""
    annexes: Sequence[AnnexRow] = ()
    outbox: Sequence[OutboxRow] = ()
    notices: Sequence[NoticeRow] = ()
    evidence: Sequence[str] = ()
    """The digests of what the requests name: it is kept from now on."""
    recovers: bool = False
    """Whether it contains every checkpoint that was shown: then the log is rewound no more."""
