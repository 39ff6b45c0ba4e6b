# SPDX-License-Identifier: Apache-2.0
"""Streams that are closed when their reader is done with them, not when somebody collects the garbage."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

_Item = TypeVar("_Item")


@asynccontextmanager
async def closing(stream: AsyncIterator[_Item]) -> AsyncGenerator[AsyncIterator[_Item]]:
    """Close the stream at the block's end, where it is a generator."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
