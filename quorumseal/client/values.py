# SPDX-License-Identifier: Apache-2.0
"""What a coordinator answers, as plain values: claims, until somebody verifies them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from quorumseal.ceremony.annex import Annex as Annex
from quorumseal.verifier.part import Part

SALT_BYTES = 32
MAX_TEXT_BYTES = 16 << 10
MAX_EVIDENCE_BYTES = 16 << 20
ENROLMENT_SERVER_NAME = "enrolment.quorumseal"
"""What the certificate of every enrolment port is made out to, so that it fits any address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRecord:
    """The organisation's policies, each version as its envelope, and the newest checkpoint."""

    policies: tuple[bytes, ...]
    checkpoint: bytes
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The coordinator's proof that an entry is in the log."""

    entry: bytes
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The ceremony that a request opened, or had opened before."""

    ceremony: str
    created: bool
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision is in the log; ``state`` is the ceremony's after it."""

    receipt: Receipt
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """An act is in the log; ``state`` is the ceremony's after it."""

    receipt: Receipt
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRecord:
    """The entries of no ceremony, from the first policy on."""

    part: Part
    consistency: tuple[bytes, ...]
    """From the size that was asked with to the part's checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudged:
    """Who was reminded, and when the same ceremony may be nudged again."""

    told: tuple[str, ...]
    next_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A bundle's way to one destination: pending, published or failed."""

    destination: str
    state: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyRecord:
    """One ceremony with everything that is needed to judge it."""

    part: Part
    consistency: tuple[bytes, ...]
    """From the size that was asked with to the part's checkpoint."""
    annexes: tuple[Annex, ...]
    publications: tuple[Publication, ...]
    opened_index: int = 0
    """Where its opening entry stands in the log."""
    opened_inclusion: tuple[bytes, ...] = ()
    """The proof of that; given once the policy has more than one version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonySummary:
    """One line of a list."""

    ceremony: str
    product: str
    version: str
    kind: str
    state: str
    requester: str
    opened_at: datetime
    deadline: datetime
    ended_at: datetime | None
    mode: str
    publication: str = ""
    """How far its bundle is, where it is not everywhere yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some summaries, and the token that asks for those after them; empty at the end."""

    ceremonies: tuple[CeremonySummary, ...]
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
class Presence:
    """A signer whose agent is connected, and since when."""

    signer: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """The newest checkpoint, and the proof that it extends a smaller one."""

    checkpoint: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What an invitation is for."""

    organisation: str
    log: str
    signer: str
    founder: bool
    """Whether they are to sign the first policy."""
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """Somebody's first client certificate, and where to go with it; certificates are PEM."""

    certificate: bytes
    authority: bytes
    coordinator: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """Somebody's next client certificate; certificates are PEM."""

    certificate: bytes
    authority: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRecord:
    """An enrolment as it was signed by both keys, not verified."""

    envelope: bytes
    at: datetime
    founder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingRecord:
    """The first policy on its way into the log."""

    payload: bytes
    """Empty until everybody has enrolled."""
    signed: tuple[str, ...]
    missing: tuple[str, ...]
    unenrolled: tuple[str, ...]
    enrolments: tuple[EnrolmentRecord, ...]
    founded: bool
    policy: bytes
    """Once founded: the payload with all signatures."""
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """Whether the log has lost its end, and which indices that is."""

    rewound: bool
    start: int
    end: int
