# SPDX-License-Identifier: Apache-2.0
"""Ceremonies at hand, so that a decision need not replay what came before it.

What they take is bounded in bytes, too: large ceremonies fill the database, and not the memory.
"""

from collections import OrderedDict

from quorumseal.ceremony.chain import Chain

MOST_CHAINS = 4096
MOST_BYTES = 128 << 20
"""Of their statements, as a bundle counts them; in memory each byte of these takes about three."""


class Chains:
    """Replayed ceremonies; those that nothing happened to for the longest time go first."""

    def __init__(self, *, most: int = MOST_CHAINS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._chains: OrderedDict[str, Chain] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._chains)

    def get(self, ceremony: str) -> Chain | None:
        """Return a ceremony that is at hand."""
        return self._chains.get(ceremony)

    def keep(self, ceremony: str, chain: Chain) -> None:
        """Have a ceremony at hand as it now stands, until ``trim`` at least."""
        self.drop(ceremony)
        self._chains[ceremony] = chain
        self._bytes += chain.ceremony.size

    def drop(self, ceremony: str) -> None:
        """Forget a ceremony."""
        dropped = self._chains.pop(ceremony, None)
        if dropped is not None:
            self._bytes -= dropped.ceremony.size

    def clear(self) -> None:
        """Forget all."""
        self._chains.clear()
        self._bytes = 0

    def trim(self) -> None:
        """Forget the oldest of what is too much."""
        while len(self._chains) > self._most or self._bytes > self._most_bytes:
            self.drop(next(iter(self._chains)))
