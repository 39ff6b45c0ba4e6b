# SPDX-License-Identifier: Apache-2.0
"""From what met its quorum to a bundle at each destination: at least once, and only what verifies."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from coordinator.clock import LogClock
from coordinator.destinations import Destination
from coordinator.errors import BundleError, NotPublishableError
from coordinator.notifying.notifier import Notifier
from coordinator.notifying.telling import notices_of_publication
from coordinator.outbox import due
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.running_log import about
from coordinator.stamping import Stamping
from coordinator.steady import Steady
from coordinator.storage import OutboxRow, Storage
from coordinator.values import Publication, PublicationState
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.statements import Mode, Request
from quorumseal.refusal import Refusal
from quorumseal.verifier.bundle import bundle_name
from quorumseal.verifier.errors import CosignaturesMissingError
from quorumseal.verifier.published import judge_published
from quorumseal.verifier.trust import Trust

_CLAIM = timedelta(seconds=10)  # whoever was killed while publishing is waited for so long
_FIRST_DELAY, _LONGEST_DELAY = timedelta(seconds=1), timedelta(minutes=5)
_AWAIT = timedelta(seconds=15)  # where nobody says that a cosignature came
_LONGEST_SLEEP = 1.0
_log = logging.getLogger(__name__)


class Publishing:
    """Empties the outbox, in a thread of its own and when it is asked to."""

    def __init__(
        self,
        storage: Storage,
        reader: LogReader,
        policies: Policies,
        destinations: Sequence[Destination],
        *,
        clock: LogClock,
        notifier: Notifier,
        stamping: Stamping | None = None,
    ) -> None:
        self._storage = storage
        self._reader = reader
        self._policies = policies
        self._destinations = {destination.name: destination for destination in destinations}
        self._clock = clock
        self._notifier = notifier
        self._stamping = stamping
        self.thread = Steady("publishing", self._work)
        """What is unpublished when it is closed is published after the next start."""

    def publish_due(self, ceremony: str = "") -> int:
        """Try everything that is due, or what is due of one ceremony; return how many attempts were made."""
        attempts = 0
        while not self.thread.stopping:
            now = self._clock.now()
            rows = self._storage.outbox.claim(
                self._destinations.keys(), now, until=now + _CLAIM, ceremony=ceremony
            )
            for row in rows:
                self._settle(self._attempt(row))
            attempts += len(rows)
            if not rows:
                break
        return attempts

    def publish_now(self, ceremony: str) -> tuple[Publication, ...]:
        """Try at once wherever a bundle is not yet, and say how it went."""
        self._reader.bundle(ceremony)  # refuses what has none
        if not self._destinations:
            raise NotPublishableError(
                "expected at least one destination to publish to, got none",
                hint="add [publish] directories to the coordinator's settings, or fetch the bundle",
            )
        now = self._clock.now()
        self._storage.outbox.ask_again(
            [due(ceremony, destination, at=now) for destination in self._destinations]
        )
        self.publish_due(ceremony)
        return self._reader.publications(ceremony)

    def _settle(self, row: OutboxRow) -> None:
        """Store what became of an attempt together with what its requester is told of it."""
        notices = []
        if self._notifier.anybody:
            with suppress(Refusal):  # of a ceremony that cannot be read: whom to tell is not known then
                request = self._reader.request(row.ceremony)
                notices = self._notifier.rows(notices_of_publication(request, row, at=self._clock.now()))
        self._storage.outbox.settle(row, notices)
        if notices:
            self._notifier.wake()

    def _attempt(self, row: OutboxRow) -> OutboxRow:
        """Return the row as it stands after one attempt."""
        attempts = row.attempts + 1
        try:
            where = self._publish(row)
        except CosignaturesMissingError as waits:
            return replace(
                row,
                state=PublicationState.AWAITING_WITNESSES,
                detail=_waited_for(waits, self._policies.newest.policy),
                due_at=self._clock.now() + _AWAIT,
            )
        except Exception as reason:
            delay = min(_FIRST_DELAY * 2 ** min(row.attempts, 16), _LONGEST_DELAY)
            return replace(
                row,
                state=PublicationState.FAILED,
                detail=f"{_told(reason, row)} (attempt {attempts})",
                attempts=attempts,
                due_at=self._clock.now() + delay,
            )
        return replace(row, state=PublicationState.PUBLISHED, detail=where, attempts=attempts)

    def _publish(self, row: OutboxRow) -> str:
        if self._stamping:
            self._stamping.before_publishing(row.ceremony)
        data, request = self._reader.bundle(row.ceremony), self._reader.request(row.ceremony)
        self._check(data, request)
        name = bundle_name(
            request.product,
            request.version,
            request.kind,
            provisional=row.ceremony if request.mode is Mode.BREAK_GLASS else "",
            number=self._reader.reapproval_number(request),
        )
        return self._destinations[row.destination].publish(name, data)

    def _check(self, data: bytes, request: Request) -> None:
        """Judge the bundle as a consumer would, before there is anything to take back."""
        first = self._policies.all[0]
        trust = Trust(organisation=first.policy.organisation, policy=first.digest, minimum_version=1)
        try:
            judge_published(data, request, trust, now=self._clock.now())
        except CosignaturesMissingError:
            raise  # it waits
        except Refusal as refusal:
            raise BundleError(
                f"expected a bundle that verifies, got one that does not ({refusal.code}: {refusal})",
                hint="it is not published; the log and this program disagree about the ceremony",
            ) from refusal

    def _work(self) -> float:
        self.publish_due()
        if self._stamping:
            self._stamping.stamp_due()
        return _LONGEST_SLEEP


def _waited_for(waits: CosignaturesMissingError, newest: Policy) -> str:
    """Return which witnesses are missing, and whether they can still come."""
    told = f"{waits.got} of {waits.asked} cosignatures; missing: {', '.join(waits.missing)}"
    listed = {each.name for each in newest.witnesses}
    if waits.got + len(listed.intersection(waits.missing)) >= waits.asked:
        return told
    return (
        f"{told}; too few of them are witnesses of policy version {newest.version}: approve the release anew "
        "under it (`quorumseal release re-approve`)"
    )


def _told(reason: Exception, row: OutboxRow) -> str:
    """Return what callers read about a failure, and tell the operator more."""
    where = about(ceremony=row.ceremony, reason=reason)
    if isinstance(reason, Refusal):
        _log.warning("publishing to %s failed: %s", row.destination, reason, extra=where)
        return str(reason)
    _log.error("publishing to %s failed", row.destination, exc_info=reason, extra=where)
    return f"unforeseen error ({type(reason).__name__}); the coordinator's log says more"
