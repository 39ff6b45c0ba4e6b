# SPDX-License-Identifier: Apache-2.0
"""How many codes that nobody has may come from one place; 128 bits need no more, the log of refusals does."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote

from coordinator.enrolment_errors import TooManyGuessesError

MOST_GUESSES: Final = 10
WINDOW_SECONDS: Final = 60.0
_MOST_PLACES: Final = 4096


class Guesses:
    """Wrong codes by place; an old place is forgotten when there are too many."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._places: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, place: str) -> None:
        """Refuse whoever has guessed too often."""
        since, count = self._places.get(place, (0.0, 0))
        if count >= MOST_GUESSES and self._elapsed() - since < WINDOW_SECONDS:
            raise TooManyGuessesError(
                f"expected at most {MOST_GUESSES} unknown codes a minute from one place, got more"
            )

    def count(self, place: str) -> None:
        """Count a wrong code."""
        since, count = self._places.pop(place, (0.0, 0))
        at = self._elapsed()
        self._places[place] = (since, count + 1) if count and at - since < WINDOW_SECONDS else (at, 1)
        if len(self._places) > _MOST_PLACES:
            self._places.popitem(last=False)


def place_of(peer: str) -> str:
    """Return where a caller is: its address, or for IPv6 the network that one household has."""
    host = unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or IPv6Network((address, 64), strict=False))
    return str(address)
