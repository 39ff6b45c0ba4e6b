# SPDX-License-Identifier: Apache-2.0
"""What the writer is asked to do, and what it answers."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.values import Annex, Receipt
from quorumseal.ceremony.commands import Cancel, Deliver, Expire, Extend, File, Record, Stop
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Absence, Request, StandingAct


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A signed request asks for a ceremony."""

    policy: SignedPolicy
    """The one under which the request was authenticated."""
    request: Signed[Request]
    annexes: tuple[Annex, ...] = ()
    """The texts that it commits to."""
    proposed: bytes | None = None
    """The policy that a change proposes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something is to happen to a ceremony."""

    ceremony: str
    command: Record | Cancel | Extend | Stop | File | Deliver | Expire
    annex: Annex | None = None
    """The text that its statement commits to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Something is to hold outside any ceremony."""

    policy: SignedPolicy
    """The one under which the act was authenticated."""
    act: Signed[StandingAct]

    @property
    def touches_ceremonies(self) -> bool:
        """Whether it may mean something for the open ceremonies."""
        return not isinstance(self.act.statement, Absence)


WriterCommand: TypeAlias = Start | Act | Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An entry of its own is in the log, durably."""

    ceremony: str | None
    state: State | None
    """Of the ceremony; neither is there for a standing act."""
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The command asked for what is already in the log."""

    ceremony: str | None
    state: State | None
    seq: int
    """The number of the entry that holds it."""


Outcome: TypeAlias = Written | Repeated
