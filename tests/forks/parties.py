# SPDX-License-Identifier: Apache-2.0
"""Honest agents with their witnesses, each before one view of a log; what they found and vouched for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from quorumseal.refusal import Refusal
from quorumseal.tlog import Checkpoint, ForkProof, open_checkpoint, read_fork_proof
from signer_agent.cosigning import Cosigning
from signer_agent.observing import observe_standing
from tests.organisation import Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedConnection, SimulatedCoordinator

NAMES = ("alice", "bob", "carol", "dan", "erin", "rita")
ACME = Organisation(witnessing=frozenset(NAMES))
LOG = ACME.policy.policy.log
KEYS = [key.key for key in LOG.keys]
UNANSWERED = ("log.size_ahead", "log.behind", "coordinator.unreachable")
"""Codes of what is no answer: it accuses nobody, and nothing is signed by it."""


class Party:
    """One signer's agent and witness."""

    def __init__(self, folder: Path, view: SimulatedCoordinator, name: str) -> None:
        self.name = name
        self.network: Callable[[Message], Any] = lambda message: message.content
        self.vouched: list[Checkpoint] = []
        self._folder = folder / name
        self.desk = Desk(self._folder, view, name, hostile=self._pass)
        self._begin()

    def _begin(self) -> None:
        self.witness = Cosigning(self.desk.agent, ACME.witness_key(self.name), self._vouch)

    def _pass(self, message: Message) -> Any:
        return self.network(message)

    def _vouch(self, note: bytes) -> None:
        self.vouched.append(open_checkpoint(note, ACME.origin, KEYS))

    def serve(self, view: SimulatedCoordinator) -> None:
        """Let a view of the log answer from now on."""
        connection = self.desk.agent.connection
        assert isinstance(connection, SimulatedConnection)
        connection.coordinator = self.desk.coordinator = view

    def restart(self) -> None:
        """End the program, and begin another one."""
        self.desk = self.desk.reopened(hostile=self._pass)
        self._begin()

    def back_up(self) -> None:
        """Copy the journal."""
        self.desk.agent.journal.close()
        shutil.copy(self.desk.agent.home.journal_file, self._folder / "backup")
        self.restart()

    def restore(self) -> None:
        """Put the copy of the journal back, where there is one."""
        if (self._folder / "backup").exists():
            self.desk.agent.journal.close()
            shutil.copy(self._folder / "backup", self.desk.agent.home.journal_file)
            self.restart()

    def exchange(self, random: Random, ceremony: str | None = None) -> str:
        """Do one of what agents do; return the code of the refusal, empty where there was none."""
        view = self.desk.coordinator
        named = ceremony or random.choice(sorted(view.chains))
        acts: list[Callable[[], object]] = [lambda: self.desk.look(named)]
        if ceremony is None:
            acts += [
                lambda: self.desk.decide(named),
                lambda: observe_standing(self.desk.agent),
                lambda: self.witness.tend(ACME.policy, concluded=1),
            ]
        return code_of(random.choice(acts))

    @property
    def proofs(self) -> list[ForkProof]:
        """The fork-proof files of this party, each verified by the log's public keys alone."""
        files = sorted(self.desk.agent.home.state.glob("fork-proof-*.json"))
        return [read_fork_proof(file.read_bytes(), ACME.origin, KEYS) for file in files]

    @property
    def blocked(self) -> bool:
        """Whether nothing is signed here any more."""
        return self.desk.agent.home.block_file.exists()

    def close(self) -> None:
        """Let go of the journal."""
        self.desk.agent.journal.close()


def code_of(act: Callable[[], object]) -> str:
    """Return the code with which something is refused; empty where it is not."""
    try:
        act()
    except Refusal as refusal:
        return refusal.code
    return ""


def vouches_for_one_history(party: Party) -> bool:
    """Whether a witness never vouched for less after more, nor for two roots of one size."""
    sizes = [each.size for each in party.vouched]
    return sizes == sorted(sizes) and len(set(party.vouched)) == len(set(sizes))
