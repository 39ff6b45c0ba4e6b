# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, and whatever else asks the demo to stop: never between starting a program and knowing of it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the first signal to stop into a KeyboardInterrupt, and lets no other disturb the tidying up."""

    def __init__(self) -> None:
        self._held = False
        self._came = False

    def listen(self) -> None:
        """Begin to listen."""
        for number in SIGNALS:
            signal.signal(number, self._interrupt)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what comes meanwhile wait until this is done."""
        self._held = True
        yield
        self._held = False
        if self._came:
            raise KeyboardInterrupt

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        first, self._came = not self._came, True
        if first and not self._held:
            raise KeyboardInterrupt
