# SPDX-License-Identifier: Apache-2.0
"""An emergency told in simulated time: who did what when, and what a consumer made of it at each instant."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Command, Expire
from quorumseal.ceremony.emergencies import PastEmergency, admit_emergency
from quorumseal.ceremony.entries import CONCLUSIONS, Entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.verify import verify
from tests.burning import (
    BURNING,
    HOUR,
    MINUTE,
    WINDOW,
    emergency_request,
    joins,
    ratification,
    reports,
    vetoes,
)
from tests.forging import verdict
from tests.organisation import ARTIFACT, NOW
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
INSTANT = timedelta(milliseconds=1)
INVOKED = NOW
FLOOR_MET = NOW + MINUTE * 2
WINDOW_ENDS = FLOOR_MET + WINDOW
RATIFICATION_ASKED = NOW + HOUR * 20
RATIFY_BY = NOW + HOUR * 48
PROVISIONAL_UNTIL = NOW + HOUR * 72
DEADLINE = NOW + HOUR


@dataclass
class Told:
    """A ceremony in a story: its chain, and every entry of it."""

    chain: Chain
    entries: list[Entry]

    @property
    def past(self) -> PastEmergency:
        """What the limits ask about it later."""
        ceremony, request = self.chain.ceremony, self.chain.ceremony.request.statement
        return PastEmergency(
            ceremony=self.chain.id,
            product=request.product,
            version=request.version,
            state=ceremony.state,
            opened_at=request.opened_at,
            vetoed_by=ceremony.stopped_by,
            report_due=ceremony.report_due,
        )


@dataclass
class Story:
    """A log, the emergencies in it, and the ratification of the newest, where there is one."""

    log: SimulatedLog = field(default_factory=lambda: SimulatedLog(BURNING))
    emergencies: list[Told] = field(default_factory=list)
    ratification: Told | None = None

    @property
    def newest(self) -> Told:
        """The emergency that is told about."""
        return self.emergencies[-1]

    def invoke(self, at: datetime = INVOKED, *, people: int = 2, version: str = "1.0") -> None:
        """Break the glass, unless that is past the limits; the times of the first are those above."""
        request = emergency_request(
            number=len(self.emergencies) + 1,
            at=at,
            people=people,
            version=version,
            ratify=RATIFY_BY - INVOKED,
            provisional=PROVISIONAL_UNTIL - INVOKED,
        )
        assert request.emergency is not None
        past = [told.past for told in self.emergencies]
        vetoed_by = admit_emergency(request, request.emergency, past, at=at)
        self.emergencies.append(self._open(request, at, vetoed_by))

    def invoked(self, at: datetime, *, people: int = 2, version: str = "1.0") -> str:
        """Break the glass; return the code of the refusal, or ``accepted``."""
        return verdict(lambda: self.invoke(at, people=people, version=version))

    def joins(self, signer: str, at: datetime, choice: Choice = Choice.APPROVAL) -> None:
        """Let somebody decide on the newest emergency."""
        self._act(self.newest, joins(self.newest.chain, signer, choice, at=at), at)

    def vetoes(self, signer: str, at: datetime) -> None:
        """Let somebody veto it."""
        self._act(self.newest, vetoes(self.newest.chain, signer, at=at), at)

    def reports(self, signer: str, at: datetime) -> None:
        """Let somebody report on it."""
        self._act(self.newest, reports(self.newest.chain, signer, at=at), at)

    def time_passes(self, to: datetime) -> None:
        """Let the clock do what is due."""
        self._act(self.newest, Expire(), to)

    def two_join_and_nobody_vetoes(self, at: datetime = INVOKED) -> None:
        """Tell the usual beginning."""
        self.joins("alice", at + MINUTE)
        self.joins("carol", at + (FLOOR_MET - INVOKED))
        self.time_passes(at + (WINDOW_ENDS - INVOKED))

    def ratify(self, *signers: str, rejects: str = "", at: datetime = RATIFICATION_ASKED) -> None:
        """Ask for the ratification of the newest, and let people decide on it a minute apart."""
        self.ratification = told = self._open(ratification(self.newest.chain, at=at), at, frozenset())
        for minute, signer in enumerate(signers, start=1):
            when = at + MINUTE * minute
            choice = Choice.REJECTION if signer == rejects else Choice.APPROVAL
            self._act(told, joins(told.chain, signer, choice, at=when), when)

    def published(self, at: datetime) -> bytes | None:
        """Return the bundle as the log had it at an instant: of what was decided by then."""
        emergency = [entry for entry in self._concluded(self.newest) if entry.at <= at]
        if not emergency:
            return None
        parts = [self.log.part(emergency)]
        ratified = self.ratification
        if (
            ratified is not None
            and ratified.chain.ceremony.state is State.APPROVED
            and ratified.chain.last_at <= at
        ):
            parts.append(self.log.part(ratified.entries, also={parts[0].index + 1}))
        return write_bundle(make_bundle([BURNING.policy], *parts))

    def status(self, at: datetime) -> bytes:
        """Return the status file of an instant: what nobody ratified in time has lapsed."""
        request = self.newest.chain.ceremony.request
        assert request.statement.emergency is not None
        ratified = self.ratification is not None and self.ratification.chain.ceremony.state is State.APPROVED
        lapsed = at >= request.statement.emergency.ratify_by and not ratified
        return write_status(
            Status(
                organisation=BURNING.name,
                log=BURNING.origin,
                at=at,
                lapsed=frozenset({request.digest}) if lapsed else frozenset(),
            ),
            BURNING.log_key,
        )

    def outcomes(self, at: datetime, *, bundle: bytes | None = None) -> str:
        """Return what a consumer hears: of the bundle as it is, with provisional ones allowed, with a status.

        The bundle is the one that is published then, unless they kept another.
        """
        given = bundle or self.published(at)
        if given is None:
            return "nothing is published"
        terms = (
            Terms(now=at),
            Terms(now=at, allow_provisional=True),
            Terms(now=at, allow_provisional=True, status=self.status(at)),
        )
        return " | ".join(self._judge(given, each) for each in terms)

    def _judge(self, bundle: bytes, terms: Terms) -> str:
        standing: list[str] = []
        code = verdict(
            lambda: standing.append(str(verify(bundle, self.log.trust, ARTIFACTS, terms=terms).standing))
        )
        return standing[0] if standing else code

    def _open(self, request: Request, at: datetime, vetoed_by: frozenset[str]) -> Told:
        signed = BURNING.sign_request(request)
        chain, opening = open_chain(BURNING.policy, signed, at=at, vetoed_by=vetoed_by)
        self.log.append([opening])
        return Told(chain, [opening])

    def _act(self, told: Told, command: Command, at: datetime) -> None:
        told.chain, entries = extend(told.chain, command, at=at)
        self.log.append(entries)
        told.entries += entries

    def _concluded(self, told: Told) -> list[Entry]:
        """Return the entries that a bundle holds: to the conclusion, without what was reported later."""
        ends = [position for position, entry in enumerate(told.entries) if entry.type in CONCLUSIONS]
        return told.entries[: ends[0] + 1] if ends else told.entries
