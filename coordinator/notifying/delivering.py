# SPDX-License-Identifier: Apache-2.0
"""The threads that deliver: a few for each channel, so that a slow receiver holds nobody else."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from coordinator.clock import LogClock
from coordinator.metrics.observing import Observe, observations_of_failure, unobserved
from coordinator.notifying.backing_off import delivered, failed
from coordinator.notifying.channels import Channel, Message
from coordinator.notifying.notice import Notice, read_notice
from coordinator.notifying.routes import Route, Routes, row_of
from coordinator.running_log import about
from coordinator.steady import Steady
from coordinator.storage import DeliveryState, NoticeRow, Storage
from quorumseal.refusal import Refusal

MOST_ATTEMPTS = 12  # over half an hour or more
LONGEST_TIMEOUT = timedelta(seconds=30)
_AT_ONCE = 2  # deliveries over one channel
_CLAIMED_AT_ONCE = 4
_CLAIM = 2 * LONGEST_TIMEOUT  # whoever was killed while delivering is waited for so long
_LONGEST_SLEEP = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """Who hears what became of notices, with the route; told before it is on record here, perhaps twice.

    A delivery of which this raises counts as failed, and the notice is delivered again under its id.
    """

    delivered: Callable[[Notice, Route, datetime], None] = lambda *_: None
    failed: Callable[[Notice, Route, datetime], None] = lambda *_: None
    """One attempt, of which more may follow."""
    dead: Callable[[Notice, Route, datetime], None] = lambda *_: None


class Notifying:
    """Threads that empty the table of notices."""

    def __init__(
        self,
        storage: Storage,
        channels: Mapping[str, Channel],
        routes: Routes,
        *,
        clock: LogClock,
        base_url: str | None = None,
        most_attempts: int = MOST_ATTEMPTS,
        heard: Heard | None = None,
        observe: Observe = unobserved,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._storage = storage
        self._channels = dict(channels)
        self._routes = routes
        self._clock = clock
        self._base_url = base_url
        self._most_attempts = most_attempts
        self._heard = heard or Heard()
        self._observe = observe
        self._jitter = jitter
        self._stopping = False
        self.threads = [
            Steady(f"notifying {channel}", partial(self._work, channel))
            for channel in self._channels
            for _ in range(_AT_ONCE)
        ]

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        """Stop after what is being delivered; the rest is delivered after the next start."""
        self._stopping = True
        for thread in self.threads:
            thread.close()

    def wake(self) -> None:
        """There are new notices."""
        for thread in self.threads:
            thread.wake()

    def _closing(self) -> bool:
        return self._stopping

    def deliver_due(self, channel: str) -> int:
        """Try what is due on a channel; return how many attempts were made."""
        attempts = 0
        while not self._stopping:
            claimed_at = self._clock.now()
            rows = self._storage.notices.claim(
                channel, claimed_at, until=claimed_at + _CLAIM, limit=_CLAIMED_AT_ONCE
            )
            for row in rows:
                # what waited too long behind a slow one may be somebody else's before it is delivered
                if self._closing() or self._clock.now() > claimed_at + _CLAIM - LONGEST_TIMEOUT:
                    self._storage.notices.settle(row)
                    continue
                self._attempt(row)
                attempts += 1
            if not rows:
                break
        return attempts

    def _attempt(self, row: NoticeRow) -> None:
        """Deliver one notice, and store what became of it."""
        notice, route = read_notice(row.notice), Route(channel=row.channel, address=row.address)
        message = Message(notice=notice, base_url=self._base_url, instead_of=row.instead_of)
        try:
            self._channels[row.channel].deliver(message, row.address, at=self._clock.now())
            self._heard.delivered(notice, route, self._clock.now())
        except Exception as reason:
            if not isinstance(reason, Refusal):
                _log.exception(
                    "a notice over %s failed", row.channel, extra=about(ceremony=notice.about.ceremony)
                )
                reason = RuntimeError(type(reason).__name__)  # its text may be anything
            self._fail(row, notice, route, reason)
        else:
            self._storage.notices.settle(delivered(row))

    def _fail(self, row: NoticeRow, notice: Notice, route: Route, reason: Exception) -> None:
        at = self._clock.now()
        settled = failed(
            row,
            reason,
            at=at,
            jitter=self._jitter(),
            most=self._most_attempts,
            urgent=notice.type.urgent,
        )
        dead = settled.row.state is DeliveryState.DEAD
        for each in observations_of_failure(row.channel, urgent=notice.type.urgent):
            self._observe(each)
        (_log.error if dead else _log.warning)(
            "%s notice for %s over %s %s: %s",
            notice.type,
            notice.recipient,
            row.channel,
            "is given up" if dead else "waits",
            reason,
            extra=about(ceremony=notice.about.ceremony, reason=reason),
        )
        fallback = self._routes.fallback
        row_there = None
        if settled.fall_back and fallback is not None and fallback != route and not row.instead_of:
            row_there = row_of(notice, fallback, at=at, instead_of=str(route))
        tell = self._heard.dead if dead else self._heard.failed
        try:
            tell(notice, route, at)
        except Exception:
            _log.exception(
                "nobody could hear that a notice failed", extra=about(ceremony=notice.about.ceremony)
            )
        self._storage.notices.settle(settled.row, fallback=row_there)
        if row_there is not None:
            self.wake()

    def _work(self, channel: str) -> float:
        self.deliver_due(channel)
        return _LONGEST_SLEEP
