# SPDX-License-Identifier: Apache-2.0
"""What the coordinator's use cases take and return: plain values, no messages and no rows.

What the wire carries unchanged is the client's: both ends speak of the same receipt.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Generic, TypeVar

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statements import Mode
from quorumseal.client.values import MAX_EVIDENCE_BYTES as MAX_EVIDENCE_BYTES
from quorumseal.client.values import MAX_TEXT_BYTES as MAX_TEXT_BYTES
from quorumseal.client.values import SALT_BYTES as SALT_BYTES
from quorumseal.client.values import Annex as Annex
from quorumseal.client.values import Consistency as Consistency
from quorumseal.client.values import HandedBack as HandedBack
from quorumseal.client.values import Head as Head
from quorumseal.client.values import LogEvent as LogEvent
from quorumseal.client.values import LoggedEntry as LoggedEntry
from quorumseal.client.values import Nudged as Nudged
from quorumseal.client.values import Receipt as Receipt
from quorumseal.client.values import StandingRecord as StandingRecord
from quorumseal.verifier.bundle import PolicyVersion
from quorumseal.verifier.part import Part

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The organisation's policies, from version 1 on, and how far its log has come."""

    policy: SignedPolicy
    """The newest."""
    versions: tuple[PolicyVersion, ...]
    checkpoint: bytes
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The ceremony that a request opened, or had opened before."""

    ceremony: str
    created: bool
    receipt: Receipt
    """Of the opening entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A decision or an act is in the log."""

    receipt: Receipt
    state: State
    """Of the ceremony, after it; ``expired`` where it came too late to count."""


@unique
class PublicationState(StrEnum):
    """How far a bundle is on its way to one destination."""

    PENDING = "pending"
    AWAITING_WITNESSES = "awaiting witnesses"
    """Fewer have cosigned than the policy asks for; it goes on by itself as soon as enough have."""
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
    opened_index: int = 0
    """Where its opening entry stands in the log."""
    opened_inclusion: tuple[bytes, ...] = ()
    """The proof of that; given once the policy has more than one version."""


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
    mode: Mode
    publication: str = ""
    """How far its bundle is, where it is not everywhere yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Item]):
    """Some items, and the token that asks for those after them; empty at the end."""

    items: tuple[_Item, ...]
    next_token: str
