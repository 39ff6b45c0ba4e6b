# SPDX-License-Identifier: Apache-2.0
"""When each policy began to hold: read once for as long as nothing is added to the entries of no ceremony."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from coordinator.storage import Storage
from coordinator.web.context import WebContext
from quorumseal.ceremony.entries import EntryType, read_entry


@dataclass(frozen=True, slots=True)
class Begun:
    """The entry of the log from which on a policy holds."""

    index: int
    at: datetime


def begun(context: WebContext) -> Sequence[Begun]:
    """Return where and when each version began, oldest first."""
    return _begun(context.storage, context.policies.chain.hashes[-1])


@lru_cache(maxsize=8)
def _begun(storage: Storage, _: str) -> Sequence[Begun]:
    rows = [row for row in storage.log.standing() if row.type == EntryType.POLICY]
    return [Begun(row.index, read_entry(row.payload).at) for row in rows]
