# SPDX-License-Identifier: Apache-2.0
"""What there was: every ceremony of a log, each as its replayed entries bear it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.entries import CONCLUSIONS, Entry
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.record import QuorumRecord, record_of
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import StandingChain
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request, Statement
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue
from quorumseal.tlog import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From an instant up to another, which is not in it."""

    begin: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    def __str__(self) -> str:
        return f"{instant_text(self.begin)} to {instant_text(self.end)}"

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {"from": instant_text(self.begin), "to": instant_text(self.end)}


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """An entry that was read, and where it stands in the log."""

    index: int
    entry: Entry

    @property
    def statement(self) -> Statement | None:
        """What somebody signed that caused it; of the first policy, which many signed, none."""
        body = self.entry.body
        if "envelope" not in body or (self.entry.ceremony is None and self.entry.seq == 0):
            return None
        return read_statement(self.entry.envelope.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One ceremony, replayed in the order of the log under the policy that its request names."""

    chain: Chain
    policy: SignedPolicy
    """As of then."""
    entries: tuple[PlacedEntry, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    """What its statements commit to, by commitment, where it was asked for."""

    @property
    def id(self) -> str:
        """The ceremony's id."""
        return self.chain.id

    @property
    def ceremony(self) -> Ceremony:
        """How it stands."""
        return self.chain.ceremony

    @property
    def signed(self) -> Signed[Request]:
        """The request, and by which key it was signed."""
        return self.ceremony.request

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.signed.statement

    @property
    def state(self) -> State:
        """Where it stands at the end of the log."""
        return self.ceremony.state

    @property
    def opened_at(self) -> datetime:
        """When the log opened it."""
        return self.entries[0].entry.at

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, by the log's clock; none while it is open."""
        return self.ceremony.ended_at

    @property
    def concluded(self) -> PlacedEntry | None:
        """The entry that ended it."""
        return next((each for each in self.entries if each.entry.type in CONCLUSIONS), None)

    @property
    def statements(self) -> tuple[tuple[PlacedEntry, Statement], ...]:
        """Everything that somebody signed in it, in the order of the log."""
        given = ((each, each.statement) for each in self.entries)
        return tuple((each, statement) for each, statement in given if statement is not None)

    def record(self) -> QuorumRecord:
        """Return the account of it: who, what, when, by which key."""
        return record_of(self.chain, (each.entry for each in self.entries), self.policy)

    def touches(self, period: Period) -> bool:
        """Whether it was opened or ended in a period, or was open all through it."""
        ended = self.ended_at
        return self.opened_at < period.end and (ended is None or ended >= period.begin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Everything that a copy of a log holds."""

    checkpoint: Checkpoint
    policies: tuple[SignedPolicy, ...]
    """Every version, oldest first."""
    begins: tuple[int, ...]
    """The index of the entry from which on each version holds."""
    standing: StandingChain
    standing_entries: tuple[PlacedEntry, ...]
    """Those of no ceremony: policies, absences, delegations, revocations, suspensions."""
    ceremonies: tuple[Audited, ...]
    """In the order in which they were opened."""
    complete_from: int = 0
    """The index of the first entry from which on nothing is missing."""

    def within(self, period: Period) -> "Population":
        """Return the same with the ceremonies alone that touch a period."""
        return replace(self, ceremonies=tuple(each for each in self.ceremonies if each.touches(period)))

    def named(self, ceremony: str) -> Audited | None:
        """Return one ceremony by its id."""
        return next((each for each in self.ceremonies if each.id == ceremony), None)
