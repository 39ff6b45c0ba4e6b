# SPDX-License-Identifier: Apache-2.0
"""The written form of what happened: one log entry for each event, with the envelopes that caused it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.errors import EntryFormatError, NewerFormatError
from quorumseal.ceremony.events import (
    CeremonyCancelled,
    CeremonyExtended,
    CeremonyOpened,
    CeremonyRejected,
    CeremonySuperseded,
    CeremonyVetoed,
    DeadlinePassed,
    DecisionRecorded,
    DelegationBegan,
    DelegationEnded,
    Event,
    KeyRevoked,
    LateDecisionRecorded,
    NoticeDelivered,
    QuorumReached,
    ReportFiled,
    RosterNarrowed,
    SignerSuspended,
    WindowBroken,
    WindowOpened,
    WindowPassed,
)
from quorumseal.ceremony.narrowing_document import write_narrowing
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy, signed_policy
from quorumseal.ceremony.seconding import write_makers
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Statement
from quorumseal.ceremony.timestamping import FIELD as STAMP
from quorumseal.ceremony.timestamping import write_stamp
from quorumseal.ceremony.values import ceremony_id, digest, digest_of, instant, instant_text
from quorumseal.signatures import Envelope, JointEnvelope
from quorumseal.strict_json import Fields, JsonValue, read, write

ENTRY_VERSION = 0
MAX_ENTRY_BYTES = 1 << 20


@unique
class EntryType(StrEnum):
    """What an entry records.  Append only: a type, once written, keeps its meaning."""

    POLICY = "policy"
    OPENED = "opened"
    DECIDED = "decided"
    LATE = "late"
    EXTENDED = "extended"
    DELEGATED = "delegated"
    WITHDRAWN = "withdrawn"
    WINDOW_OPENED = "window-opened"
    WINDOW_BROKEN = "window-broken"
    REPORTED = "reported"
    DELIVERED = "delivered"
    KEY_REVOKED = "key-revoked"
    SUSPENDED = "suspended"
    ABSENT = "absent"
    RECOVERED = "recovered"
    NARROWED = "narrowed"
    APPROVED = "approved"
    PROVISIONAL = "provisional"
    VETOED = "vetoed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


TYPES: dict[type[Event], EntryType] = {
    CeremonyOpened: EntryType.OPENED,
    DecisionRecorded: EntryType.DECIDED,
    LateDecisionRecorded: EntryType.LATE,
    QuorumReached: EntryType.APPROVED,
    CeremonyRejected: EntryType.REJECTED,
    DeadlinePassed: EntryType.EXPIRED,
    CeremonyCancelled: EntryType.CANCELLED,
    CeremonySuperseded: EntryType.SUPERSEDED,
    CeremonyExtended: EntryType.EXTENDED,
    DelegationBegan: EntryType.DELEGATED,
    DelegationEnded: EntryType.WITHDRAWN,
    RosterNarrowed: EntryType.NARROWED,
    KeyRevoked: EntryType.KEY_REVOKED,
    SignerSuspended: EntryType.SUSPENDED,
    WindowOpened: EntryType.WINDOW_OPENED,
    WindowBroken: EntryType.WINDOW_BROKEN,
    WindowPassed: EntryType.PROVISIONAL,
    CeremonyVetoed: EntryType.VETOED,
    ReportFiled: EntryType.REPORTED,
    NoticeDelivered: EntryType.DELIVERED,
}
CONCLUSIONS = frozenset(
    {
        EntryType.APPROVED,
        EntryType.PROVISIONAL,
        EntryType.VETOED,
        EntryType.REJECTED,
        EntryType.EXPIRED,
        EntryType.CANCELLED,
        EntryType.SUPERSEDED,
    }
)


PUBLISHED = frozenset({EntryType.APPROVED, EntryType.PROVISIONAL})
"""After which conclusions there is a bundle to publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the log: ``seq`` and ``prev`` chain the entries of a ceremony (or the standing ones)."""

    type: EntryType
    at: datetime
    ceremony: str | None
    seq: int
    prev: str | None
    body: dict[str, JsonValue]
    payload: bytes
    """The exact bytes, which are the leaf of the tree."""

    @property
    def hash(self) -> str:
        """What the next entry of the chain names as ``prev``."""
        return digest_of(self.payload)

    @property
    def signed(self) -> bool:
        """Whether one person's statement caused it: several sign a founding, and nobody an outcome."""
        return self.type is not EntryType.POLICY and "envelope" in self.body

    @property
    def envelope(self) -> Envelope:
        """The signed statement that caused this entry."""
        return Envelope.read(self.body.get("envelope"))


def write_entry(
    entry_type: EntryType,
    body: dict[str, JsonValue],
    *,
    at: datetime,
    ceremony: str | None,
    seq: int,
    prev: str | None,
) -> Entry:
    """Make an entry and its bytes."""
    payload = write(
        {
            "type": str(entry_type),
            "v": ENTRY_VERSION,
            "at": instant_text(at),
            "ceremony": ceremony,
            "seq": seq,
            "prev": prev,
            "body": body,
        }
    )
    if len(payload) > MAX_ENTRY_BYTES:
        raise EntryFormatError(
            f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, got {len(payload)}",
            hint="nobody could read it; a policy is smaller with fewer signatures on it",
        )
    return Entry(type=entry_type, at=at, ceremony=ceremony, seq=seq, prev=prev, body=body, payload=payload)


