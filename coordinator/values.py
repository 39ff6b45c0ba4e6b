# SPDX-License-Identifier: Apache-2.0
"""What the coordinator's use cases take and return: plain values, no messages and no rows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Generic, TypeAlias, TypeVar

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.part import Part

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The organisation's policies, from version 1 on, and how far its log has come."""

    policies: tuple[SignedPolicy, ...]
    checkpoint: bytes
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The proof that an entry is in the log."""

    entry: bytes
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """A free text that a statement commits to without containing it."""

    salt: bytes
    text: str

    @property
    def commitment(self) -> str:
        """What the statement holds in the text's place."""
        return digest_of(self.salt + self.text.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The ceremony that a request opened, or had opened before."""

    ceremony: str
    created: bool
    receipt: Receipt
    """Of the opening entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision is in the log."""

    receipt: Receipt
    state: State
    """Of the ceremony, after it; ``expired`` where it came too late to count."""


@unique
class PublicationState(StrEnum):
    """How far a bundle is on its way to one destination."""

    PENDING = "pending"
    PUBLISHED = "published"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A bundle's way to one destination."""

    destination: str
    state: PublicationState
    detail: str
    """Where it is, or why it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyRecord:
    """One ceremony with everything that an agent needs to judge it."""

    part: Part
    consistency: tuple[bytes, ...]
    """From the size that the caller knows to the part's checkpoint."""
    annexes: tuple[Annex, ...]
    publications: tuple[Publication, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonySummary:
    """One line of a list; nobody has to believe it."""

    ceremony: str
    product: str
    version: str
    kind: Kind
    state: State
    requester: str
    opened_at: datetime
    deadline: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Item]):
    """Some items, and the token that asks for those after them; empty at the end."""

    items: tuple[_Item, ...]
    next_token: str


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry's bytes and where it stands in the log."""

    index: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Every entry before this size has been sent."""

    size: int


LogEvent: TypeAlias = LoggedEntry | Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """The newest checkpoint, and the proof that it extends a smaller one."""

    checkpoint: bytes
    proof: tuple[bytes, ...]
