# SPDX-License-Identifier: Apache-2.0
"""An organisation with an emergency: who asks, who joins, who stops it, each at their own desk."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from quorumseal.ceremony.commands import Expire
from quorumseal.ceremony.statements import Choice
from signer_agent.drafting import Draft
from signer_agent.emergencies import Alarm, write_emergency, write_report, write_veto
from signer_agent.recollection import Stored
from signer_agent.requesting import Wanted, start
from signer_agent.signing import send, sign_and_store
from signer_agent.succeeding import Succession, write_ratification, write_revocation
from tests.burning import BURNING, MINUTE, WINDOW
from tests.organisation import SUBJECTS, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Hostile, SimulatedCoordinator, honest

WHY = "customers cannot sign in since 13:40, and every hour of it costs them data"
IMPACT = "all tenants in the region"
REPORT = "the cause was a certificate that had run out; it is renewed by a job now"
ALARM = Alarm(reason="outage", why=WHY, incident="INC-7", impact=IMPACT)
WANTED = Wanted(product="widget", version="1.0", subjects=SUBJECTS)


@dataclass
class Fire:
    """A simulated coordinator, and a desk for everybody who comes to it."""

    folder: Path
    organisation: Organisation = BURNING
    hostile: dict[str, Hostile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.coordinator = SimulatedCoordinator(self.organisation)
        self._desks: dict[str, Desk] = {}

    def desk(self, name: str) -> Desk:
        """Return the desk of somebody."""
        if name not in self._desks:
            hostile = self.hostile.get(name, honest)
            self._desks[name] = Desk(self.folder / name, self.coordinator, name, hostile=hostile)
        return self._desks[name]

    def pass_time(self, length: timedelta, ceremony: str | None = None) -> None:
        """Let time pass, and the clock move a ceremony."""
        self.coordinator.pass_time(length)
        if ceremony is not None:
            self.coordinator.happen(ceremony, Expire())

    def break_glass(self, requester: str = "mallory", alarm: Alarm = ALARM, wanted: Wanted = WANTED) -> str:
        """Break the glass; return the ceremony."""
        desk, policy = self.desk(requester), self.organisation.policy
        return start(
            desk.agent, write_emergency(desk.agent, policy, wanted, alarm), desk.key, policy
        ).ceremony

    def join(self, ceremony: str, *people: str, choice: Choice = Choice.APPROVAL) -> None:
        """Let people decide, a minute apart."""
        for person in people:
            self.pass_time(MINUTE)
            self.desk(person).decide(ceremony, choice)

    def sign(self, person: str, draft: Draft) -> Stored:
        """Let somebody sign and send what was written."""
        desk, policy = self.desk(person), self.organisation.policy
        return send(desk.agent, sign_and_store(desk.agent, draft, desk.key, policy), policy)

    def veto(self, ceremony: str, person: str) -> Stored:
        """Let somebody stop it."""
        desk = self.desk(person)
        return self.sign(person, write_veto(desk.agent, desk.look(ceremony), "the database can be restored"))

    def report(self, ceremony: str, person: str) -> Stored:
        """Let somebody tell what happened."""
        desk = self.desk(person)
        return self.sign(person, write_report(desk.agent, desk.look(ceremony), REPORT))

    def burn(self, *people: str, wanted: Wanted = WANTED) -> str:
        """Break the glass, join, and let the window pass."""
        ceremony = self.break_glass(wanted=wanted)
        self.join(ceremony, *(people or ("alice", "carol")))
        self.pass_time(WINDOW, ceremony)
        return ceremony

    def ratify(self, emergency: str, requester: str = "rita", *, deadline: timedelta | None = None) -> str:
        """Ask for a ratification; return its ceremony."""
        desk = self.desk(requester)
        draft = write_ratification(
            desk.agent, desk.look(emergency).observation, Succession(deadline=deadline)
        )
        return start(desk.agent, draft, desk.key, self.organisation.policy).ceremony

    def revoke(
        self, release: str, requester: str = "rita", why: str = "it deletes what it should keep"
    ) -> str:
        """Ask for a revocation; return its ceremony."""
        desk = self.desk(requester)
        draft = write_revocation(desk.agent, desk.look(release).observation, why, Succession())
        return start(desk.agent, draft, desk.key, self.organisation.policy).ceremony
