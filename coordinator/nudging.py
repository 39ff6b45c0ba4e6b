# SPDX-License-Identifier: Apache-2.0
"""To ask those again whose decision is awaited: a courtesy, within limits, and no entry of the log."""

from datetime import timedelta

from coordinator.clock import LogClock
from coordinator.errors import (
    NudgeNobodyError,
    NudgeNotAllowedError,
    NudgeTooSoonError,
    UnknownCeremonyError,
)
from coordinator.notifying import Notifier
from coordinator.notifying.reminding import notices_of_nudge
from coordinator.policies import FollowedPolicies
from coordinator.storage import Storage, Telling
from coordinator.values import Nudged
from quorumseal.ceremony.checking import check_open
from quorumseal.ceremony.helping import helpers
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.values import instant_text

EVERY = timedelta(hours=1)
"""How long a ceremony rests between two nudges, whoever nudges."""
_MARK = "nudge"


class Nudging:
    """Tells people at somebody's wish; every call blocks, and belongs in a thread."""

    def __init__(self, storage: Storage, notifier: Notifier, *, clock: LogClock) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._policies = FollowedPolicies(storage)

    def nudge(self, ceremony: str, *, caller: str) -> Nudged:
        """Put a notice on its way to everybody who can still help."""
        found, at = self._look(ceremony), self._clock.now()
        _check_allowed(found, caller)
        check_open(found)
        awaited = helpers(found, self._policies.chain.standing, at=at)
        notices = [n for n in notices_of_nudge(found, awaited, by=caller, at=at) if n.recipient != caller]
        rows = self._notifier.rows(notices)
        reached = {row.id for row in rows}
        told = tuple(notice.recipient for notice in notices if notice.id in reached)
        if not told:
            people = ", ".join(notice.recipient for notice in notices)
            raise NudgeNobodyError(
                "expected somebody else who can still help and whom the coordinator can tell, "
                f"got {f'{people}, whom it cannot' if people else 'nobody'}"
            )
        last = self._storage.reminders.tell_again(
            ceremony, Telling(mark=_MARK, person="", notices=rows), at=at, after=EVERY
        )
        if last is not None:
            raise NudgeTooSoonError(
                f"expected an hour between two nudges, got one at {instant_text(last)}",
                hint=f"nudge again from {instant_text(last + EVERY)} on",
            )
        self._notifier.wake()
        return Nudged(told=told, next_at=at + EVERY)

    def _look(self, ceremony: str) -> Ceremony:
        chains = self._storage.log.chains([ceremony])
        if ceremony not in chains:
            raise UnknownCeremonyError(
                f"expected a ceremony of this log, got {ceremony}", hint="see `quorumseal list`"
            )
        self._policies.catch_up()
        return self._policies.replay(chains[ceremony]).ceremony


def _check_allowed(ceremony: Ceremony, caller: str) -> None:
    request, rule, roles = ceremony.request.statement, ceremony.rule, ceremony.policy.roles
    named = rule.requesters | {threshold.role for threshold in ceremony.quorum}
    if caller not in request.requesters and not any(caller in roles[role].members for role in named):
        raise NudgeNotAllowedError(
            f"expected the requester, or a member of {', '.join(sorted(named))}, to nudge, got {caller}"
        )
