# SPDX-License-Identifier: Apache-2.0
"""What the operator hears of ceremonies in the running log: how each ended, and every turn of an emergency.

The log itself says all of it, and who did what; here is only the ceremony to look for.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from coordinator.storage import EntryRow
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.entries import CONCLUSIONS, EntryType

_TURNS: Final = CONCLUSIONS | {EntryType.OPENED, EntryType.WINDOW_OPENED, EntryType.WINDOW_BROKEN}


class Milestone(NamedTuple):
    """One line."""

    level: int
    said: str
    ceremony: str


def milestones(changed: Mapping[str, Chain], entries: Iterable[EntryRow]) -> Iterator[Milestone]:
    """Give what new entries of some ceremonies are worth telling."""
    for entry in entries:
        chain = changed.get(entry.ceremony or "")
        if chain is None or entry.type not in _TURNS:
            continue
        if chain.ceremony.emergency is not None:
            yield Milestone(logging.WARNING, f"an emergency: {entry.type}", chain.id)
        elif entry.type in CONCLUSIONS:
            yield Milestone(logging.INFO, f"a ceremony ended: {entry.type}", chain.id)
