# SPDX-License-Identifier: Apache-2.0
"""How well the rule works, counted beside everything else: in a process of its own that gives way to others.

The log of a period is replayed for it, which takes seconds.  Nobody waits: a page shows what was counted
last, and says of which log that was.
"""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coordinator.policies import FollowedPolicies
from coordinator.storage import EntryRow, Storage, Wanted
from quorumseal.audit.effectiveness import Measure, measures
from quorumseal.audit.pictures import svg
from quorumseal.audit.population import Audited, Period, PlacedEntry, Population
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.verifier.part import open_log_checkpoint

DAYS: Final = 90
MOST: Final = 1000
_AT_ONCE: Final = 200
_AGAIN_AFTER: Final = timedelta(minutes=1)
_GIVES_WAY: Final = 15
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted, of which log, over which time."""

    size: int
    at: datetime
    since: datetime
    ceremonies: int
    all: bool
    """Whether every ceremony of the last days is in it, or only the newest."""
    measures: tuple[tuple[Measure, str], ...]
    """Each with its picture."""


class Measuring:
    """Keeps the newest count, and has another made when the log is longer; at most one at a time."""

    def __init__(
        self,
        database: str,
        now: Callable[[], datetime],
        start: Callable[[str, datetime], "Future[Measured]"] | None = None,
    ) -> None:
        self._database = database
        self._now = now
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._start = start or self._elsewhere
        self._newest: Measured | None = None
        self._begun: datetime | None = None
        self._running = False

    def newest(self, size: int) -> Measured | None:
        """Return the newest count, whatever log it is of; none before the first."""
        with self._lock:
            if not self._running and self._is_due(size):
                self._running, self._begun = True, self._now()
                self._start(self._database, self._begun).add_done_callback(self._take)
            return self._newest

    def close(self) -> None:
        """Count no more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():  # nobody waits for what it counts
                child.terminate()

    def _is_due(self, size: int) -> bool:
        if self._begun is None:
            return True
        older = self._newest is None or self._newest.size != size
        return older and self._now() - self._begun >= _AGAIN_AFTER

    def _elsewhere(self, database: str, at: datetime) -> "Future[Measured]":
        if self._pool is None:  # spawned, never forked: this process has threads
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, _give_way, max_tasks_per_child=1)
        return self._pool.submit(measure, database, at)

    def _take(self, done: "Future[Measured]") -> None:
        with self._lock:
            self._running = False
            if done.cancelled():
                return
            error = done.exception()
            if error is None:
                self._newest = done.result()
            else:
                _log.error("how well the rule works could not be counted: %s", error)


def _give_way() -> None:
    os.nice(_GIVES_WAY)


def measure(database: str, at: datetime, *, days: int = DAYS, most: int = MOST) -> Measured:
    """Replay the newest ceremonies of the last days, and count."""
    storage = Storage(database, make_tables=False)
    try:
        population, whole = _population(storage, at - timedelta(days=days), most)
    finally:
        storage.close()
    since = at - timedelta(days=days)
    if not whole and population.ceremonies:
        since = population.ceremonies[0].opened_at
    found = measures(population, Period(begin=since, end=at + timedelta(seconds=1)), at=at)
    return Measured(
        size=population.checkpoint.size,
        at=at,
        since=since,
        ceremonies=len(population.ceremonies),
        all=whole,
        measures=tuple((each, svg(each)) for each in found),
    )


def _population(storage: Storage, since: datetime, most: int) -> tuple[Population, bool]:
    policies = FollowedPolicies(storage)
    standing = [_logged(row) for row in storage.log.standing()]
    rows = storage.lists.page(Wanted(), limit=most + 1, within=most + 1).rows
    newer = [row for row in rows if row.opened_at >= since]
    ids = [row.ceremony for row in newer[:most]][::-1]
    newest = storage.log.checkpoint()
    assert newest is not None  # noqa: S101 - a log with a policy has one
    population = Population(
        checkpoint=open_log_checkpoint(newest.note, *(each.policy.log for each in reversed(policies.all))),
        policies=policies.all,
        begins=tuple(each.index for each in standing if each.entry.type is EntryType.POLICY),
        standing=policies.chain,
        standing_entries=tuple(standing),
        ceremonies=tuple(_audited(storage, policies, ids)),
    )
    return population, len(newer) <= most


def _audited(storage: Storage, policies: FollowedPolicies, ids: list[str]) -> Iterator[Audited]:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        chains = storage.log.chains(some)
        for ceremony in some:
            rows = chains[ceremony]
            chain = policies.replay(rows)
            pinned = chain.ceremony.request.statement.context.policy.digest
            entries = tuple(_logged(row) for row in rows)
            yield Audited(chain=chain, policy=policies.named(pinned), entries=entries)


def _logged(row: EntryRow) -> PlacedEntry:
    return PlacedEntry(row.index, read_entry(row.payload))
