# SPDX-License-Identifier: Apache-2.0
"""The one entry point for whoever has something to tell."""

from collections.abc import Callable, Iterable

from coordinator.clock import LogClock
from coordinator.notifying.notice import Notice
from coordinator.notifying.routes import Routes
from coordinator.storage import NoticeRow, Storage


class Notifier:
    """Puts notices on their way.  To tell the same twice does nothing the second time."""

    def __init__(
        self, storage: Storage, routes: Routes, *, clock: LogClock, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._storage = storage
        self._routes = routes
        self._clock = clock
        self.wake = wake
        """There is something on its way: for those who have stored rows in a transaction of their own."""

    @property
    def anybody(self) -> bool:
        """Whether anybody could be told anything."""
        return self._routes.anybody

    def tell(self, notices: Iterable[Notice]) -> None:
        """Store notices durably; they are delivered from then on."""
        rows = self.rows(notices)
        if rows:
            self._storage.notices.add(rows)
            self.wake()

    def rows(self, notices: Iterable[Notice]) -> list[NoticeRow]:
        """Return what a transaction of somebody else's has to store."""
        return self._routes.rows(notices, at=self._clock.now())
