# SPDX-License-Identifier: Apache-2.0
"""People hear in time that their key, or the policy, ends: sixty, thirty and seven days before, each once.

What is told is stored with its marks in one transaction, as reminders are, so neither a restart nor a second
coordinator loses or doubles any of it.  Who starts late tells the newest warning alone.
"""

from collections.abc import Callable

from coordinator.clock import LogClock
from coordinator.notifying.ending import notices_of_expiry
from coordinator.notifying.routes import Routes
from coordinator.policies import FollowedPolicies
from coordinator.steady import Steady
from coordinator.storage import Storage, Telling
from quorumseal.ceremony.expiring import expiries, warned

_SLEEP = 60.0


class Ending:
    """Looks in a thread of its own once a minute."""

    def __init__(
        self, storage: Storage, routes: Routes, *, clock: LogClock, told: Callable[[], None] = lambda: None
    ) -> None:
        self._storage = storage
        self._routes = routes
        self._clock = clock
        self._told = told
        self._policies = FollowedPolicies(storage)
        self.thread = Steady("endings", self._work)

    def warn(self) -> int:
        """Put on its way what is due now; return how many were told."""
        self._policies.catch_up()
        policy, at = self._policies.newest.policy, self._clock.now()
        if not self._routes.anybody or self._clock.runs_ahead(policy.clock_skew):
            return 0
        notices = [
            notice
            for expiry in expiries(policy, at=at)
            if (span := warned(expiry.ends, at=at)) is not None
            for notice in notices_of_expiry(policy, expiry, span, at=at)
        ]
        told = self._storage.reminders.tell_once(
            [
                Telling(mark=each.cause, person=each.recipient, notices=self._routes.rows([each], at=at))
                for each in notices
            ],
            at=at,
        )
        if told:
            self._told()
        return told

    def _work(self) -> float:
        self.warn()
        return _SLEEP
