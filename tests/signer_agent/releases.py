# SPDX-License-Identifier: Apache-2.0
"""Twelve releases, five of which a key of alice helped to approve, and three of those rest on it."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.compromise import compromised
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.statements import Subject
from quorumseal.ceremony.values import digest_of
from signer_agent.drafting import Draft
from signer_agent.reapproving import Anew, plan_anew, start_anew
from signer_agent.succeeding import Succession
from signer_agent.surveying import Surveyed, survey
from tests.burning import BURNING, DAY, MINUTE
from tests.organisation import Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Hostile, SimulatedCoordinator, honest

WITHOUT_ALICE = ("bob", "erin", "carol", "dan")
SPARED = ("alice", "bob", "erin", "carol", "dan")
RESTING = ("alice", "bob", "carol", "dan")
APPROVED_BY = {
    f"1.{minor}": RESTING if minor < 3 else SPARED if minor < 5 else WITHOUT_ALICE for minor in range(12)
}
SHORT = ["1.0", "1.1", "1.2"]
"""The versions that rest on alice's key."""


def bytes_of(version: str) -> bytes:
    """Return the artifact of a version."""
    return f"the bytes of widget {version}\n".encode()


@dataclass
class Releases:
    """A simulated coordinator with the releases in it, and desks for those who come to it."""

    folder: Path
    organisation: Organisation = BURNING
    hostile: dict[str, Hostile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.coordinator = SimulatedCoordinator(self.organisation)
        self.ceremonies = {
            version: self.release(version, people, number)
            for number, (version, people) in enumerate(APPROVED_BY.items(), start=100)
        }
        self.coordinator.pass_time(DAY)
        self._desks: dict[str, Desk] = {}

    @property
    def policy(self) -> SignedPolicy:
        return self.organisation.policy

    @property
    def alices_key(self) -> str:
        return self.organisation.key("alice").public.key_id

    def release(self, version: str, people: tuple[str, ...], number: int) -> str:
        """Release a version of the widget."""
        subjects = (Subject(name="widget.tar.gz", digest=digest_of(bytes_of(version))),)
        request = self.organisation.request(
            version=version, subjects=subjects, number=number, at=self.coordinator.now
        )
        ceremony = self.coordinator.open(request)
        self.approve(ceremony, *people)
        return ceremony

    def approve(self, ceremony: str, *people: str) -> None:
        """Let people approve, a minute apart."""
        for person in people:
            self.coordinator.pass_time(MINUTE)
            self.coordinator.decide_as(person, ceremony)

    def desk(self, name: str) -> Desk:
        """Return the desk of somebody."""
        if name not in self._desks:
            hostile = self.hostile.get(name, honest)
            self._desks[name] = Desk(self.folder / name, self.coordinator, name, hostile=hostile)
        return self._desks[name]

    def lost(self, since: datetime | None = None) -> Revoked:
        """Return alice's key as one that somebody else has."""
        return compromised(self.alices_key, since)

    def survey(self, name: str = "rita", since: datetime | None = None) -> tuple[Surveyed, ...]:
        """Let somebody look."""
        return survey(self.desk(name).agent, self.lost(since))

    def ask(self, name: str = "rita") -> tuple[Anew, ...]:
        """Let somebody ask for all that falls short."""
        desk, short = self.desk(name), [each for each in self.survey(name) if each.needs_reapproval]

        def check(draft: Draft) -> None:
            assert draft.product == "widget"

        planned = plan_anew(desk.agent, short, Succession(), self.policy, check=check)
        return start_anew(desk.agent, planned, desk.key, self.policy)
