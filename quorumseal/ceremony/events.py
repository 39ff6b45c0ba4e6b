# SPDX-License-Identifier: Apache-2.0
"""What can happen to a ceremony.  ``lifecycle`` says when each may and what it makes of the ceremony."""

from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.narrowing import Narrowing
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Cancellation,
    Decision,
    Delegation,
    Extension,
    Report,
    Request,
    Veto,
    Withdrawal,
)
from quorumseal.ceremony.suspending import Suspended
from quorumseal.signatures import Timestamp


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a ceremony, at an instant of the log."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CeremonyOpened(Event):
    """A request opened the ceremony."""

    request: Signed[Request]
    delegations: tuple[Signed[Delegation], ...] = ()
    """Those that were live at the opening."""
    vetoed_by: frozenset[str] = frozenset()
    """Who vetoed earlier emergencies for the same release: they do not veto again."""
    proposed: bytes | None = None
    """The policy that a policy change is about."""
    revoked: tuple[Revoked, ...] = ()
    """The keys of its policy that signed no more at the opening."""
    suspended: tuple[Suspended, ...] = ()
    """The signers of its policy who did not count at the opening."""


@dataclass(frozen=True, slots=True)
class DecisionRecorded(Event):
    """A decision stands."""

    decision: Signed[Decision]
    timestamp: Timestamp | None = None

    @property
    def proved_at(self) -> datetime:
        """By when it is proved to have been made: its entry's time, or an earlier one of a timestamp."""
        return self.at if self.timestamp is None else min(self.timestamp.latest, self.at)


@dataclass(frozen=True, slots=True)
class LateDecisionRecorded(Event):
    """A decision came after the deadline: on record, not counted."""

    decision: Signed[Decision]
    timestamp: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class QuorumReached(Event):
    """Every role's threshold is filled by the people named."""

    seats: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CeremonyRejected(Event):
    """A rejection ended the ceremony."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Event):
    """The deadline came before the quorum."""


@dataclass(frozen=True, slots=True)
class CeremonyCancelled(Event):
    """Somebody who may request withdrew it."""

    cancellation: Signed[Cancellation]


@dataclass(frozen=True, slots=True)
class CeremonySuperseded(Event):
    """A later request for other bytes took its place."""

    by: str


@dataclass(frozen=True, slots=True)
class CeremonyExtended(Event):
    """The deadline moved."""

    extension: Signed[Extension]


@dataclass(frozen=True, slots=True)
class DelegationBegan(Event):
    """A deputy may stand in for a member from here on."""

    delegation: Signed[Delegation]


@dataclass(frozen=True, slots=True)
class DelegationEnded(Event):
    """The member took a role back."""

    withdrawal: Signed[Withdrawal]


@dataclass(frozen=True, slots=True)
class RosterNarrowed(Event):
    """A later policy took keys or members away."""

    narrowing: Narrowing


@dataclass(frozen=True, slots=True)
class KeyRevoked(Event):
    """A key signs no more, and what it signed from an instant on does not stand."""

    revoked: Revoked


@dataclass(frozen=True, slots=True)
class SignerSuspended(Event):
    """Somebody does not count for a while; what stood of theirs falls."""

    suspended: Suspended


@dataclass(frozen=True, slots=True)
class WindowOpened(Event):
    """An emergency's quorum is met: from here on anybody may veto it for a while."""

    seats: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class WindowBroken(Event):
    """An emergency's quorum no longer stands; when it is met again, a new window begins."""


@dataclass(frozen=True, slots=True)
class WindowPassed(Event):
    """Nobody vetoed the emergency in time."""

    seats: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CeremonyVetoed(Event):
    """Somebody stopped an emergency."""

    veto: Signed[Veto]


@dataclass(frozen=True, slots=True)
class ReportFiled(Event):
    """Somebody who took no part told what happened in an emergency."""

    report: Signed[Report]


@dataclass(frozen=True, slots=True)
class NoticeDelivered(Event):
    """Somebody was told of an emergency, as the coordinator says."""

    recipient: str
    channel: str
    notice: str
