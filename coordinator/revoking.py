# SPDX-License-Identifier: Apache-2.0
"""Which client certificates let nobody in any more, as the settings and the database say now."""

import logging
from collections.abc import Callable
from pathlib import Path

from coordinator.settings import read_settings
from quorumseal.refusal import Refusal

_log = logging.getLogger(__name__)
Source = Callable[[], frozenset[str]]


class Revocations:
    """Serial numbers from several places; where one cannot be read, what it said last goes on."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._last: list[frozenset[str]] = [frozenset()] * len(sources)
        self._said = [""] * len(sources)
        self.serials: frozenset[str] = frozenset()

    def refresh(self) -> None:
        """Read every place again."""
        for number, source in enumerate(self._sources):
            try:
                self._last[number] = source()
                self._said[number] = ""
            except Refusal as refusal:
                if self._said[number] != str(refusal):
                    _log.warning("revocations could not be read, those known go on: %s", refusal)
                self._said[number] = str(refusal)
        self.serials = frozenset().union(*self._last)


def revoked_by(file: Path) -> Source:
    """Return how ``tls.revoked`` is read from a settings file again."""
    return lambda: read_settings(file).tls.revoked
