# SPDX-License-Identifier: Apache-2.0
"""How far something is that goes through a log, on a terminal; elsewhere nothing is said."""

import sys
import time
from collections.abc import Callable

_TICK = 0.2


def reporter(did: str) -> Callable[[int, int], None]:
    """Return what tells how many entries of how many were ``fetched`` or ``replayed``."""
    if not sys.stderr.isatty():
        return lambda done, total: None  # noqa: ARG005 - nobody looks
    last = [0.0]

    def report(done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - last[0] < _TICK:
            return
        last[0] = now
        sys.stderr.write(f"\r\x1b[K{did} {done:,} of {total:,} entries" if done < total else "\r\x1b[K")
        sys.stderr.flush()

    return report
