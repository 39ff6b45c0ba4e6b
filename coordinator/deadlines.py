# SPDX-License-Identifier: Apache-2.0
"""What time alone brings: a deadline that passes in silence, the end of an emergency's veto window.

Whoever asks afterwards finds the ceremony moved in any case (the rules see to it); this thread only puts it
on record when nobody asks.
"""

import logging
from concurrent.futures import Future
from datetime import timedelta

from coordinator.clock import LogClock
from coordinator.commands import Act, Outcome
from coordinator.running_log import about
from coordinator.steady import Steady
from coordinator.storage import Storage
from coordinator.writer import Writer
from quorumseal.ceremony.commands import Expire
from quorumseal.refusal import Refusal

_LONGEST_SLEEP = 1.0
_CLAIM = timedelta(seconds=10)
_MOST_AT_ONCE = 128
_log = logging.getLogger(__name__)


class Deadlines:
    """Looks in a thread of its own at the next deadline, and once a second for those that are new."""

    def __init__(self, storage: Storage, writer: Writer, *, clock: LogClock) -> None:
        self._storage = storage
        self._writer = writer
        self._clock = clock
        self.thread = Steady("deadlines", self._work)

    def expire_due(self) -> int:
        """Write the expiry of what is due now; return how many there were."""
        now = self._clock.now()
        first = self._storage.ceremonies.next_due()
        if first is None or first > now:
            return 0
        due = self._storage.ceremonies.claim_due(now, until=now + _CLAIM, limit=_MOST_AT_ONCE)
        answers = [self._writer.submit(Act(ceremony=ceremony, command=Expire())) for ceremony in due]
        return sum(map(_expired, due, answers))

    def _work(self) -> float:
        self.expire_due()
        first = self._storage.ceremonies.next_due()
        if first is None:
            return _LONGEST_SLEEP
        until = (first - self._clock.now()).total_seconds()
        # what is due and did not expire is somebody else's claim, or a clock's fault: no hurry
        return min(until, _LONGEST_SLEEP) if until > 0 else _LONGEST_SLEEP


def _expired(ceremony: str, answer: "Future[Outcome]") -> bool:
    try:
        answer.result()
    except Refusal as refusal:
        _log.warning("a ceremony did not expire: %s", refusal, extra=about(ceremony=ceremony, reason=refusal))
        return False
    except Exception as error:
        _log.error("a ceremony did not expire", exc_info=error, extra=about(ceremony=ceremony))
        return False
    return True
