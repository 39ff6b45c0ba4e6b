# SPDX-License-Identifier: Apache-2.0
"""When to try again: exponential waits with jitter: a thousand agents do not come back at once."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from quorumseal.client.errors import ClientError

SHORTEST_WAIT = 0.1
LONGEST_WAIT = 10.0
_Answer = TypeVar("_Answer")


def wait_before(attempt: int, *, longest: float = LONGEST_WAIT) -> float:
    """Return how long to wait before an attempt; the first repetition is attempt 1."""
    most: float = min(longest, SHORTEST_WAIT * 2 ** min(attempt, 16))
    return SHORTEST_WAIT / 2 + random.random() * most  # noqa: S311 - spreads load, guards nothing


def retry(call: Callable[[], _Answer], *, patience: float) -> _Answer:
    """Return what ``call`` answers, tried again for ``patience`` seconds while it fails in passing."""
    end = time.monotonic() + patience
    attempt = 0
    while True:
        try:
            return call()
        except ClientError as error:
            attempt += 1
            wait = wait_before(attempt)
            if not error.retryable or time.monotonic() + wait > end:
                raise
            time.sleep(wait)
