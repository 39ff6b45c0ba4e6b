# SPDX-License-Identifier: Apache-2.0
"""The log's clock: never back, and not ahead of what has really passed.

A decision is late or on time by the time of its entry, so a clock that jumps must not write entries.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from coordinator.errors import ReadOnlyError
from quorumseal.ceremony.values import instant_text, whole_milliseconds


def wall_clock() -> datetime:
    """Return what this machine says the time is."""
    return datetime.now(UTC)


def elapsed_clock() -> float:
    """Return seconds that nobody can set, counting those in which the machine slept where it can."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class LogClock:
    """Gives entries their time, or turns read-only.  Entries are the writer's thread's alone."""

    def __init__(
        self, now: Callable[[], datetime] = wall_clock, elapsed: Callable[[], float] = elapsed_clock
    ) -> None:
        self._now = now
        self._elapsed = elapsed
        self._trusted: tuple[datetime, float] | None = None
        self._jumped: ReadOnlyError | None = None

    def now(self) -> datetime:
        """Return this machine's time, in whole milliseconds."""
        return whole_milliseconds(self._now())

    def entry_time(self, head: datetime, skew: timedelta) -> datetime:
        """Return the time of an entry that follows one of time ``head``: the later of it and now."""
        now = self.now()
        self._check_jump(now, skew)
        if now < head - skew:
            raise ReadOnlyError(
                f"expected a clock at or after the log's newest entry ({instant_text(head)}), "
                f"got {instant_text(now)}",
                hint="set the coordinator's clock; it writes again as soon as that is right",
            )
        return max(head, now)

    def runs_ahead(self, skew: timedelta) -> bool:
        """Whether it says more than has passed since the first entry; any thread may ask."""
        jumped, trusted = self._jumped, self._trusted
        if jumped is not None or trusted is None:
            return jumped is not None
        started, from_elapsed = trusted
        return self.now() > started + timedelta(seconds=self._elapsed() - from_elapsed) + skew

    def _check_jump(self, now: datetime, skew: timedelta) -> None:
        if self._jumped is not None:
            raise self._jumped
        elapsed = self._elapsed()
        if self._trusted is None:
            self._trusted = (now, elapsed)
            return
        started, from_elapsed = self._trusted
        due = started + timedelta(seconds=elapsed - from_elapsed)
        if now > due + skew:
            self._jumped = ReadOnlyError(
                f"expected the clock to say {instant_text(due)} after the time that passed, "
                f"got {instant_text(now)}",
                hint="see who set the clock; the coordinator writes again after a restart",
            )
            raise self._jumped
