# SPDX-License-Identifier: Apache-2.0
"""What may be asked of a ceremony: the cause of each of its entries but the first."""

from dataclasses import dataclass
from typing import TypeAlias

from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Cancellation,
    Decision,
    Delegation,
    Extension,
    Report,
    Veto,
    Withdrawal,
)


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody decided."""

    decision: Signed[Decision]


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
class Deliver:
    """Somebody was told of an emergency."""

    recipient: str
    channel: str
    notice: str


Command: TypeAlias = Record | Cancel | Expire | Supersede | Extend | Stop | File | Begin | End | Deliver
