# SPDX-License-Identifier: Apache-2.0
"""One history, and everything that may happen to honest answers: none of it accuses the coordinator.

Answers get lost before and after they had an effect, come from a coordinator that lags behind another, are
overtaken by another program of the same home; agents are offline for long, restart, and get the journal of
an earlier day back; files bring checkpoints of any age.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from quorumseal.client.errors import CoordinatorUnreachableError
from signer_agent.comparing import meet, meet_seen
from tests.forks.parties import ACME, LOG, NAMES, Party, code_of, vouches_for_one_history
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator


@dataclass
class Course:
    """What came of one run."""

    exchanges: int
    unanswered: int
    decided: int


class Honest:
    """One log, a coordinator that lags behind, and the signers."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random = Random(seed)
        self._number = 0
        self.log = SimulatedCoordinator(ACME)
        self.open()
        self.late = self.log.fork()
        self.parties = [Party(folder, self.log, name) for name in random.sample(NAMES, 2)]
        for party in self.parties:
            party.network = self._network(party)

    def open(self) -> str:
        """Let somebody ask for a release."""
        self._number += 1
        return self.log.open(ACME.request(number=self._number, version=f"{self._number}.0"))

    def run(self) -> Course:
        """Let things happen; raise where anybody is accused, or cannot go on once all is well again."""
        steps: tuple[Callable[[Party], object], ...] = (
            self._exchange, self._exchange, self._exchange, lambda _: self.open(), self._colleague,
            self._catch_up, Party.restart, Party.back_up, Party.restore, self._carry,
        )  # fmt: skip
        exchanges = unanswered = 0
        for _ in range(self.random.randint(6, 14)):
            party = self.random.choice(self.parties)
            code = self.random.choice(steps)(party)
            exchanges += isinstance(code, str)
            unanswered += bool(code) and isinstance(code, str)
            self._require_nobody_accused()
        for party in self.parties:  # everybody is online again, and nothing is late
            party.network = lambda message: message.content
            party.serve(self.log)
            acts: list[Callable[[], object]] = [
                partial(party.desk.look, ceremony) for ceremony in self.log.chains
            ]
            acts.append(partial(party.witness.tend, ACME.policy, concluded=self.log.log.size))
            assert {code_of(act) for act in acts} == {""}
        self._require_nobody_accused()
        decided = sum(len(self.log.decisions(ceremony)) for ceremony in self.log.chains)
        return Course(exchanges, unanswered, decided)

    def _require_nobody_accused(self) -> None:
        for party in self.parties:
            assert not party.proofs, "an honest coordinator was accused"
            assert not party.blocked
            assert vouches_for_one_history(party)

    def _exchange(self, party: Party) -> str:
        party.serve(self.late if self.random.random() < 0.2 else self.log)
        return party.exchange(self.random)

    def _colleague(self, _: Party) -> None:
        ceremony = self.random.choice(sorted(self.log.chains))
        signer = self.random.choice(["bob", "erin", "carol", "dan"])
        size = self.random.choice([0, self.random.randint(1, self.log.log.size)])
        code_of(lambda: self.log.decide_as(signer, ceremony, seen=self.log.log.seen(size) if size else None))

    def _catch_up(self, _: Party) -> None:
        self.late = self.log.fork()

    def _carry(self, party: Party) -> None:
        size = self.random.randint(1, self.log.log.size)
        if self.random.random() < 0.5:
            meet(party.desk.agent, LOG, self.log.log.checkpoint(size))
        else:
            meet_seen(party.desk.agent, LOG, [self.log.log.seen(size)])

    def _network(self, party: Party) -> Callable[[Message], Any]:
        """Lose calls and answers, leave out proofs, and let another program of the home be faster."""

        def pass_on(message: Message) -> Any:
            chance = self.random.random()
            writes = message.method == "decide" and party.desk.coordinator is self.late
            if chance < 0.06 or writes:  # whoever lags behind writes nothing
                raise CoordinatorUnreachableError("expected an answer, got none")
            if chance < 0.1 and message.reply and not self._nested:
                self._nested = True
                try:
                    other = Desk(party.desk.folder, self.log, party.name)
                    code_of(lambda: other.look(self.random.choice(sorted(self.log.chains))))
                    other.agent.journal.close()
                finally:
                    self._nested = False
            return message.content

        return pass_on

    _nested = False

    def close(self) -> None:
        """Let go of all journals."""
        for party in self.parties:
            party.close()


def honest(folder: Path, seed: int) -> Course:
    """Let an honest log be seen through a bad network by a seed; raise where that accuses it."""
    (folder / str(seed)).mkdir()
    run = Honest(folder / str(seed), seed)
    try:
        return run.run()
    finally:
        run.close()
