# SPDX-License-Identifier: Apache-2.0
"""What every page reads from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from coordinator.live import Live
from coordinator.policies import FollowedPolicies
from coordinator.reading import LogReader
from coordinator.storage import Storage
from coordinator.web.measuring import Measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """The database by connections of the pages' own, and what has just been appended to it."""

    storage: Storage
    policies: FollowedPolicies
    reader: LogReader
    live: Live
    now: Callable[[], datetime]
    measuring: Measuring

    @property
    def organisation(self) -> str:
        """Whose pages these are."""
        return self.policies.newest.policy.organisation


def open_context(database: str, live: Live, now: Callable[[], datetime]) -> WebContext:
    """Open the database once more: what pages read waits for pages alone."""
    storage = Storage(database, make_tables=False)
    try:
        policies = FollowedPolicies(storage)
    except BaseException:
        storage.close()
        raise
    return WebContext(
        storage=storage,
        policies=policies,
        reader=LogReader(storage, policies),
        live=live,
        now=now,
        measuring=Measuring(database, now),
    )
