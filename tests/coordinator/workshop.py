# SPDX-License-Identifier: Apache-2.0
"""Coordinators in this process, without their API and their threads unless a test starts them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.anchor import Anchor
from coordinator.assembly import Coordinator
from coordinator.clock import LogClock
from coordinator.commands import Act, Outcome, Start, WriterCommand, Written
from coordinator.errors import DestinationError
from coordinator.high_water import HighWater
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.metrics.observing import Observe, unobserved
from coordinator.notifying import Routes
from coordinator.notifying.settings import NotificationSettings
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.storage import Storage
from coordinator.values import Receipt
from coordinator.writer import Writer
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.commands import Expire, Record
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.signatures import PrivateKey
from quorumseal.tlog import Checkpoint, leaf_hash, open_checkpoint, verify_inclusion
from tests.organisation import NOW, Organisation


@dataclass
class Time:
    """What the clocks of a test say."""

    now: datetime = NOW + timedelta(minutes=1)
    elapsed: float = 0.0

    def pass_by(self, time: timedelta) -> None:
        """Let time pass honestly."""
        self.now += time
        self.elapsed += time.total_seconds()

    def clock(self) -> LogClock:
        """Return a clock that says this."""
        return LogClock(now=lambda: self.now, elapsed=lambda: self.elapsed)


@dataclass
class Desk:
    """One coordinator's storage, writer and reader."""

    storage: Storage
    writer: Writer
    policies: Policies
    live: Live
    reader: LogReader
    high_water: HighWater

    def write(self, *commands: WriterCommand) -> list[Outcome | BaseException]:
        """Put commands before the writer at once; return their outcomes and refusals."""
        answers: list[Future[Outcome]] = [self.writer.submit(command) for command in commands]
        return [answer.exception(timeout=30) or answer.result() for answer in answers]

    def written(self, command: WriterCommand) -> Written:
        """Return what was written for a command, which must not be refused."""
        (outcome,) = self.write(command)
        if isinstance(outcome, BaseException):
            raise outcome
        assert isinstance(outcome, Written)
        return outcome

    def types(self) -> list[str]:
        """Return the types of all entries."""
        return [row.type for row in self.storage.log.entries(0, self.storage.log.size())]

    def chain(self, ceremony: str) -> Chain:
        """Replay a ceremony from the database."""
        return self.policies.replay(self.storage.log.chains([ceremony])[ceremony])


@dataclass
class Place:
    """A destination that fails as often as it is told to."""

    failures: int = 0
    error: Exception = field(default_factory=lambda: DestinationError("expected room, got none"))
    name: str = "directory:test"
    published: list[tuple[str, bytes]] = field(default_factory=list)

    def publish(self, name: str, data: bytes) -> str:
        if self.failures:
            self.failures -= 1
            raise self.error
        self.published.append((name, data))
        return f"/there/{name}"

    def renew(self, name: str, data: bytes) -> str:
        return self.publish(name, data)


@dataclass
class Workshop:
    """Makes coordinators on one database."""

    database: str
    organisation: Organisation
    published: Path
    time: Time = field(default_factory=Time)
    damaged: bool = False
    """Whether a test spoils the log: then an auditor finds something."""
    _desks: list[Desk] = field(default_factory=list)
    _coordinators: list[Coordinator] = field(default_factory=list)

    def desk(
        self,
        *,
        running: bool = True,
        storage: Callable[[str], Storage] = Storage,
        queued: int = 4096,
        routes: Routes | None = None,
        observe: Observe = unobserved,
        log_keys: Sequence[PrivateKey] = (),
        anchor: Path | None = None,
    ) -> Desk:
        """Open one more coordinator on the database, as far as its writer."""
        opened = storage(self.database)
        policies, live = Policies(opened), Live(opened)
        keys = LogKeys(self.organisation.log_key, *log_keys)
        high_water = HighWater(
            opened,
            keys,
            lambda: policies.newest.policy.log,
            anchor=None if anchor is None else Anchor(anchor),
        )
        try:
            high_water.begin()
            writer = Writer(
                opened,
                keys,
                clock=self.time.clock(),
                live=live,
                policies=policies,
                high_water=high_water,
                destinations=["directory:test"],
                routes=routes,
                observe=observe,
                most_queued=queued,
            )
        except BaseException:
            opened.close()
            raise
        desk = Desk(opened, writer, policies, live, LogReader(opened, policies), high_water)
        self._desks.append(desk)
        if running:
            writer.start()
        return desk

    def coordinator(self, notifications: NotificationSettings | None = None) -> Coordinator:
        """Start a whole coordinator."""
        coordinator = Coordinator(
            self.database,
            self.organisation.log_key,
            publish_to=[self.published],
            notifications=notifications,
            clock=self.time.clock(),
        )
        self._coordinators.append(coordinator)
        coordinator.start()
        return coordinator

    def close(self) -> None:
        """Close everything."""
        for coordinator in self._coordinators:
            coordinator.close()
        for desk in self._desks:
            desk.live.close()
            desk.writer.close()
            desk.storage.close()

    def start(self, request: Request | None = None) -> Start:
        """Ask for a ceremony."""
        signed = self.organisation.sign_request(request or self.organisation.request())
        return Start(policy=self.organisation.policy, request=signed)

    def decide(
        self,
        signer: str,
        start: Start,
        choice: Choice = Choice.APPROVAL,
        *,
        replaces: str | None = None,
        roles: Iterable[str] | None = None,
    ) -> Act:
        """Decide on what was asked for."""
        decision = self.organisation.decision(signer, start.request, choice, replaces=replaces, roles=roles)
        return Act(
            ceremony=start.request.statement.ceremony,
            command=Record(self.organisation.sign_decision(decision)),
        )

    def expire(self, start: Start) -> Act:
        """Say that the deadline may have passed."""
        return Act(ceremony=start.request.statement.ceremony, command=Expire())

    def approved(self) -> tuple[Desk, str]:
        """Bring a ceremony to its approval; return the desk that did, and the ceremony."""
        desk, start = self.desk(), self.start()
        desk.written(start)
        for signer in ("alice", "erin", "carol", "rita"):
            desk.written(self.decide(signer, start))
        return desk, start.request.statement.ceremony

    def check(self, receipt: Receipt) -> Checkpoint:
        """Verify a receipt as an agent does."""
        checkpoint = open_checkpoint(
            receipt.checkpoint, self.organisation.origin, [self.organisation.log_key.public]
        )
        leaf = leaf_hash(receipt.entry)
        verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.inclusion, checkpoint.root)
        return checkpoint
