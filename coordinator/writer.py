# SPDX-License-Identifier: Apache-2.0
"""The one writer: takes what is queued as a batch, decides, commits durably, and only then answers.

Several coordinators may write to one database.  Each batch follows the head that its coordinator knows, and
is written only if that is still the head; whoever loses that race reads what the others wrote and decides
again.  An error of the database costs one command, not its neighbours: they are written one by one.

The same thread first checks what was handed in.  With one of its own for that, two take turns at the
interpreter, and the batches that share a commit become small.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from coordinator.answering import Answer, Waiting, answer_all
from coordinator.batch import Batch
from coordinator.chains import Chains
from coordinator.clock import LogClock
from coordinator.commands import Act, Outcome, Stand, Start, WriterCommand
from coordinator.errors import BusyError, StorageFailedError
from coordinator.high_water import HighWater
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.metrics.catalogue import BATCH, COMMIT, RACES
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.milestones import milestones
from coordinator.notifying.routes import Routes
from coordinator.policies import Policies
from coordinator.projection import known, past_emergency
from coordinator.running_log import about
from coordinator.storage import LogHead, LostRaceError, Storage
from coordinator.unsealed import Ground
from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.fitting import Release
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import GOVERNED, Kind
from quorumseal.ceremony.standing_chain import StandingChain
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.succeeding import OTHER_KIND
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey

MOST_IN_BATCH = 256
MOST_QUEUED = 4096
_MOST_RACES = 64
_MOST_MISSED = 4096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Pending:
    check: Callable[[], WriterCommand]
    answer: Answer[Outcome]


class Writer:
    """A thread that owns the log's end."""

    name = "writer"

    def __init__(
        self,
        storage: Storage,
        log_keys: LogKeys,
        *,
        clock: LogClock,
        live: Live,
        policies: Policies,
        high_water: HighWater | None = None,
        destinations: Sequence[str] = (),
        routes: Routes | None = None,
        approved: Callable[[], None] = lambda: None,
        told: Callable[[], None] = lambda: None,
        observe: Observe = unobserved,
        elapsed: Callable[[], float] = time.monotonic,
        most_queued: int = MOST_QUEUED,
    ) -> None:
        self._storage = storage
        self._log_keys = log_keys
        self._clock = clock
        self._live = live
        self._policies = policies
        self._high_water = high_water or HighWater(storage, log_keys, lambda: policies.newest.policy.log)
        self._destinations = tuple(destinations)
        self._routes = routes or Routes()
        self._approved = approved
        self._told = told
        self._observe = observe
        self._elapsed = elapsed
        self._waiting: Waiting[_Pending] = Waiting(most_queued)
        self._head: LogHead | None = None
        self._chains = Chains()
        self._thread = threading.Thread(target=self._work, name=self.name)
        self._check_log_key()

    @property
    def queued(self) -> int:
        """How many commands wait."""
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, write what was taken, and stop."""
        self._waiting.close()
        if self._thread.ident is not None:
            self._thread.join()

    def submit(self, command: WriterCommand) -> "Future[Outcome]":
        """Queue a command; the future holds its outcome or its refusal."""
        answer: Future[Outcome] = Future()
        self._waiting.put(_Pending(lambda: command, answer))
        return answer

    async def run(self, check: Callable[[], WriterCommand]) -> Outcome:
        """Write the command that ``check`` returns, and wait for its outcome, which is durable then.

        A refusal that it raises is that of its own caller only.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Pending(check, answer))
        return await answer

    def _work(self) -> None:
        self._waiting.serve(self._serve, most=MOST_IN_BATCH)

    def _serve(self, asked: Sequence[_Pending]) -> None:
        commands: list[WriterCommand] = []
        answers: list[Answer[Outcome]] = []
        refused: list[tuple[Answer[Outcome], Outcome | Exception]] = []
        for pending in asked:
            try:
                commands.append(pending.check())
            except Exception as reason:  # a defect, too, is the answer of its own caller only
                refused.append((pending.answer, reason))
            else:
                answers.append(pending.answer)
        outcomes = self._write_all(commands) if commands else []
        answer_all([*refused, *zip(answers, outcomes, strict=True)])

    def _write_all(self, commands: Sequence[WriterCommand]) -> list[Outcome | Exception]:
        try:
            return self._write(commands)
        except Refusal as refusal:
            if not isinstance(refusal, StorageFailedError):
                return [refusal] * len(commands)
            self._forget()
            if len(commands) == 1:
                return [refusal]
            _log.warning(
                "a batch of %d commands failed, writing one by one: %s",
                len(commands),
                refusal,
                extra=about(reason=refusal),
            )
            return self._write_one_by_one(commands)
        except Exception as bug:
            _log.exception("a batch of %d commands failed", len(commands))
            self._forget()
            return [bug] * len(commands)

    def _write_one_by_one(self, commands: Sequence[WriterCommand]) -> list[Outcome | Exception]:
        outcomes: list[Outcome | Exception] = []
        for command in commands:
            try:
                self._head = self._head or self._load()
            except StorageFailedError as refusal:  # nobody is there to write to
                return outcomes + [refusal] * (len(commands) - len(outcomes))
            outcomes += self._write_all([command])
        return outcomes

    def _write(self, commands: Sequence[WriterCommand]) -> list[Outcome | Exception]:
        """Decide and commit until no other coordinator was faster."""
        if self._high_water.rewound is not None:
            self._forget()
        self._high_water.require_anchored()
        for _ in range(_MOST_RACES):
            head = self._head or self._load()
            policy = self._policies.newest
            batch = Batch(
                self._ground(commands, head), at=self._clock.entry_time(head.at, policy.policy.clock_skew)
            )
            for command in commands:
                batch.run(command)
            append, outcomes = batch.seal(self._signing_key(batch.standing, head))
            if append is None:
                # Refusals and repetitions too are only as good as the head that they were decided on.
                if self._storage.log.size() == head.size:
                    return outcomes
                self._catch_up(head)
                continue
            began = self._elapsed()
            try:
                self._storage.append(append)
            except LostRaceError:
                self._observe(Observation(RACES))
                self._catch_up(head)
                continue
            took = self._elapsed() - began
            self._head = append.after
            self._policies.keep(batch.standing)
            for ceremony, chain in batch.written.changed.items():
                self._chains.keep(ceremony, chain)
            self._chains.trim()
            self._live.publish(append.entries)
            if append.outbox:
                self._approved()
            if append.notices:
                self._told()
            for each in (
                Observation(COMMIT, took),
                Observation(BATCH, len(commands)),
                *batch.written.observations,
            ):
                self._observe(each)
            for milestone in milestones(batch.written.changed, append.entries):
                _log.log(milestone.level, milestone.said, extra=about(ceremony=milestone.ceremony))
            self._high_water.keep(append.checkpoints[-1])
            return outcomes
        raise BusyError(
            f"expected to append within {_MOST_RACES} attempts, got none: other coordinators were faster",
            hint="try again in a moment",
        )

    def _ground(self, commands: Sequence[WriterCommand], head: LogHead) -> Ground:
        """Fetch what the commands touch, in two queries whatever their number."""
        starts = [command.request.statement for command in commands if isinstance(command, Start)]
        acts = {command.ceremony for command in commands if isinstance(command, Act)}
        damaged = self._fetch([ceremony for ceremony in acts if self._chains.get(ceremony) is None])
        governed = [
            chain.ceremony.request.statement
            for ceremony in acts
            if (chain := self._chains.get(ceremony)) and chain.ceremony.request.statement.kind in GOVERNED
        ]
        names = {
            (request.product, request.version, str(kind))
            for request in (*starts, *governed)
            for kind in (request.kind, OTHER_KIND[request.kind])
        }
        earlier = self._storage.ceremonies.earlier(names) if names else {}
        releases = {release: [known(each) for each in those] for release, those in earlier.items()}
        emergencies = self._storage.ceremonies.emergencies() if any(s.emergency for s in starts) else []
        wanted = acts | {s.ceremony for s in starts}
        wanted |= {s.earlier.ceremony for s in starts if s.earlier}
        wanted |= {e.ceremony for those in releases.values() for e in those if e.state is State.OPEN}
        wanted |= {row.ceremony for row in emergencies if row.state == State.OPEN}
        wanted |= _revoked(starts, releases)
        if governed or any(isinstance(c, Stand) and c.touches_ceremonies for c in commands):
            wanted |= set(self._storage.ceremonies.open_ones())
        both_sides = {release for release in releases if Kind(release[2]) in GOVERNED}
        wanted |= {e.ceremony for side in both_sides for e in releases[side]}
        more = wanted - damaged.keys()
        damaged |= self._fetch([ceremony for ceremony in more if self._chains.get(ceremony) is None])
        chains = {ceremony: chain for ceremony in wanted if (chain := self._chains.get(ceremony))}
        self._chains.trim()  # what is refused, too, was fetched
        return Ground(
            head=head,
            chains=chains,
            releases=releases,
            standing=self._policies.chain,
            emergencies=[past_emergency(row) for row in emergencies],
            damaged=damaged,
            destinations=self._destinations,
            routes=self._routes,
        )

    def _fetch(self, ceremonies: Collection[str]) -> dict[str, Refusal]:
        """Replay ceremonies from the log; return those that do not replay."""
        damaged: dict[str, Refusal] = {}
        if not ceremonies:
            return damaged
        for ceremony, rows in self._storage.log.chains(ceremonies).items():
            try:
                self._chains.keep(ceremony, self._policies.replay(rows))
            except Refusal as refusal:
                _log.error(
                    "a ceremony does not replay: %s", refusal, extra=about(ceremony=ceremony, reason=refusal)
                )
                damaged[ceremony] = refusal
        return damaged

    def _load(self) -> LogHead:
        self._chains.clear()
        self._policies.reload()
        self._check_log_key()
        head = self._storage.log.head()
        self._high_water.check(head)
        self._head = head
        self._live.catch_up()
        return head

    def _catch_up(self, head: LogHead) -> None:
        """Take note of what others wrote: forget the chains that they moved."""
        newest = self._storage.log.head()
        self._high_water.check(newest)
        if newest.size - head.size > _MOST_MISSED:
            self._forget()
            return
        missed = self._storage.log.entries(head.size, newest.size)
        for row in missed:
            if row.ceremony is not None:
                self._chains.drop(row.ceremony)
        if any(row.ceremony is None for row in missed):
            self._policies.reload()
        self._head = newest
        self._live.catch_up()

    def _forget(self) -> None:
        """Believe nothing that is in memory: after an error it is not known what was stored."""
        self._head = None
        self._chains.clear()
        self._storage.forget_connections()

    def _check_log_key(self) -> None:
        self._log_keys.at(self._policies.newest.policy.log, self._storage.log.size() + 1)

    def _signing_key(self, standing: StandingChain, head: LogHead) -> PrivateKey:
        """Return the key of the newest policy, which the batch itself may have brought."""
        return self._log_keys.at(standing.policies[-1].policy.log, head.size + 1)


def _revoked(starts: Sequence[Request], releases: Mapping[Release, Sequence[Known]]) -> set[str]:
    """Return the ceremonies of the releases that are to be taken back."""
    digests = {s.subjects[0].digest for s in starts if s.kind is Kind.REVOCATION}
    return {each.ceremony for those in releases.values() for each in those if each.request in digests}
