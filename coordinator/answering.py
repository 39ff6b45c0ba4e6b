# SPDX-License-Identifier: Apache-2.0
"""Between threads: work that waits for one, and answers for those who wait, many of either at once."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from coordinator.errors import BusyError, ClosingError

_Result = TypeVar("_Result")
Answer: TypeAlias = Future[_Result] | asyncio.Future[_Result]
_log = logging.getLogger(__name__)


class Asked(Protocol):
    """Something that somebody waits for."""

    @property
    def answer(self) -> Answer[Any]:
        """Where they wait."""


_Item = TypeVar("_Item", bound=Asked)


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


class Waiting(Generic[_Item]):
    """What waits for a thread that takes many at a time; what there is no room for is refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[_Item] = []
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: _Item) -> None:
        """Let it wait, or refuse it."""
        with self._changed:
            if self._closed:
                raise _closing()
            if len(self._items) >= self._most:
                raise BusyError(
                    f"expected room in the writer's queue, got {self._most} commands before this one",
                    hint="try again in a moment",
                )
            self._items.append(item)
            self._changed.notify()

    def serve(self, serve: Callable[[list[_Item]], None], *, most: int) -> None:
        """Hand over what waits until it is closed and nothing is left; the body of a thread.

        An error that nobody foresaw is an answer, too.  Where something ends the thread all the same, nobody
        is left waiting for it.
        """
        items: list[_Item] = []
        try:
            while items := self.take(most):
                try:
                    serve(items)
                except Exception as bug:
                    _log.exception("a batch of %d commands failed", len(items))
                    answer_all((item.answer, bug) for item in items)
        finally:
            self.close()
            answer_all((item.answer, _closing()) for item in [*items, *self._items])

    def take(self, most: int) -> list[_Item]:
        """Wait for some and return them; none means that it was closed and that nothing is left."""
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            taken = self._items[:most]
            del self._items[:most]
            return taken

    def close(self) -> None:
        """Take no more; what waits may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()


def _closing() -> ClosingError:
    return ClosingError(
        "expected a coordinator that takes commands, got one that is shutting down",
        hint="try again in a moment",
    )
