# SPDX-License-Identifier: Apache-2.0
"""What the writer is asked to do, and what it answers."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.values import Annex, Receipt
from quorumseal.ceremony.commands import Cancel, Expire, Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A signed request asks for a ceremony."""

    policy: SignedPolicy
    """The one under which the request was authenticated."""
    request: Signed[Request]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something is to happen to a ceremony."""

    ceremony: str
    command: Record | Cancel | Expire
    annex: Annex | None = None
    """The text that its statement commits to."""


WriterCommand: TypeAlias = Start | Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An entry of its own is in the log, durably."""

    ceremony: str
    state: State
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The command asked for what is already in the log."""

    ceremony: str
    state: State
    seq: int
    """The number of the entry that holds it."""


Outcome: TypeAlias = Written | Repeated
