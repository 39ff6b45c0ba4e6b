# SPDX-License-Identifier: Apache-2.0
"""The ring of new entries: in order, without a gap, and no burden to whoever writes."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from coordinator.errors import ClosingError, StreamTooSlowError
from coordinator.following import follow
from coordinator.live import Live
from coordinator.storage import EntryRow
from coordinator.values import Head, LogEvent, LoggedEntry
from tests.coordinator.workshop import Desk, Workshop


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    """A log of ten entries: the policy and nine openings."""
    desk = workshop.desk()
    for n in range(1, 10):
        desk.written(workshop.start(workshop.organisation.request(number=n, version=f"1.{n}")))
    return desk


def _rows(desk: Desk, start: int, end: int) -> list[EntryRow]:
    return desk.storage.log.entries(start, end)


def _open(desk: Desk, workshop: Workshop, number: int) -> None:
    desk.written(workshop.start(workshop.organisation.request(number=number, version=f"1.{number}")))


def test_the_ring_gives_what_it_holds_and_says_what_it_does_not(desk: Desk) -> None:
    assert desk.live.after(0) is None, "entry 0 was there before the ring"
    held = desk.live.after(5)
    assert held is not None
    assert [row.index for row in held] == [5, 6, 7, 8, 9]
    assert desk.live.after(10) == []
    assert desk.live.after(99) == []


def test_the_ring_forgets_the_oldest(desk: Desk) -> None:
    live = Live(desk.storage, capacity=3)
    live._size = 0
    live.catch_up()
    assert live.after(6) is None
    rows = live.after(7)
    assert rows is not None
    assert [row.index for row in rows] == [7, 8, 9]


def test_what_another_coordinator_wrote_is_fetched_before_what_this_one_did(desk: Desk) -> None:
    live = Live(desk.storage)
    live._size = 2
    live.publish(_rows(desk, 8, 10))
    rows = live.after(2)
    assert rows is not None
    assert [row.index for row in rows] == list(range(2, 10))


def test_what_is_known_is_not_taken_twice(desk: Desk) -> None:
    live = Live(desk.storage)
    live._size = 2
    live.catch_up()
    live.publish(_rows(desk, 7, 10))
    rows = live.after(2)
    assert rows is not None
    assert [row.index for row in rows] == list(range(2, 10))


async def test_a_reader_that_falls_off_the_ring_is_dropped_and_resumes(
    desk: Desk, workshop: Workshop
) -> None:
    live = Live(desk.storage, capacity=2)
    with ThreadPoolExecutor(1) as reading:
        events = follow(live, desk.storage, reading, 9, types=(), ceremony="")
        assert [await anext(events), await anext(events)] == [
            LoggedEntry(9, _rows(desk, 9, 10)[0].payload),
            Head(10),
        ]
        for number in range(10, 14):
            _open(desk, workshop, number)
            live.catch_up()
        with pytest.raises(StreamTooSlowError):
            await anext(events)
        resumed = follow(live, desk.storage, reading, 10, types=(), ceremony="")
        assert await _indices(resumed) == [10, 11, 12, 13]


async def test_a_long_past_is_read_page_by_page_while_the_log_grows(
    desk: Desk, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.following._PAGE", 3)
    live = Live(desk.storage, capacity=2)
    with ThreadPoolExecutor(1) as reading:
        events = follow(live, desk.storage, reading, 0, types=(), ceremony="")
        first = await anext(events)
        assert isinstance(first, LoggedEntry)
        for number in range(10, 14):
            _open(desk, workshop, number)
        live.catch_up()
        assert await _indices(events) == list(range(1, 14))


async def test_closing_sends_everybody_away(desk: Desk) -> None:
    with ThreadPoolExecutor(1) as reading:
        events = follow(desk.live, desk.storage, reading, 10, types=(), ceremony="")
        assert await anext(events) == Head(10)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.01)
        desk.live.close()
        with pytest.raises(ClosingError):
            await waiting


async def test_a_follower_that_leaves_is_forgotten(desk: Desk, workshop: Workshop) -> None:
    with ThreadPoolExecutor(1) as reading:
        events = follow(desk.live, desk.storage, reading, 10, types=(), ceremony="")
        assert await anext(events) == Head(10)
        assert len(desk.live._waiting) == 1
        await events.aclose()
        assert not desk.live._waiting
    await asyncio.to_thread(_open, desk, workshop, 20)


def test_a_loop_that_has_closed_does_not_stop_the_writer(desk: Desk, workshop: Workshop) -> None:
    async def leave_without_a_word() -> None:
        desk.live._waiting.add((asyncio.get_running_loop(), asyncio.Event()))

    asyncio.run(leave_without_a_word())
    _open(desk, workshop, 20)
    assert desk.live.size == 11


async def _indices(events: AsyncIterator[LogEvent]) -> list[int]:
    """Return the indices of the entries up to the head."""
    found = []
    async for event in events:
        if isinstance(event, Head):
            break
        found.append(event.index)
    return found
