# SPDX-License-Identifier: Apache-2.0
"""What is asked at once is done in one order: an acknowledged decision counts, or its ceremony had ended.

Real calls to a real coordinator, around the deadline, which a test's own clock brings about; each history of
them must have an order that the rules explain.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from coordinator.assembly import Coordinator
from coordinator.settings import read_settings
from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.commands import Cancel, Record
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Decision, Request
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.values import Receipt
from quorumseal.signatures import Envelope
from quorumseal.strict_json import write
from tests.coordinator.workshop import Time
from tests.durability.crew import SIGNERS
from tests.durability.history import Call, Look, Operation, Passing, explain, show
from tests.durability.people import ANNEX, now
from tests.organisation import Organisation
from tests.running_coordinator import Site

WINDOW = timedelta(minutes=1)
MOST_AT_ONCE = 9


@dataclass
class Stage:
    """A coordinator whose clock stands still until somebody moves it, and everybody's connection to it."""

    organisation: Organisation
    time: Time
    connections: dict[str, Connection]
    pool: ThreadPoolExecutor
    dice: random.Random

    def history(self, number: int) -> tuple[list[Call], Chain, Passing]:
        """Run one ceremony: some decisions one after the other, then everything else at once."""
        organisation = self.organisation
        request = organisation.sign_request(
            organisation.request(number=number, version=f"1.{number}", at=self.time.now, deadline=WINDOW)
        )
        self.connections["mallory"].start(write(request.envelope.to_json()))
        for signer in self.dice.sample(SIGNERS, self.dice.randrange(4)):
            self.call(Record(self._decide(signer, request)))
        chain = self.look(request.statement.ceremony)
        operations = self._operations(chain)
        passing: list[Passing] = []
        ready = threading.Barrier(len(operations) + 1)

        def at_once(operation: Operation, after: float) -> Call:
            ready.wait()
            time.sleep(after)
            return self.call(operation, chain)

        def pass_by(after: float) -> None:
            ready.wait()
            time.sleep(after)
            passing.append(self._pass())

        waits = [self.dice.random() * 0.006 for _ in operations]
        passed = self.pool.submit(pass_by, self.dice.random() * 0.06)
        calls = [self.pool.submit(at_once, *each) for each in zip(operations, waits, strict=True)]
        history = [call.result() for call in calls]
        passed.result()
        history.append(self.call(Look(), chain))
        return history, chain, passing[0]

    def call(self, operation: Operation, chain: Chain | None = None) -> Call:
        """Make a call, and write down when, and what was answered."""
        called = time.monotonic_ns()
        try:
            answer = self._ask(operation, chain)
        except CoordinatorRefusedError as refusal:
            answer = refusal.code
        answered = time.monotonic_ns()
        return Call(
            operation=operation,
            called=called,
            answered=answered,
            answer=answer if isinstance(answer, str) else show(answer),
        )

    def look(self, ceremony: str) -> Chain:
        """Read a ceremony."""
        part = self.connections["alice"].ceremony(ceremony).part
        return replay_chain(part.entries, self.organisation.policy)

    def _ask(self, operation: Operation, chain: Chain | None) -> str | Chain:
        match operation:
            case Record(decision):
                annex = ANNEX if decision.statement.reason else None
                envelope = write(decision.envelope.to_json())
                decided = self.connections[decision.signer].decide(envelope, annex)
                return self._own(decided.receipt, decision.envelope) or decided.state
            case Cancel(cancellation):
                envelope = write(cancellation.envelope.to_json())
                receipt = self.connections[cancellation.signer].act(envelope, ANNEX).receipt
                return self._own(receipt, cancellation.envelope) or "cancelled"
            case Look():
                assert chain is not None
                return self.look(chain.id)

    def _own(self, receipt: Receipt, envelope: Envelope) -> str:
        """Return nothing where a receipt is for the entry of what was handed in."""
        held = read_entry(receipt.entry).body.get("envelope")
        return "" if held == envelope.to_json() else f"a receipt for {receipt.entry!r}"

    def _operations(self, chain: Chain) -> list[Operation]:
        """Choose what is asked at once: decisions, second thoughts, cancellations, repetitions, looks."""
        operations: list[Operation] = []
        for signer in self.dice.sample(SIGNERS, self.dice.randrange(2, 6)):
            operations.append(self._second_thought(signer, chain))
            if self.dice.random() < 0.2:
                operations.append(self._second_thought(signer, chain))
        if self.dice.random() < 0.4:
            requester = self.dice.choice(["mallory", "rita"])
            cancellation = self.organisation.cancellation(requester, chain, at=self.time.now)
            operations.append(Cancel(self.organisation.sign_cancellation(cancellation)))
        operations += [self.dice.choice(operations), Look()]
        self.dice.shuffle(operations)
        return operations[:MOST_AT_ONCE]

    def _second_thought(self, signer: str, chain: Chain) -> Record:
        standing = chain.ceremony.decisions.get(signer)
        choice = self.dice.choices([*Choice], (85, 7, 8))[0]
        replaces = standing.digest if standing else None
        return Record(self._decide(signer, chain.ceremony.request, choice, replaces))

    def _decide(
        self,
        signer: str,
        request: Signed[Request],
        choice: Choice = Choice.APPROVAL,
        replaces: str | None = None,
    ) -> Signed[Decision]:
        decision = self.organisation.decision(signer, request, choice, at=self.time.now, replaces=replaces)
        return self.organisation.sign_decision(decision)

    def _pass(self) -> Passing:
        before, called = self.time.now, time.monotonic_ns()
        self.time.pass_by(WINDOW)
        return Passing(before=before, after=self.time.now, called=called, answered=time.monotonic_ns())


@pytest.fixture
def stage(sqlite_site: Site) -> Iterator[Stage]:
    site = sqlite_site
    site.found()
    clock = Time(now=now())
    coordinator = Coordinator(
        read_settings(site.settings).database, site.organisation.log_key, clock=clock.clock()
    )
    coordinator.start()
    try:
        with site.api(coordinator.use_cases) as api, ThreadPoolExecutor(MOST_AT_ONCE + 1) as pool:
            connections = {
                name: Connection(api.address, site.client_files(name)) for name in (*SIGNERS, "mallory")
            }
            yield Stage(site.organisation, clock, connections, pool, random.Random(11))
            for connection in connections.values():
                connection.close()
    finally:
        coordinator.close()


def test_every_history_of_concurrent_calls_has_an_order_that_explains_it(
    stage: Stage, count: Callable[..., int]
) -> None:
    answers: Counter[str] = Counter()
    for number in range(1, count(60, deep=5_000) + 1):
        calls, chain, passing = stage.history(number)
        assert explain(calls, chain, passing) is not None, (number, chain, passing, calls)
        answers.update(call.answer for call in calls if not isinstance(call.operation, Look))
    assert answers["open"] > 0
    assert answers["approved"] > 0, "some concluded at once"
    assert answers["expired"] > 0, "some came too late"
    assert answers["ceremony.ended"] > 0, "some found that others had been faster"
