# SPDX-License-Identifier: Apache-2.0
"""How far something came that takes long: one line on a terminal, rewritten, and gone at the end."""

import os
import sys
from collections.abc import Callable

_FEWEST = 5


def counting(what: str) -> Callable[[int, int], None]:
    """Return what is told how many are done, and of how many."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return lambda _done, _all: None

    def show(done: int, of: int) -> None:
        if of >= _FEWEST:
            sys.stderr.write(f"\r\x1b[K{what}: {done} of {of}" if done < of else "\r\x1b[K")
            sys.stderr.flush()

    return show
