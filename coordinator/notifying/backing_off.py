# SPDX-License-Identifier: Apache-2.0
"""When to try again, and when no more: a function of what came and how often it was tried."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coordinator.errors import NoticeRefusedError
from coordinator.notifying.posting import WaitError
from coordinator.storage import DeliveryState, NoticeRow

FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=2), timedelta(minutes=15)
URGENT_ATTEMPTS = 3
"""After so many, what is urgent goes to the fallback too, while its own receiver is still tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of an attempt."""

    row: NoticeRow
    fall_back: bool
    """Whether the notice now goes to the fallback."""


def delivered(row: NoticeRow) -> NoticeRow:
    """Return a row whose notice the receiver has taken."""
    return replace(row, state=DeliveryState.DELIVERED, attempts=row.attempts + 1, detail="")


def failed(
    row: NoticeRow, reason: Exception, *, at: datetime, jitter: float, most: int, urgent: bool
) -> Settled:
    """Return a row after a failed attempt: due again, later each time, or given up.

    ``jitter``, from 0 to 1, keeps those apart that failed together.
    """
    attempts = row.attempts + 1
    detail = f"{reason} (attempt {attempts})"
    if isinstance(reason, NoticeRefusedError) or attempts >= most:
        return Settled(
            row=replace(row, state=DeliveryState.DEAD, attempts=attempts, detail=detail), fall_back=True
        )
    delay = min(FIRST_DELAY * 2 ** min(row.attempts, 16), LONGEST_DELAY) * (0.5 + jitter / 2)
    if isinstance(reason, WaitError):
        delay = max(delay, min(reason.wait, LONGEST_DELAY))
    return Settled(
        row=replace(row, attempts=attempts, due_at=at + delay, detail=detail),
        fall_back=urgent and attempts == URGENT_ATTEMPTS,
    )
