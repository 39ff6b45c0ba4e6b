# SPDX-License-Identifier: Apache-2.0
"""``status.json``: what was revoked and what has lapsed, signed anew every hour and whenever it changes."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coordinator.clock import LogClock
from coordinator.destinations import Destination
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.running_log import about
from coordinator.steady import Steady
from coordinator.storage import Storage
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Request
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from quorumseal.verifier.status import STATUS_NAME, Status, write_status

EVERY = timedelta(hours=1)
_PAUSE = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEmergencies:
    """What became of provisional emergencies: the requests of two sorts, and until when the rest can wait."""

    ratified: frozenset[str]
    lapsed: frozenset[str]
    waiting: tuple[datetime, ...] = ()
    """When each of the others lapses, the first one first."""


class StatusFile:
    """Makes the status as of now from the log; every call blocks, and belongs in a thread."""

    def __init__(
        self,
        storage: Storage,
        reader: LogReader,
        policies: Policies,
        log_keys: LogKeys,
        *,
        clock: LogClock,
    ) -> None:
        self._storage = storage
        self._reader = reader
        self._policies = policies
        self._log_keys = log_keys
        self._clock = clock

    def make(self) -> bytes:
        """Return the status, signed."""
        policy = self._policies.newest.policy
        status = Status(
            organisation=policy.organisation,
            log=policy.log.origin,
            at=self._clock.now(),
            revocations=tuple(
                self._reader.bundle(ceremony, stamped=False) for ceremony in self.revocations()
            ),
            policies=self._reader.versions() if policy.version > 1 else (),
            lapsed=self.lapsed(at=self._clock.now()),
            keys=self.keys(),
        )
        return write_status(status, self._log_keys.at(policy.log, self._storage.log.size()))

    def revocations(self) -> tuple[str, ...]:
        """Return the ceremonies that took back a release."""
        rows = self._storage.ceremonies.revocations()
        return tuple(row.ceremony for row in rows if row.state == State.APPROVED)

    def keys(self) -> tuple[tuple[Envelope, ...], ...]:
        """Return the envelopes that revoke keys."""
        revoked = self._policies.chain.standing.revoked
        return tuple(each.envelopes for _, each in sorted(revoked.items()))

    def lapsed(self, *, at: datetime) -> frozenset[str]:
        """Return the requests of the emergencies that nobody ratified in time."""
        return self.after_emergencies(at=at).lapsed

    def after_emergencies(self, *, at: datetime) -> "AfterEmergencies":
        """Return what became of the emergencies that nobody vetoed."""
        provisional = [
            row for row in self._storage.ceremonies.emergencies() if row.state == State.PROVISIONAL
        ]
        ratified = self.ratified({(row.product, row.version) for row in provisional})
        ends = {
            row.request: _ends(self._reader.request(row.ceremony))
            for row in provisional
            if row.request not in ratified
        }
        return AfterEmergencies(
            ratified=ratified,
            lapsed=frozenset(request for request, end in ends.items() if end <= at),
            waiting=tuple(sorted(end for end in ends.values() if end > at)),
        )

    def ratified(self, releases: Collection[tuple[str, str]]) -> frozenset[str]:
        """Return the requests of emergencies for some products and versions that were ratified."""
        names = {(product, version, str(Kind.RATIFICATION)) for product, version in releases}
        rows = self._storage.ceremonies.earlier(names) if names else {}
        approved = [e.row.ceremony for those in rows.values() for e in those if e.row.state == State.APPROVED]
        requests = (self._reader.request(ceremony) for ceremony in approved)
        return frozenset(request.ratified.request for request in requests if request.ratified)


class StatusKeeping:
    """Writes the status wherever bundles are published, in a thread of its own."""

    def __init__(self, status: StatusFile, destinations: Sequence[Destination], *, clock: LogClock) -> None:
        self._status = status
        self._destinations = tuple(destinations)
        self._clock = clock
        self._written: tuple[object, datetime] | None = None
        self.thread = Steady("status", self._work)

    def write_due(self) -> bool:
        """Write it where it is not what it should be, or too old; return whether it was written."""
        now = self._clock.now()
        content = self._status.revocations(), self._status.keys(), self._status.lapsed(at=now)
        if self._written is not None and self._written[0] == content and now - self._written[1] < EVERY:
            return False
        data = self._status.make()
        for destination in self._destinations:
            try:
                destination.renew(STATUS_NAME, data)
            except Refusal as refusal:
                _log.warning("%s was not renewed: %s", STATUS_NAME, refusal, extra=about(reason=refusal))
                return False
        self._written = content, now
        return True

    def _work(self) -> float:
        if self._destinations:
            self.write_due()
        return _PAUSE


def _ends(request: Request) -> datetime:
    assert request.emergency is not None  # noqa: S101 - nothing else is provisional
    return request.emergency.ratify_by
