# SPDX-License-Identifier: Apache-2.0
"""A signer at a desk: a home directory, an agent over a simulated coordinator, and a key that counts."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from quorumseal.ceremony.statements import Choice
from quorumseal.signatures import Envelope, PrivateKey, PublicKey
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.deciding import look, require_decidable
from signer_agent.drafting import Draft, draft_decision, make_reason
from signer_agent.home import SETTINGS_FILE, Home
from signer_agent.journal import Journal
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.signing import send, settle, sign_and_store
from tests.organisation import ARTIFACT, REASON
from tests.simulated_coordinator import Hostile, SimulatedCoordinator, honest


@dataclass
class CountingKey:
    """A key that remembers what it was made to sign."""

    key: PrivateKey
    signed: list[bytes] = field(default_factory=list)

    @property
    def public(self) -> PublicKey:
        return self.key.public

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        return self.key.sign(message)


class Randomness:
    """Bytes that are the same in every run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return hashlib.shake_256(str(self.calls).encode()).digest(size)


class Desk:
    """One signer at work."""

    def __init__(
        self,
        folder: Path,
        coordinator: SimulatedCoordinator,
        name: str = "alice",
        *,
        hostile: Hostile = honest,
        artifact: bytes = ARTIFACT,
    ) -> None:
        folder.mkdir(exist_ok=True)
        (folder / SETTINGS_FILE).touch()
        self.folder = folder
        self.coordinator = coordinator
        self.artifact = folder / "widget.tar.gz"
        self.artifact.write_bytes(artifact)
        self.key = CountingKey(coordinator.organisation.key(name))
        self.agent = Agent(
            name=name,
            home=Home.open(folder),
            journal=Journal.open(folder / "state" / "journal.sqlite"),
            connection=coordinator.connection(name, hostile),
            trust=coordinator.log.trust,
            now=lambda: self.coordinator.now,
            randomness=Randomness(),
        )

    def reopened(self, *, hostile: Hostile = honest) -> "Desk":
        """Return the desk after its program has died and was started again."""
        self.agent.journal.close()
        other = Desk(self.folder, self.coordinator, self.agent.name, hostile=hostile)
        other.key = self.key
        return other

    def look(self, ceremony: str) -> Review:
        """Review a ceremony with the artifact at hand."""
        return look(self.agent, ceremony, sources=Sources(paths=(self.artifact,)))

    def draft(self, review: Review, choice: Choice = Choice.APPROVAL) -> Draft:
        """Write a decision."""
        require_decidable(review, choice)
        reason = make_reason(REASON, self.agent.randomness) if choice is Choice.REJECTION else None
        return draft_decision(review, choice, reason=reason)

    def decide(self, ceremony: str, choice: Choice = Choice.APPROVAL) -> Stored:
        """Do what the verbs do, without their screens: settle what is pending, or review and sign."""
        review = self.look(ceremony)
        if review.pending is not None:
            return settle(self.agent, review.pending, review.observation)
        review.findings.require(unchecked=False)
        draft = self.draft(review, choice)
        stored = sign_and_store(self.agent, draft, self.key, review.observation.policy)
        return send(self.agent, stored, review.observation.policy)


def payload_of(message: bytes) -> bytes:
    """Return the payload in what a key was made to sign."""
    return message.split(b" ", 4)[4]


def envelopes_of(coordinator: SimulatedCoordinator, ceremony: str) -> list[Envelope]:
    """Return the decisions that a coordinator has."""
    return [entry.envelope for entry in coordinator.decisions(ceremony)]
