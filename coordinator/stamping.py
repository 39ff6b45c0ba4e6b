# SPDX-License-Identifier: Apache-2.0
"""Let an authority say by when a ceremony had concluded: a timestamp of the checkpoint of its conclusion.

It is asked in the publishing thread, never by the writer: an authority out of reach delays a publication by a
minute at most, and stops no ceremony.  Whatever it did not stamp then, it is asked for again later.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from coordinator.clock import LogClock
from coordinator.errors import TimestampAwaitedError
from coordinator.metrics.catalogue import TIMESTAMP_FAILURES
from coordinator.metrics.observing import Observation, Observe
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.running_log import about
from coordinator.storage import Storage, TimestampRow
from quorumseal.refusal import Refusal
from quorumseal.signatures import Authority, Timestamp

PATIENCE = timedelta(minutes=1)
"""How long after a conclusion a publication waits for its timestamp."""
LATEST = timedelta(days=7)
"""How long after a conclusion it is asked for again."""
_AGAIN = timedelta(minutes=5)
_log = logging.getLogger(__name__)

Fetch = Callable[[bytes, Sequence[Authority]], Timestamp]


class Stamping:
    """Gets the timestamps of conclusions and keeps them; does nothing where nobody is to be asked."""

    def __init__(
        self,
        storage: Storage,
        reader: LogReader,
        policies: Policies,
        fetch: Fetch | None,
        *,
        clock: LogClock,
        observe: Observe,
    ) -> None:
        self._storage = storage
        self._reader = reader
        self._policies = policies
        self._fetch = fetch
        self._clock = clock
        self._observe = observe
        self._again: dict[str, datetime] = {}

    def before_publishing(self, ceremony: str) -> None:
        """Stamp a conclusion; while it is fresh, refuse to go on without."""
        concluded = self._storage.timestamps.unstamped(ceremony)
        if self._fetch is None or concluded is None or not self._authorities(ceremony):
            return
        if self._clock.now() - concluded < PATIENCE:
            try:
                self._stamp(ceremony, self._fetch)
            except Refusal as reason:
                raise TimestampAwaitedError(
                    f"expected a timestamp before publishing, got none: {reason}"
                ) from reason

    def stamp_due(self) -> None:
        """Ask again for what was published without."""
        if self._fetch is None:
            return
        now = self._clock.now()
        fresh, old = now - PATIENCE, now - LATEST
        for ceremony in self._storage.timestamps.missing(since=old, until=fresh):
            if self._again.get(ceremony, now) > now or not self._authorities(ceremony):
                continue
            self._again[ceremony] = now + _AGAIN
            try:
                self._stamp(ceremony, self._fetch)
            except Refusal:
                return  # told already; the others would fare no better
            del self._again[ceremony]

    def _authorities(self, ceremony: str) -> tuple[Authority, ...]:
        named = self._reader.request(ceremony).context.policy.digest
        return self._policies.named(named).policy.timestamping

    def _stamp(self, ceremony: str, fetch: Fetch) -> None:
        note = self._reader.conclusion(ceremony)
        try:
            timestamp = fetch(note, self._authorities(ceremony))
        except Refusal as reason:
            self._observe(Observation(TIMESTAMP_FAILURES))
            _log.warning(
                "no timestamp of a conclusion: %s", reason, extra=about(ceremony=ceremony, reason=reason)
            )
            raise
        self._storage.timestamps.keep(
            TimestampRow(ceremony=ceremony, authority=timestamp.authority, token=timestamp.token)
        )
