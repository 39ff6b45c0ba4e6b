# SPDX-License-Identifier: Apache-2.0
"""Hand results from threads to those who wait, waking each event loop once for many of them."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

_Result = TypeVar("_Result")
Answer: TypeAlias = Future[_Result] | asyncio.Future[_Result]

_MOST_AT_ONCE = 32


def answer_all(outcomes: Iterable[tuple[Answer[_Result], _Result | Exception]]) -> None:
    """Settle futures of threads here, and those of event loops there."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Answer[_Result], _Result | Exception]]] = {}
    for future, outcome in outcomes:
        loop = future.get_loop() if isinstance(future, asyncio.Future) else None
        by_loop.setdefault(loop, []).append((future, outcome))
    for loop, those in by_loop.items():
        if loop is None:
            _settle(those)
            continue
        try:
            loop.call_soon_threadsafe(_settle, those)
        except RuntimeError:  # that loop has closed, and nobody waits there any more
            continue


def _settle(outcomes: Iterable[tuple[Answer[Any], Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():  # whoever asked went away; what was done stays done
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


class Workers:
    """Threads for short work that much is asked of: like an executor, but many answers cost one wake-up."""

    def __init__(self, name: str, threads: int) -> None:
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Answer[Any]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work`` in one of the threads."""
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._asked.put((work, answer))
        return await answer

    def close(self) -> None:
        """Do what was asked before, then stop."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        going = True
        while going:
            asked = [self._asked.get()]
            while len(asked) < _MOST_AT_ONCE and asked[-1] is not None:
                try:
                    asked.append(self._asked.get_nowait())
                except queue.Empty:
                    break
            going = asked[-1] is not None
            answer_all([(each[1], _do(each[0])) for each in asked if each is not None])


def _do(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as reason:
        return reason
