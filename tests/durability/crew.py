# SPDX-License-Identifier: Apache-2.0
"""Everybody at work, and the waits for what they bring about."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from coordinator.certificates import Kind
from tests.durability.ledger import Ledger
from tests.durability.people import PATIENCE, Common, Person, Requester, Signer, Watcher
from tests.running_coordinator import Site

SIGNERS = ("alice", "bob", "carol", "dan", "erin", "rita")
REQUESTERS = ("mallory", "ci")
_WATCHER = "olga"


class Crew:
    """Signers, requesters, and somebody who watches."""

    def __init__(self, site: Site, addresses: list[str], *, seed: int) -> None:
        self.ledger = Ledger(site.organisation.policy.policy.log)
        self.common = Common(site, addresses, self.ledger, seed)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let everybody work until the block ends; whoever fails is a problem of the ledger."""
        people: list[Person] = [
            *(Signer(self.common, name) for name in SIGNERS),
            *(Requester(self.common, name) for name in REQUESTERS),
            Watcher(self.common, _WATCHER, Kind.AUDITOR),
        ]
        for person in people:
            person.start()
        self._requesters = [person for person in people if isinstance(person, Requester)]
        try:
            yield
        finally:
            self.common.stopping.set()
            for person in people:
                person.close()
            for person in people:
                person.join(60)

    def send_again(self) -> None:
        """Something broke: everybody sends some of what was answered before once more."""
        self.common.generation += 1

    def finish(self) -> None:
        """Ask for nothing new, and wait until everybody has decided and heard what there is."""
        self.common.stopping.set()
        for requester in self._requesters:
            requester.join(PATIENCE)
        self.wait_for(lambda: self.common.slowest() >= len(self.common.started))
        with self.common.connect(_WATCHER, Kind.AUDITOR) as watcher:
            size = self.ledger.see(watcher.organisation().checkpoint).size
        self.wait_for(lambda: len(self.common.entries) >= size)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for what others bring about, unless somebody has failed."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.ledger.problems or time.monotonic() > end:
                raise AssertionError(f"it did not come about: {self.ledger.problems}")
            time.sleep(0.002)

    def acknowledged(self) -> int:
        """Return how much was acknowledged so far."""
        return len(self.ledger.acknowledged)
