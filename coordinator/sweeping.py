# SPDX-License-Identifier: Apache-2.0
"""Evidence that no request named in time goes."""

import logging

from coordinator.clock import LogClock
from coordinator.steady import Steady
from coordinator.storage import Storage

_PAUSE = 600.0
_log = logging.getLogger(__name__)


class Sweeping:
    """Looks every ten minutes; several coordinators may, since each file goes once."""

    def __init__(self, storage: Storage, *, clock: LogClock) -> None:
        self._storage = storage
        self._clock = clock
        self.thread = Steady("sweeping", self.sweep)

    def sweep(self) -> float:
        """Remove what is over; return for how many seconds there is nothing to do."""
        gone = self._storage.evidence.sweep(self._clock.now())
        if gone:
            _log.info("removed %d files of evidence that no request named", gone)
        return _PAUSE