def read_entry(payload: bytes) -> Entry:
    """Return the entry that the bytes are, or refuse them."""
    value = read(payload, max_bytes=MAX_ENTRY_BYTES)
    fields = Fields(value, "entry")
    kind, version = fields.text("type"), fields.integer("v")
    if kind not in EntryType.__members__.values() or version != ENTRY_VERSION:
        raise NewerFormatError(
            f"expected an entry of version {ENTRY_VERSION} of a known type, "
            f"got {kind[:64]!a} version {version}",
            hint="a newer version of quorumseal may know it",
        )
    ceremony, prev = fields.value("ceremony"), fields.value("prev")
    body = fields.value("body")
    if not isinstance(body, dict):
        raise fields.invalid("body", "an object")
    entry = Entry(
        type=EntryType(kind),
        at=instant(fields.text("at")),
        ceremony=None if ceremony is None else ceremony_id(fields.text("ceremony")),
        seq=fields.integer("seq"),
        prev=None if prev is None else digest(fields.text("prev")),
        body=body,
        payload=payload,
    )
    fields.done()
    if write(value) != payload:
        raise EntryFormatError("expected an entry written canonically (RFC 8785), got other bytes")
    return entry


def body_of(event: Event) -> dict[str, JsonValue]:
    """Return what the entry of an event says beyond its type and time."""
    signed = statement_of(event)
    body: dict[str, JsonValue] = {"envelope": signed.envelope.to_json()} if signed else {}
    match event:
        case CeremonyOpened(
            delegations=delegations,
            vetoed_by=vetoed_by,
            proposed=proposed,
            revoked=revoked,
            suspended=suspended,
        ):
            if delegations:
                body["delegations"] = [delegation.envelope.to_json() for delegation in delegations]
            if vetoed_by:
                body["vetoed_by"] = [*sorted(vetoed_by)]
            if proposed is not None:
                body["policy"] = proposed.decode()
            if revoked:
                body["revoked"] = [write_makers(each.envelopes) for each in revoked]
            if suspended:
                body["suspended"] = [write_makers(each.envelopes) for each in suspended]
            return body
        case KeyRevoked(revoked=taken) | SignerSuspended(suspended=taken):
            return write_makers(taken.envelopes)
        case RosterNarrowed(narrowing=narrowing):
            return write_narrowing(narrowing)
        case DecisionRecorded(timestamp=stamp) | LateDecisionRecorded(timestamp=stamp) if stamp:
            return body | {STAMP: write_stamp(stamp)}
        case NoticeDelivered(recipient=recipient, channel=channel, notice=notice):
            return {"recipient": recipient, "channel": channel, "notice": notice}
        case QuorumReached(seats=seats) | WindowOpened(seats=seats) | WindowPassed(seats=seats):
            return {"seats": [{"role": role, "signers": [*people]} for role, people in seats]}
        case CeremonySuperseded(by=by):
            return {"by": by}
        case _:
            return body


def statement_of(event: Event) -> Signed[Statement] | None:
    """Return the signed statement that caused an event, where one did."""
    match event:
        case (
            CeremonyOpened(request=signed)
            | DecisionRecorded(decision=signed)
            | LateDecisionRecorded(decision=signed)
            | CeremonyCancelled(cancellation=signed)
            | CeremonyExtended(extension=signed)
            | DelegationBegan(delegation=signed)
            | DelegationEnded(withdrawal=signed)
            | CeremonyVetoed(veto=signed)
            | ReportFiled(report=signed)
        ):
            return signed
        case _:
            return None


def policy_entry(policy: SignedPolicy, *, at: datetime, seq: int, prev: str | None) -> Entry:
    """Make the standing entry of a policy version: signed by its founders, or approved by two ceremonies."""
    body: dict[str, JsonValue] = {}
    if policy.founding is not None:
        body["envelope"] = policy.founding.to_json()
    if policy.ceremonies is not None:
        body |= {"policy": policy.payload.decode(), "ceremonies": [*policy.ceremonies]}
    return write_entry(EntryType.POLICY, body, at=at, ceremony=None, seq=seq, prev=prev)


def policy_of(entry: Entry) -> SignedPolicy:
    """Return the policy that a standing entry holds; what approved a later version is looked at elsewhere."""
    fields = Fields(dict(entry.body), "entry.body")
    if "envelope" in fields:
        policy = signed_policy(JointEnvelope.read(fields.value("envelope")))
    else:
        change, acceptance = _two(fields)
        policy = adopted_policy(fields.text("policy").encode(), (change, acceptance))
    fields.done()
    return policy


def _two(fields: Fields) -> tuple[str, str]:
    ceremonies = [ceremony_id(text) for text in fields.texts("ceremonies")]
    if len(ceremonies) != 2:
        raise fields.invalid("ceremonies", "a change and its acceptance")
    return ceremonies[0], ceremonies[1]
