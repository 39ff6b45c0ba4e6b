# SPDX-License-Identifier: Apache-2.0
"""Which signers' agents are connected to this coordinator now.

Presence is a convenience for people who wait: it is not logged, nothing depends on it, and coordinators that
share a database do not share it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime


class Presence:
    """Counts each signer's agents; a signer is present while one is connected."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since: dict[str, datetime] = {}
        self._agents = Counter[str]()

    @contextmanager
    def of(self, signer: str) -> Iterator[None]:
        """Show a signer as present until the block ends."""
        self._agents[signer] += 1
        self._since.setdefault(signer, self._now())
        try:
            yield
        finally:
            self._agents[signer] -= 1
            if not self._agents[signer]:
                del self._agents[signer], self._since[signer]

    def present(self) -> list[tuple[str, datetime]]:
        """Return who is present and since when, by name."""
        return sorted(self._since.items())
