# SPDX-License-Identifier: Apache-2.0
"""A thread that does one thing again and again, and goes on whatever went wrong."""

import logging
import threading
from collections.abc import Callable

from coordinator.running_log import about
from quorumseal.refusal import Refusal

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_log = logging.getLogger(__name__)


class Steady:
    """Calls ``work`` until closed; ``work`` returns for how many seconds there is nothing to do.

    What is refused is tried again after a moment.  After an error that nobody foresaw the pauses grow, and
    news does not cut them short.
    """

    def __init__(self, name: str, work: Callable[[], float]) -> None:
        self.name = name
        self._work = work
        self._may: Callable[[], bool] = lambda: True
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def only_while(self, may: Callable[[], bool]) -> None:
        """Do nothing where ``may`` says no."""
        self._may = may

    @property
    def stopping(self) -> bool:
        """Whether ``work`` should come to an end."""
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._news.set()

    def close(self) -> None:
        """Stop, and wait for the end of what is in progress."""
        self._stopping.set()
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        errors = 0
        while True:
            self._news.clear()
            if self.stopping:
                return
            try:
                pause = self._work() if self._may() else _FIRST_PAUSE
            except Refusal as refusal:
                _log.warning("%s waits: %s", self.name, refusal, extra=about(reason=refusal))
                self._news.wait(_FIRST_PAUSE)
            except Exception:
                pause = pause_after(errors)
                errors += 1
                _log.exception("unforeseen error in %s, which goes on in %.0f s", self.name, pause)
                self._stopping.wait(pause)
            else:
                errors = 0
                self._news.wait(pause)


def pause_after(errors: int) -> float:
    """Return for how many seconds to do nothing after one more error than these."""
    return float(min(_FIRST_PAUSE * 2 ** min(errors, 16), _LONGEST_PAUSE))
