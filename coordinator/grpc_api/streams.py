# SPDX-License-Identifier: Apache-2.0
"""Streams: closed when their reader is done with them, and without what a reader has no use for."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from coordinator.values import Head, LogEvent

HEAD_EVERY = 10.0
"""How often a reader is told that the log has grown by what it did not ask for, in seconds."""
_Item = TypeVar("_Item")


@asynccontextmanager
async def closing(stream: AsyncIterator[_Item]) -> AsyncGenerator[AsyncIterator[_Item]]:
    """Close the stream at the block's end, where it is a generator."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def thinned(events: AsyncIterator[LogEvent], clock: Callable[[], float]) -> AsyncGenerator[LogEvent]:
    """Leave out heads that say nothing new: a thousand readers would each be sent them at every commit.

    The first one stays, which says that the reader has caught up; so does one now and then that moves the
    cursor of a reader who asked for few types of entries.
    """
    size, told_at = -1, 0.0
    async for event in events:
        if not isinstance(event, Head):
            size = event.index + 1
        elif not told_at or (event.size > size and clock() - told_at >= HEAD_EVERY):
            size, told_at = event.size, clock()
        else:
            continue
        yield event
