# SPDX-License-Identifier: Apache-2.0
"""What people sign in a ceremony: in-toto statements, one predicate type for each kind.

Only approvals have the artifacts as in-toto subjects: a tool that looks for "an approval of this digest by
this key" can never be handed anything else.  In every other statement the subject is what it is about.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import TypeAlias

from quorumseal.ceremony.policy import GOVERNED, Kind


@unique
class Mode(StrEnum):
    """Under which of a rule's quorums a ceremony runs."""

    REGULAR = "regular"
    BREAK_GLASS = "break-glass"


@unique
class Choice(StrEnum):
    """What a decision says."""

    APPROVAL = "approval"
    REJECTION = "rejection"
    ABSTENTION = "abstention"


@unique
class CheckOutcome(StrEnum):
    """What came of something that a signer checked."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WAIVED = "waived"
    UNKNOWN = "unknown"


@unique
class RevocationReason(StrEnum):
    """Why a key signs no more."""

    STOLEN = "stolen"
    LOST = "lost"
    REPLACED = "replaced"
    LEFT = "left"
    """Its owner left the organisation."""


@unique
class SuspensionReason(StrEnum):
    """Why somebody does not count for a while."""

    COMPROMISE = "compromise"
    """Somebody else may act in their name."""
    INVESTIGATION = "investigation"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReference:
    """The policy under which a statement was made."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCheckpoint:
    """The newest checkpoint that the signer's agent had verified."""

    size: int
    root: str
    signature: str = ""
    """What the log signed it with, as on the line of its note; empty where the signer's agent left it out.

    Whoever sees the statement can put together the note that its signer saw.  Nothing rests on it but the
    proof that a log signed two histories: it is verified where a contradiction shows.
    """

    @property
    def unsigned(self) -> "SeenCheckpoint":
        """The checkpoint alone: however often and by whichever of its keys the log signed it."""
        return SeenCheckpoint(size=self.size, root=self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What binds every statement to an organisation, a log, a policy, a signer and an instant."""

    organisation: str
    log: str
    policy: PolicyReference
    signer: str
    signed_at: datetime
    checkpoint: SeenCheckpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One artifact: its name and its digest."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that supports the request, stored by its digest."""

    kind: str
    name: str
    media_type: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """A hint where one artifact may be fetched from."""

    name: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """What a request says beyond the usual when the glass is broken."""

    reason: str
    """One of the codes that the rule lists."""
    incident: str
    impact: str
    """The commitment to an annex."""
    people: int
    """How many people it needs, as many as its quorum or more."""
    provisional_until: datetime
    """From then on nobody accepts the provisional bundle, whatever they hear or do not hear."""
    ratify_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """The earlier ceremony that a ratification or a re-approval is about."""

    ceremony: str
    request: str
    conclusion: str
    """The hash of the entry that concluded it."""
    requesters: frozenset[str]
    """Who asked for it, and on whose behalf: they do not decide on it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Opens a ceremony.  It is open from the instant at which its requester signed."""

    context: Context
    ceremony: str
    product: str
    version: str
    kind: Kind
    mode: Mode
    subjects: tuple[Subject, ...]
    deadline: datetime
    hard_stop: datetime
    on_behalf_of: str | None = None
    supersedes: str | None = None
    ticket: str | None = None
    evidence: tuple[Evidence, ...] = ()
    locators: tuple[Locator, ...] = ()
    why: str | None = None
    """The commitment to an annex; an emergency and a revocation have one."""
    emergency: Emergency | None = None
    ratified: Concluded | None = None
    reapproved: Concluded | None = None

    @property
    def earlier(self) -> Concluded | None:
        """The ceremony about the same bytes that this one adds to."""
        return self.ratified or self.reapproved

    @property
    def opened_at(self) -> datetime:
        """When the ceremony opens."""
        return self.context.signed_at

    @property
    def requesters(self) -> frozenset[str]:
        """Who asked, and on whose behalf, now and in the earlier ceremony."""
        asked = {self.context.signer, self.on_behalf_of or self.context.signer}
        return frozenset(asked | (self.earlier.requesters if self.earlier else frozenset()))

    @property
    def excluded(self) -> frozenset[str]:
        """Who does not decide: those who asked, unless it is about the policy itself."""
        return frozenset() if self.kind in GOVERNED else self.requesters


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the signer checked, and what came of it."""

    name: str
    outcome: CheckOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An approval, rejection or abstention."""

    context: Context
    choice: Choice
    ceremony: str
    request: str
    roles: frozenset[str]
    subjects: tuple[Subject, ...] = ()
    checks: tuple[Check, ...] = ()
    replaces: str | None = None
    not_after: datetime | None = None
    reason: str | None = None
    """The commitment to an annex: SHA-256 of 32 random bytes followed by the text."""
    delegation: str | None = None
    """The digest of the delegation by which the signer stands in for somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something else that a person signs in a ceremony; it names the newest entry that they had seen."""

    context: Context
    ceremony: str
    request: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation(Act):
    """Ends a ceremony before its quorum."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Act):
    """Moves the deadline, never past the hard stop."""

    number: int
    """The first is 1."""
    previous: str | None
    """The digest of the extension before."""
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto(Act):
    """Stops an emergency."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Act):
    """Tells afterwards what happened in an emergency."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Something that a person signs outside any ceremony; of one kind, a higher number replaces a lower."""

    context: Context
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence(Standing):
    """The signer will not decide for a while."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation(Standing):
    """Lets a listed deputy stand in for the signer in one role."""

    role: str
    deputy: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Standing):
    """Ends the signer's delegation of a role, or, where it names none, their absence."""

    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevocation(Standing):
    """What a key signed from an instant on does not stand; signed by another key of its owner, or by two."""

    key: str
    """The key's id."""
    since: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Standing):
    """Somebody does not count until an instant; signed by two guardians."""

    person: str
    until: datetime
    reason: SuspensionReason


CeremonyAct: TypeAlias = Cancellation | Extension | Veto | Report
StandingAct: TypeAlias = Absence | Delegation | Withdrawal | KeyRevocation | Suspension
Statement: TypeAlias = Request | Decision | CeremonyAct | StandingAct
