# SPDX-License-Identifier: Apache-2.0
"""New entries for those who wait for them: a ring in memory, and wake-ups across threads and loops.

The ring is a window on the log's end.  Whoever asks for what lies before it reads the database instead.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from coordinator.storage import EntryRow, Storage

RING_ENTRIES = 8192
_MOST_AT_ONCE = 512
_PAUSE = 1.0


class Live:
    """The newest entries that are durable.  Any thread may call anything here."""

    def __init__(self, storage: Storage, *, capacity: int = RING_ENTRIES) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._ring: deque[EntryRow] = deque(maxlen=capacity)
        self._size = storage.log.size()
        self._closed = threading.Event()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def closed(self) -> bool:
        """Whether everybody who waits should leave."""
        return self._closed.is_set()

    @property
    def size(self) -> int:
        """How many entries are known to be in the log."""
        return self._size

    def publish(self, entries: Sequence[EntryRow]) -> None:
        """Take over entries that were just committed; fetch what another coordinator wrote before them."""
        with self._lock:
            if entries[0].index > self._size:
                self._fetch(entries[0].index)
            self._ring.extend(entry for entry in entries if entry.index >= self._size)
            self._size = max(self._size, entries[-1].index + 1)
        self._wake()

    def catch_up(self) -> None:
        """Fetch what others wrote."""
        end = self._storage.log.size()
        with self._lock:
            if end <= self._size:
                return
            self._fetch(end)
        self._wake()

    def after(self, index: int) -> list[EntryRow] | None:
        """Return some entries from an index on; None where the ring does not reach back that far."""
        with self._lock:
            if index >= self._size:
                return []
            first = self._size - len(self._ring)
            if index < first:
                return None
            start = index - first
            return [self._ring[i] for i in range(start, min(start + _MOST_AT_ONCE, len(self._ring)))]

    @contextmanager
    def waking(self) -> Iterator[asyncio.Event]:
        """Give an event of the running loop that is set whenever there is something new."""
        waiter = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._waiting.add(waiter)
        try:
            yield waiter[1]
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def listen(self) -> float:
        """Take over what other coordinators append, until ``close``; the work of a steady thread."""
        self._storage.listen(self.catch_up, self._closed)
        return _PAUSE

    def close(self) -> None:
        """Send everybody away."""
        self._closed.set()
        self._wake()

    def _fetch(self, end: int) -> None:
        """Read the end of what is missing into the ring; what does not fit stays in the database."""
        capacity = self._ring.maxlen or 0
        start = max(self._size, end - capacity)
        if start > self._size:
            self._ring.clear()
        self._ring.extend(self._storage.log.entries(start, end))
        self._size = end

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        loops = {loop for loop, _ in waiting}
        for loop in loops:
            events = [event for its, event in waiting if its is loop]
            try:
                loop.call_soon_threadsafe(_set_all, events)
            except RuntimeError:  # that loop has closed; its followers are gone with it
                continue


def _set_all(events: list[asyncio.Event]) -> None:
    for event in events:
        event.set()
