# SPDX-License-Identifier: Apache-2.0
"""What tells a script of news: only that there is some, to so many, and not for ever."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from coordinator.web.errors import PagesBusyError
from coordinator.web.streaming import Streams
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import Organisation

PATIENCE = 5


async def _next(events: AsyncGenerator[bytes, None]) -> bytes:
    return await asyncio.wait_for(anext(events), PATIENCE)


async def test_an_approval_is_news_of_its_ceremony(workshop: Workshop, desk: Desk) -> None:
    start = workshop.start()
    desk.written(start)
    streams = Streams(desk.live)
    async with aclosing(streams.listen("audrey", start.request.statement.ceremony)) as events:
        assert await _next(events) == b"event: news\ndata: 2\n\n"
        await asyncio.to_thread(desk.written, workshop.decide("alice", start))
        assert await _next(events) == b"event: news\ndata: 3\n\n"


async def test_another_ceremony_is_no_news(
    workshop: Workshop, desk: Desk, organisation: Organisation
) -> None:
    start = workshop.start()
    desk.written(start)
    streams = Streams(desk.live, beat=0.2)
    async with aclosing(streams.listen("audrey", start.request.statement.ceremony)) as events:
        await _next(events)
        other = workshop.start(organisation.request(number=2, product="gadget"))
        await asyncio.to_thread(desk.written, other)
        assert await _next(events) == b": still here\n\n"


async def test_what_was_more_than_the_ring_holds_is_news(workshop: Workshop, desk: Desk) -> None:
    streams = Streams(desk.live)
    async with aclosing(streams.listen("audrey", "of another ceremony")) as events:
        await _next(events)
        desk.live._ring.clear()
        await asyncio.to_thread(desk.written, workshop.start())
        desk.live._ring.clear()
        assert await _next(events) == b"event: news\ndata: 2\n\n"


async def test_a_stream_ends_so_that_its_reader_is_looked_at_again(desk: Desk) -> None:
    streams = Streams(desk.live, seconds=0.05, beat=0.02)
    async with asyncio.timeout(PATIENCE):
        first, *rest = [each async for each in streams.listen("audrey")]
    assert first.startswith(b"event: news")
    assert {*rest} == {b": still here\n\n"}


async def test_a_stream_ends_when_the_coordinator_stops(desk: Desk) -> None:
    streams = Streams(desk.live)
    async with asyncio.timeout(PATIENCE):
        events = streams.listen("audrey")
        await anext(events)
        desk.live.close()
        assert [each async for each in events][:1] in ([], [b": still here\n\n"])


async def test_there_is_room_for_some_and_it_is_given_back(desk: Desk) -> None:
    streams = Streams(desk.live, most=3, each=2)
    one, two = streams.listen("audrey"), streams.listen("audrey")
    await anext(one)
    await anext(two)
    with pytest.raises(PagesBusyError):
        streams.require_room("audrey")
    streams.require_room("oscar")
    three = streams.listen("oscar")
    await anext(three)
    with pytest.raises(PagesBusyError):
        streams.require_room("rita")
    for each in (one, two, three):
        await each.aclose()
    streams.require_room("audrey")
