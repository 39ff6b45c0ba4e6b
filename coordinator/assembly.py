# SPDX-License-Identifier: Apache-2.0
"""The coordinator without a face: storage, writer, deadlines, publishing, notifying and use cases.

Wired by hand.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from coordinator.anchor import Anchor
from coordinator.clock import LogClock
from coordinator.cosigning import Cosigning
from coordinator.deadlines import Deadlines
from coordinator.deliveries import record_delivery
from coordinator.destinations import Directory
from coordinator.ending import Ending
from coordinator.handing_back import HandingBack
from coordinator.high_water import HighWater
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.metrics.readings import Process, Readings
from coordinator.notifying import Heard, Notifier, Notifying
from coordinator.notifying.connecting import OwnPorts
from coordinator.notifying.opening import open_channels
from coordinator.notifying.settings import NotificationSettings
from coordinator.nudging import Nudging
from coordinator.outside_witnesses import OutsideWitness, ask_over_http
from coordinator.peers import AskPeers, nobody
from coordinator.policies import Policies
from coordinator.publishing import Publishing
from coordinator.reading import LogReader
from coordinator.reminding import Reminding
from coordinator.stamping import Fetch, Stamping
from coordinator.status import StatusFile, StatusKeeping
from coordinator.steady import Steady
from coordinator.storage import Storage
from coordinator.sweeping import Sweeping
from coordinator.use_cases import UseCases
from coordinator.witness_settings import WitnessAddress
from coordinator.writer import MOST_QUEUED, Writer
from quorumseal.signatures import PrivateKey

READERS = 6
_LOOK_EVERY = 1.0


class Coordinator:
    """Everything that runs behind the API.  Build it, ``start`` it, serve ``use_cases``, ``close`` it."""

    use_cases: UseCases
    notifier: Notifier

    def __init__(
        self,
        database: str,
        *log_keys: PrivateKey,
        publish_to: Sequence[Path] = (),
        fetch_timestamp: Fetch | None = None,
        witnesses: Sequence[WitnessAddress] = (),
        notifications: NotificationSettings | None = None,
        own_ports: OwnPorts = tuple,
        queue_limit: int = MOST_QUEUED,
        observe: Observe = unobserved,
        clock: LogClock | None = None,
        anchor: Path | None = None,
        ask_peers: AskPeers = nobody,
    ) -> None:
        self._database = database
        self._anchor = None if anchor is None else Anchor(anchor)
        self._ask_peers = ask_peers
        self._log_keys = LogKeys(*log_keys)
        self._publish_to = tuple(publish_to)
        self._fetch_timestamp = fetch_timestamp
        self._witnesses = tuple(witnesses)
        self._ask_witness = ask_over_http(own_ports)
        self._notifications = notifications or NotificationSettings()
        self._channels = open_channels(self._notifications, own_ports)
        self._queue_limit = queue_limit
        self._observe = observe
        self._clock = clock or LogClock()
        self._storage: Storage | None = None
        self._running: _Running | None = None

    def open(self) -> Storage:
        """Open the database, which ``start`` does where nobody has."""
        if self._storage is None:
            self._storage = Storage(self._database)
        return self._storage

    def start(self) -> None:
        """Open the database, and start the writer, the deadlines, the publishing and the fan-out; once."""
        if self._running is not None:
            return
        try:
            self._running = self._wire(self.open())
        except BaseException:
            self._close_storage()
            raise
        self.use_cases = self._running.use_cases
        self.notifier = self._running.notifier
        self._running.start()

    @property
    def log_keys(self) -> LogKeys:
        """What signs the log."""
        return self._log_keys

    @property
    def live(self) -> Live:
        """New entries as they come, once started."""
        assert self._running is not None  # noqa: S101 - it is started
        return self._running.live

    def lost(self) -> list[str]:
        """Name the threads that have ended although nobody closed them: without them it is of little use."""
        return self._running.lost() if self._running else []

    def rewound(self) -> bool:
        """Whether nothing is written, because the log has lost entries."""
        return self._running is not None and self._running.high_water.rewound is not None

    def readings(
        self,
        *,
        present: Callable[[], Collection[str]],
        calls: Callable[[], int],
        expiries: Callable[[], Mapping[str, datetime]],
        parts: Callable[[], Sequence[Observation]],
    ) -> Readings:
        """Return what is read for Prometheus, once started; its API adds what only it knows."""
        assert self._running is not None  # noqa: S101 - it is started
        return self._running.readings(present=present, calls=calls, expiries=expiries, parts=parts)

    def close(self) -> None:
        """Take no more commands, finish those that were taken, and stop; safe to call twice."""
        running, self._running = self._running, None
        if running is not None:
            running.close()
        self._close_storage()

    def _close_storage(self) -> None:
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.close()

    def _wire(self, storage: Storage) -> "_Running":
        policies = Policies(storage)
        live = Live(storage)
        high_water = HighWater(
            storage, self._log_keys, lambda: policies.newest.policy.log, anchor=self._anchor
        )
        high_water.begin()
        newest = storage.log.checkpoint()
        for peer, note in self._ask_peers(b"" if newest is None else newest.note):
            high_water.show(note, by=peer)
        reader = LogReader(storage, policies)
        told = self._notifications
        notifying = Notifying(
            storage,
            self._channels,
            told.routes,
            clock=self._clock,
            base_url=told.base_url,
            most_attempts=told.attempts,
            observe=self._observe,
            heard=Heard(delivered=lambda notice, route, _: record_delivery(writer, notice, route)),
        )
        notifier = Notifier(storage, told.routes, clock=self._clock, wake=notifying.wake)
        destinations = [Directory(path) for path in self._publish_to]
        stamping = Stamping(
            storage, reader, policies, self._fetch_timestamp, clock=self._clock, observe=self._observe
        )
        publishing = Publishing(
            storage,
            reader,
            policies,
            destinations,
            clock=self._clock,
            notifier=notifier,
            stamping=stamping,
        )
        cosigning = Cosigning(
            storage,
            policies,
            high_water,
            clock=self._clock,
            woken=publishing.thread.wake,
            observe=self._observe,
        )
        outside = tuple(
            OutsideWitness(
                each, storage, reader, policies, cosigning, self._ask_witness, clock=self._clock
            ).thread
            for each in self._witnesses
        )
        status = StatusFile(storage, reader, policies, self._log_keys, clock=self._clock)
        writer = Writer(
            storage,
            self._log_keys,
            clock=self._clock,
            live=live,
            policies=policies,
            high_water=high_water,
            destinations=[destination.name for destination in destinations],
            routes=told.routes,
            approved=publishing.thread.wake,
            told=notifying.wake,
            observe=self._observe,
            most_queued=self._queue_limit,
        )
        return _Running(
            storage=storage,
            live=live,
            writer=writer,
            deadlines=Deadlines(storage, writer, clock=self._clock),
            sweeping=Sweeping(storage, clock=self._clock),
            publishing=publishing,
            cosigning=cosigning,
            outside=outside,
            notifying=notifying,
            notifier=notifier,
            reader=reader,
            status=status,
            keeping=StatusKeeping(status, destinations, clock=self._clock),
            reminding=Reminding(storage, told.routes, status, clock=self._clock, told=notifying.wake),
            ending=Ending(storage, told.routes, clock=self._clock, told=notifying.wake),
            policies=policies,
            clock=self._clock,
            queue_limit=self._queue_limit,
            log_keys=self._log_keys,
            high_water=high_water,
        )


class _Running:
    """What is closed in the order opposite to that in which it was started."""

    def __init__(
        self,
        *,
        storage: Storage,
        live: Live,
        writer: Writer,
        deadlines: Deadlines,
        sweeping: Sweeping,
        publishing: Publishing,
        cosigning: Cosigning,
        outside: Sequence[Steady],
        notifying: Notifying,
        notifier: Notifier,
        reader: LogReader,
        status: StatusFile,
        keeping: StatusKeeping,
        reminding: Reminding,
        ending: Ending,
        policies: Policies,
        clock: LogClock,
        queue_limit: int,
        log_keys: LogKeys,
        high_water: HighWater,
    ) -> None:
        self.high_water = high_water
        self._keeping = keeping
        self._reminding = reminding
        self._ending = ending
        self._status = status
        self._policies = policies
        self._clock = clock
        self._queue_limit = queue_limit
        self._storage = storage
        self.live = live
        self._writer = writer
        self._deadlines = deadlines
        self._sweeping = sweeping
        self._publishing = publishing
        self._outside = tuple(outside)
        self._notifying = notifying
        self.notifier = notifier
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="reading")
        self._listening = Steady("listening", live.listen)
        self._looking = Steady("high water", self._look)
        for waiting in (*self._acting, *notifying.threads):
            waiting.only_while(lambda: high_water.rewound is None)
        self.use_cases = UseCases(
            storage=storage,
            policies=policies,
            log_keys=log_keys,
            writer=writer,
            live=live,
            reader=reader,
            status=status,
            publishing=publishing,
            nudging=Nudging(storage, notifier, clock=clock),
            cosigning=cosigning,
            clock=clock,
            reading=self._reading,
            high_water=high_water,
            handing_back=HandingBack(storage, high_water, now=clock.now),
        )

    def start(self) -> None:
        self._writer.start()
        self._listening.start()
        self._looking.start()
        for thread in self._acting:
            thread.start()
        self._notifying.start()

    @property
    def _acting(self) -> tuple[Steady, ...]:
        """Those that do something by themselves; a rewound log lets none of them."""
        return (
            self._deadlines.thread,
            self._sweeping.thread,
            self._publishing.thread,
            self._keeping.thread,
            self._reminding.thread,
            self._ending.thread,
            *self._outside,
        )

    def _look(self) -> float:
        """See what other coordinators and a recovery find out."""
        before = self.high_water.rewound
        self.high_water.look()
        if before is not None and self.high_water.rewound is None:
            self._policies.reload()
            self.live.catch_up()
        return _LOOK_EVERY

    def readings(
        self,
        *,
        present: Callable[[], Collection[str]],
        calls: Callable[[], int],
        expiries: Callable[[], Mapping[str, datetime]],
        parts: Callable[[], Sequence[Observation]],
    ) -> Readings:
        process = Process(
            present=present,
            calls=calls,
            queued=lambda: self._writer.queued,
            queue_limit=self._queue_limit,
            lost=self.lost,
            expiries=expiries,
            rewound=lambda: self.high_water.rewound is not None,
            parts=parts,
        )
        return Readings(self._storage, self._policies, self._status, process, now=self._clock.now)

    def lost(self) -> list[str]:
        threads: list[Writer | Steady] = [self._writer, self._listening, self._looking]
        threads += [*self._acting, *self._notifying.threads]
        return [thread.name for thread in threads if not thread.alive]

    def close(self) -> None:
        self.live.close()
        self._listening.close()
        self._looking.close()
        for thread in self._acting:
            thread.close()
        self._writer.close()
        self._notifying.close()
        self._reading.shutdown()
