# SPDX-License-Identifier: Apache-2.0
"""The thread that hands entries on: from the cursor to the log's end, in batches, again and again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coordinator.metrics.catalogue import SIEM_FAILURES
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.running_log import about
from coordinator.siem.cursor import Cursor
from coordinator.siem.errors import CursorError
from coordinator.siem.line import line_of
from coordinator.siem.sinks import Sink
from coordinator.steady import Steady
from coordinator.storage import EntryRow, Storage
from quorumseal.refusal import Refusal
from quorumseal.tlog import hash_text, leaf_hash

MOST_AT_ONCE: Final = 64
LARGEST_BATCH: Final = 1 << 20
LOOK_SECONDS: Final = 0.25
LONGEST_PAUSE: Final = 30.0
REMIND_SECONDS: Final = 900.0
BLOCKED_SECONDS: Final = 60.0
"""After how long of taking nothing a sink is said to be blocked."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How the export is."""

    waiting: int
    """Entries that were not handed on."""
    blocked_seconds: float
    """For how long the sink has taken nothing of what waits."""

    @property
    def blocked(self) -> bool:
        """Whether somebody should look."""
        return self.blocked_seconds >= BLOCKED_SECONDS


class Exporting:
    """Hands on; it holds at most one batch, and reads the log like anybody else."""

    def __init__(
        self,
        storage: Storage,
        sink: Sink,
        cursor: Path,
        *,
        size: Callable[[], int],
        whose: tuple[str, str],
        elapsed: Callable[[], float],
        observe: Observe = unobserved,
    ) -> None:
        self._storage = storage
        self._sink = sink
        self._path = cursor
        self._size = size
        self._organisation, self._origin = whose
        self._elapsed = elapsed
        self._observe = observe
        self._cursor: Cursor | None = None
        self._failing: float | None = None
        self._failures = 0
        self._said: tuple[str, float] = ("", 0.0)
        self.thread = Steady("siem", self.work)

    def progress(self) -> Progress:
        """Say how it is; any thread may ask."""
        done = self._cursor.next if self._cursor is not None else 0
        failing = self._failing
        blocked = 0.0 if failing is None else self._elapsed() - failing
        return Progress(waiting=max(0, self._size() - done), blocked_seconds=blocked)

    def work(self) -> float:
        """Hand on one batch; return for how long to wait."""
        try:
            done = self._step()
        except Refusal as refusal:
            return self._failed(refusal)
        self._succeeded()
        return 0.0 if done else LOOK_SECONDS

    def close(self) -> None:
        """Hand on no more."""
        self.thread.close()
        self._sink.close()

    def _step(self) -> bool:
        """Hand on what there is, as much as fits a batch; say whether there was anything."""
        if self._cursor is None:
            self._cursor = self._begun(Cursor.load(self._path))
        rows = self._batch(self._cursor.next)
        if not rows:
            return False
        self._sink.take([line_of(row, organisation=self._organisation, log=self._origin) for row in rows])
        after = Cursor(next=rows[-1].index + 1, last=_hash(rows[-1]))
        after.save(self._path)
        self._cursor = after
        return True

    def _begun(self, cursor: Cursor) -> Cursor:
        """Return the cursor if it is about this log."""
        if cursor.next > self._size():
            raise CursorError(
                f"expected a log of {cursor.next} entries or more, as many as were handed on, "
                f"got {self._size()}",
                hint="the database is older than the export: recover the log",
            )
        if cursor.next:
            (last,) = self._storage.log.entries(cursor.next - 1, cursor.next)
            if _hash(last) != cursor.last:
                raise CursorError(
                    f"expected entry {last.index} to be the one that was handed on, got another",
                    hint="this is another log: keep both, and compare checkpoints with an agent",
                )
        return cursor

    def _batch(self, first: int) -> list[EntryRow]:
        rows = self._storage.log.entries(first, min(self._size(), first + MOST_AT_ONCE))
        size = 0
        for count, row in enumerate(rows):
            size += len(row.payload)
            if count and size > LARGEST_BATCH:
                return rows[:count]
        return rows

    def _failed(self, refusal: Refusal) -> float:
        now = self._elapsed()
        if self._failing is None:
            self._failing = now
        self._failures += 1
        self._observe(Observation(SIEM_FAILURES))
        said, at = self._said
        if said != str(refusal) or now - at >= REMIND_SECONDS:
            waiting = self.progress().waiting
            _log.warning("%d entries wait for the SIEM: %s", waiting, refusal, extra=about(reason=refusal))
            self._said = (str(refusal), now)
        return min(LONGEST_PAUSE, float(1 << min(self._failures, 10)) / 2)

    def _succeeded(self) -> None:
        if self._failing is not None:
            _log.info("the SIEM takes entries again after %.0f s", self._elapsed() - self._failing)
        self._failing, self._failures, self._said = None, 0, ("", 0.0)


def _hash(row: EntryRow) -> str:
    return hash_text(leaf_hash(row.payload))
