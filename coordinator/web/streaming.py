# SPDX-License-Identifier: Apache-2.0
"""Server-sent events that say only that something is new; a page that is loaded again shows what."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from coordinator.live import Live
from coordinator.web.errors import PagesBusyError

MOST: Final = 128
MOST_EACH: Final = 12
SECONDS: Final = 900.0
"""After that a browser asks again, and is looked at again."""
BEAT: Final = 15.0


class Streams:
    """Everybody who listens."""

    def __init__(
        self,
        live: Live,
        *,
        most: int = MOST,
        each: int = MOST_EACH,
        seconds: float = SECONDS,
        beat: float = BEAT,
    ) -> None:
        self._live = live
        self._most = most
        self._each = each
        self._seconds = seconds
        self._beat = beat
        self._listening: Counter[str] = Counter()

    def require_room(self, who: str) -> None:
        """Refuse one more listener where there are enough, of this person or of all."""
        if self._listening.total() >= self._most or self._listening[who] >= self._each:
            raise PagesBusyError(
                f"expected at most {self._each} live pages of {who}, and {self._most} of all, got more",
                hint="close some of them; the others are as new as they were loaded",
            )

    async def listen(self, who: str, ceremony: str = "") -> AsyncGenerator[bytes, None]:
        """Yield an event for what is there, and one whenever there is more of a ceremony, or of all."""
        self._listening[who] += 1
        loop = asyncio.get_running_loop()
        until = loop.time() + self._seconds
        cursor = self._live.size
        try:
            yield _event(cursor)
            with self._live.waking() as news:
                while not self._live.closed and loop.time() < until:
                    cursor, concerned = self._after(cursor, ceremony)
                    if concerned:
                        yield _event(cursor)
                    if cursor < self._live.size:
                        continue
                    with suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), self._beat)
                        news.clear()
                        continue
                    yield b": still here\n\n"
        finally:
            self._listening[who] -= 1
            self._listening += Counter()  # forgets who listens no more

    def _after(self, cursor: int, ceremony: str) -> tuple[int, bool]:
        rows = self._live.after(cursor)
        if rows is None:  # too much at once to tell what it was about
            return self._live.size, True
        end = rows[-1].index + 1 if rows else cursor
        return end, any(not ceremony or row.ceremony == ceremony for row in rows)


def _event(size: int) -> bytes:
    return b"event: news\ndata: %d\n\n" % size
