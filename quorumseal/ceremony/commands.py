# SPDX-License-Identifier: Apache-2.0
"""What may be asked of a ceremony: the cause of each of its entries but the first."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from quorumseal.ceremony.narrowing import Narrowing
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.signed import Signed, signed_as
from quorumseal.ceremony.statements import (
    Cancellation,
    CeremonyAct,
    Decision,
    Delegation,
    Extension,
    Report,
    Veto,
    Withdrawal,
)
from quorumseal.ceremony.suspending import Suspended
from quorumseal.signatures import Timestamp


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody decided."""

    decision: Signed[Decision]
    timestamp: Timestamp | None = None
    """Who else says by when it had been made, where anybody does."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody withdraws the request."""

    cancellation: Signed[Cancellation]


@dataclass(frozen=True, slots=True)
class Expire:
    """The deadline may have passed."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """A later request takes this one's place."""

    by: str


@dataclass(frozen=True, slots=True)
class Extend:
    """Somebody moves the deadline."""

    extension: Signed[Extension]


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody vetoes an emergency."""

    veto: Signed[Veto]


@dataclass(frozen=True, slots=True)
class File:
    """Somebody reports on an emergency."""

    report: Signed[Report]


@dataclass(frozen=True, slots=True)
class Begin:
    """A delegation reached the log."""

    delegation: Signed[Delegation]


@dataclass(frozen=True, slots=True)
class End:
    """The withdrawal of a delegation reached the log."""

    withdrawal: Signed[Withdrawal]


@dataclass(frozen=True, slots=True)
class Revoke:
    """The revocation of a key became effective in the log."""

    revoked: Revoked


@dataclass(frozen=True, slots=True)
class Suspend:
    """A suspension became effective in the log."""

    suspended: Suspended


@dataclass(frozen=True, slots=True)
class Deliver:
    """Somebody was told of an emergency."""

    recipient: str
    channel: str
    notice: str


@dataclass(frozen=True, slots=True)
class Narrow:
    """A later policy took keys or members away."""

    narrowing: Narrowing


Command: TypeAlias = (
    Record
    | Cancel
    | Expire
    | Supersede
    | Extend
    | Stop
    | File
    | Begin
    | End
    | Revoke
    | Suspend
    | Narrow
    | Deliver
)


def command_of(signed: Signed[Decision | CeremonyAct]) -> Record | Cancel | Extend | Stop | File:
    """Return what a signed decision or act asks of its ceremony."""
    match signed.statement:
        case Decision():
            return Record(signed_as(Decision, signed))
        case Cancellation():
            return Cancel(signed_as(Cancellation, signed))
        case Extension():
            return Extend(signed_as(Extension, signed))
        case Veto():
            return Stop(signed_as(Veto, signed))
        case Report():
            return File(signed_as(Report, signed))
        case unknown:
            assert_never(unknown)


def signed_in(command: Record | Cancel | Extend | Stop | File) -> Signed[Decision | CeremonyAct]:
    """Return what was signed to ask for it."""
    match command:
        case Record(decision=signed) | Cancel(signed) | Extend(signed) | Stop(signed) | File(signed):
            return signed
        case unknown:
            assert_never(unknown)
