# SPDX-License-Identifier: Apache-2.0
"""Work for pages: threads of its own, a bound on what waits, a bound on how long.

A page that took too long is given up by whoever asked; its thread is busy until the database answers, so
however many pages are asked for, no more than these threads ever read.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from coordinator.web.errors import PagesBusyError, PageTooSlowError

THREADS = 3
WAITING = 32
SECONDS = 10.0
_Answer = TypeVar("_Answer")


class Desk:
    """Where pages are made."""

    def __init__(self, *, threads: int = THREADS, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pages")
        self._room = threads + waiting
        self._seconds = seconds
        self._busy = 0

    async def make(self, work: Callable[[], _Answer]) -> _Answer:
        """Do it in a thread; refuse where too much waits already, or where it takes too long."""
        if self._busy >= self._room:
            raise PagesBusyError(f"expected at most {self._room} pages asked for at once, got more")
        self._busy += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        done.add_done_callback(self._left)
        try:
            return await asyncio.wait_for(asyncio.shield(done), self._seconds)
        except TimeoutError:
            raise PageTooSlowError(
                f"expected the page within {self._seconds:g} seconds, got none yet"
            ) from None

    def close(self) -> None:
        """Finish what has begun, begin nothing."""
        self._pool.shutdown(cancel_futures=True)

    def _left(self, done: asyncio.Future[_Answer]) -> None:
        self._busy -= 1
        if not done.cancelled():
            done.exception()  # whoever asked may have gone: then nobody else looks at it
