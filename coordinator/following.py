# SPDX-License-Identifier: Apache-2.0
"""A resumable stream of entries: what is past comes from the database, what is new from the ring."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from concurrent.futures import Executor

from coordinator.errors import ClosingError, SizeAheadError, StreamTooSlowError
from coordinator.live import Live
from coordinator.storage import EntryRow, Storage
from coordinator.values import Head, LogEvent, LoggedEntry
from quorumseal.ceremony.entries import EntryType

_PAGE = 256


async def follow(
    live: Live,
    storage: Storage,
    reading: Executor,
    from_index: int,
    *,
    types: Collection[EntryType],
    ceremony: str,
) -> AsyncGenerator[LogEvent, None]:
    """Yield entries from an index on for ever; a ``Head`` says that all before it was yielded.

    A reader that had caught up and then falls off the ring is dropped: it resumes where it was.
    """
    loop = asyncio.get_running_loop()
    wanted = frozenset(str(each) for each in types)
    cursor, caught_up = from_index, False
    if cursor > live.size:
        await loop.run_in_executor(reading, live.catch_up)
    if cursor > live.size:
        raise SizeAheadError(
            f"expected to be asked for entries up to {live.size}, got {cursor}",
            hint="either this coordinator lags behind another (try again), or its log lost entries",
        )
    with live.waking() as news:
        while True:
            news.clear()
            if live.closed:
                raise ClosingError(
                    "expected a coordinator that goes on, got one that is shutting down",
                    hint="resume in a moment",
                )
            rows = live.after(cursor)
            if rows is None:
                if caught_up:
                    raise StreamTooSlowError(
                        f"expected a reader that keeps up, got one at entry {cursor} of {live.size}",
                        hint="resume from the last entry that was read",
                    )
                end = live.size
                rows = await loop.run_in_executor(reading, _page, storage, cursor, end, wanted, ceremony)
                after = rows[-1].index + 1 if len(rows) == _PAGE else end
            else:
                after = rows[-1].index + 1 if rows else cursor
            for row in rows:
                if (not wanted or row.type in wanted) and (not ceremony or row.ceremony == ceremony):
                    yield LoggedEntry(row.index, row.payload)
            cursor = after
            if cursor == live.size:
                caught_up = True
                yield Head(cursor)
                await news.wait()


def _page(storage: Storage, start: int, end: int, types: frozenset[str], ceremony: str) -> list[EntryRow]:
    return storage.log.entries(start, end, types=types, ceremony=ceremony, limit=_PAGE)
