# SPDX-License-Identifier: Apache-2.0
"""People are reminded of what waits for them: at the marks that the rules name, each once.

The rules say what is due (``ceremony.reminding``, ``ceremony.aftermath``); this thread wakes them.  What it
finds is stored with its marks in one transaction, so neither a restart nor a second coordinator loses or
doubles any of it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from coordinator.clock import LogClock
from coordinator.notifying.alarming import notices_of_aftermath
from coordinator.notifying.notice import Notice
from coordinator.notifying.reminding import notice_of_reminder
from coordinator.notifying.routes import Routes
from coordinator.policies import FollowedPolicies
from coordinator.running_log import about
from coordinator.status import StatusFile
from coordinator.steady import Steady
from coordinator.storage import Alarm, Storage, Telling
from quorumseal.ceremony.aftermath import aftermath, next_aftermath
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.reminding import due, next_reminder
from quorumseal.refusal import Refusal

SETTLING = timedelta(seconds=5)
"""Nobody is reminded of what they just heard: a ceremony that moves is looked at after a moment."""
_LONGEST_SLEEP = 1.0
_CLAIM = timedelta(seconds=30)
_DAMAGED = timedelta(hours=1)
_MOST_AT_ONCE = 16
_log = logging.getLogger(__name__)


class Reminding:
    """Looks in a thread of its own once a second at what has become due."""

    def __init__(
        self,
        storage: Storage,
        routes: Routes,
        status: StatusFile,
        *,
        clock: LogClock,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._storage = storage
        self._routes = routes
        self._status = status
        self._clock = clock
        self._told = told
        self._policies = FollowedPolicies(storage)
        self.thread = Steady("reminders", self._work)

    def remind_due(self) -> int:
        """Put on its way what is due now; return how many marks there were."""
        if not self._routes.anybody or self._clock.runs_ahead(self._policies.newest.policy.clock_skew):
            return 0  # nobody is told that something has lapsed because somebody set a clock
        told = 0
        while self._storage.reminders.set_alarms(self._clock.now() + SETTLING):
            pass
        while not self.thread.stopping and (claimed := self._claim(at := self._clock.now())):
            chains = self._storage.log.chains([alarm.ceremony for alarm in claimed])
            self._policies.catch_up()
            for alarm in claimed:
                try:
                    chain = self._policies.replay(chains[alarm.ceremony])
                except Refusal as refusal:
                    _log.error(
                        "a ceremony reminds nobody: %s",
                        refusal,
                        extra=about(ceremony=alarm.ceremony, reason=refusal),
                    )
                    self._storage.reminders.settle(alarm, (), at=at, again=at + _DAMAGED)
                else:
                    told += self._look(alarm, chain.ceremony, at)
        if told:
            self._told()
        return told

    def _claim(self, at: datetime) -> list[Alarm]:
        first = self._storage.reminders.next_alarm()
        if first is None or first > at:
            return []
        return self._storage.reminders.claim(at, until=at + _CLAIM, limit=_MOST_AT_ONCE)

    def _look(self, alarm: Alarm, ceremony: Ceremony, at: datetime) -> int:
        """Tell what is due about a ceremony, and set its next alarm."""
        if ceremony.state is State.PROVISIONAL:
            notices, again = self._afterwards(ceremony, at)
        else:
            standing = self._policies.chain.standing
            notices = [notice_of_reminder(ceremony, each, at=at) for each in due(ceremony, standing, at=at)]
            again = next_reminder(ceremony, standing, at=at)
        told = [
            Telling(mark=each.cause, person=each.recipient, notices=self._routes.rows([each], at=at))
            for each in notices
        ]
        return self._storage.reminders.settle(alarm, told, at=at, again=again)

    def _afterwards(self, ceremony: Ceremony, at: datetime) -> tuple[list[Notice], datetime | None]:
        request = ceremony.request
        release = request.statement.product, request.statement.version
        ratified = request.digest in self._status.ratified([release])
        marks = aftermath(ceremony, ratified=ratified, at=at)
        notices = [notice for mark in marks for notice in notices_of_aftermath(ceremony, mark)]
        return notices, next_aftermath(ceremony, ratified=ratified, at=at)

    def _work(self) -> float:
        self.remind_due()
        return _LONGEST_SLEEP
