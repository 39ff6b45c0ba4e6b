# SPDX-License-Identifier: Apache-2.0
"""Logs that a simulated coordinator wrote by the real rules, and what an auditor's replay makes of them."""

from datetime import datetime, timedelta
from typing import Any

from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.commands import Command, Expire
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import (
    Choice,
    Decision,
    Request,
    StandingAct,
)
from tests.audit.copying import trust_in
from tests.burning import BREAK_GLASS, emergency_request
from tests.changing import decided
from tests.organisation import NOW, REASON, SALT, Organisation
from tests.simulated_coordinator import SimulatedCoordinator

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACME = Organisation(
    guardians=frozenset({"security"}),
    spare=frozenset({"alice", "mallory"}),
    deputies={"engineering": ("frank",)},
    extenders=frozenset({"managers"}),
    emergency=BREAK_GLASS,
)
EVER = Period(begin=NOW - DAY, end=NOW + 400 * DAY)
TEXT = Annex(salt=SALT, text=REASON)
QUORUM = ("alice", "bob", "carol", "rita")


class Story:
    """A log that is being written; what is asked for is asked by mallory, a day after what went before."""

    def __init__(self, organisation: Organisation = ACME) -> None:
        self.coordinator = SimulatedCoordinator(organisation)
        self.acme = organisation
        self.asked = 0

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.coordinator.now

    def later(self, by: timedelta = MINUTE) -> "Story":
        """Let time pass."""
        self.coordinator.pass_time(by)
        return self

    def asks(self, request: Request | None = None, **fields: Any) -> str:
        """Open a ceremony; return its id."""
        self.asked += 1
        named: dict[str, Any] = {"version": f"{self.asked}.0", "number": self.asked, **fields}
        given = request or self.acme.request(at=self.now, **named)
        return self.coordinator.start(self.acme.seal(given), [TEXT]).ceremony

    def approves(self, ceremony: str, *signers: str, every: timedelta = HOUR) -> None:
        """Let people approve, an hour apart."""
        for signer in signers or QUORUM:
            self.later(every)
            self.decides(signer, ceremony)

    def decides(self, signer: str, ceremony: str, choice: Choice = Choice.APPROVAL, **fields: Any) -> None:
        """Let somebody decide."""
        emergency = self.coordinator.chains[ceremony].ceremony.emergency
        if emergency is not None and "roles" not in fields:
            fields["roles"] = [t.role for t in emergency.quorum if signer in self.acme.roles[t.role]]
        self.coordinator.decide_as(signer, ceremony, choice=choice, **fields)

    def sends(self, decision: Decision) -> None:
        """Let somebody decide in so many words."""
        self.coordinator.decide(self.acme.seal(decision), None)

    def decision(self, signer: str, ceremony: str, **fields: Any) -> Decision:
        """Return a decision that nobody has signed yet."""
        request = self.coordinator.chains[ceremony].ceremony.request
        return self.acme.decision(signer, request, at=self.now, **fields)

    def releases(self, *signers: str, **fields: Any) -> str:
        """Ask for a release, and have it approved."""
        ceremony = self.asks(**fields)
        self.approves(ceremony, *signers)
        self.later(DAY)
        return ceremony

    def happens(self, ceremony: str, command: Command) -> None:
        """Let something happen to a ceremony."""
        self.coordinator.happen(ceremony, command)

    def stands(self, act: StandingAct, **fields: Any) -> None:
        """Let somebody say something outside any ceremony."""
        self.coordinator.stand(self.acme.seal(act, **fields))

    def breaks_glass(self, **fields: Any) -> str:
        """Invoke an emergency; two people join, and nobody vetoes it."""
        self.asked += 1
        version = fields.pop("version", f"{self.asked}.0")
        request = emergency_request(self.acme, number=self.asked, at=self.now, version=version, **fields)
        return self.asks(request)

    def join(self, ceremony: str) -> None:
        """Let two people join an emergency, and the time for vetoes pass."""
        for signer in ("alice", "carol"):
            self.later()
            self.decides(signer, ceremony)
        self.later(BREAK_GLASS.veto_window)
        self.happens(ceremony, Expire())

    def changes(self, new: Organisation) -> None:
        """Adopt a next policy, asked for and approved by alice and carol."""
        self.asked += 1
        number, signers = 500 + 2 * self.asked, ("alice", "carol")
        change = decided(Kind.POLICY_CHANGE, self.acme, new, signers, number=number, at=self.now)
        self.coordinator.hold(change, self.acme)
        self.coordinator.now = change.chain.last_at
        kind = Kind.POLICY_ACCEPTANCE
        acceptance = decided(kind, new, new, signers, number=number + 1, at=self.now)
        self.coordinator.hold(acceptance, new)
        self.coordinator.now = acceptance.chain.last_at
        self.coordinator.adopt(change.chain.id, acceptance.chain.id)
        self.acme = self.coordinator.organisation = new

    def copy(self, *, texts: bool = True) -> LogCopy:
        """Return what an auditor would hold of the log."""
        annexes: dict[str, tuple[Annex, ...]] = {}
        for ceremony, entries in self.coordinator.entries.items() if texts else ():
            statements = [PlacedEntry(0, entry).statement for entry in entries]
            bound = {each for statement in statements if statement for each in commitments(statement)}
            known = self.coordinator.annexes
            annexes[ceremony] = tuple(known[each] for each in sorted(bound & known.keys()))
        return LogCopy(
            entries=tuple(self.coordinator.log.entries),
            checkpoint=self.coordinator.log.checkpoint(),
            annexes=annexes,
        )

    def population(self, *, texts: bool = True) -> Population:
        """Return what the replay makes of it."""
        first = self.coordinator.log.organisation
        return populate(self.copy(texts=texts), trust_in(first))
