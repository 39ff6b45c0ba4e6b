# SPDX-License-Identifier: Apache-2.0
"""A stream of the log that comes back by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from quorumseal.client import messages
from quorumseal.client.errors import ClientError
from quorumseal.client.retrying import wait_before
from quorumseal.client.statuses import error_of
from quorumseal.client.values import Head, LogEvent


class Following(Iterator[LogEvent]):
    """Entries and heads, in order and each once, however often the connection breaks.

    Iterating blocks until something comes.  ``close``, from any thread, ends the iteration.  A break that
    lasts longer than ``patience`` seconds raises (never, where that is None); each break is told to
    ``on_break``.  ``cursor`` is the index that would be asked for next.
    """

    def __init__(
        self,
        open_stream: Callable[[int], Any],
        from_index: int,
        *,
        target: str,
        patience: float | None,
        on_break: Callable[[ClientError], None] | None,
    ) -> None:
        self.cursor = from_index
        self._open_stream = open_stream
        self._target = target
        self._patience = patience
        self._on_break = on_break
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._call: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> LogEvent:
        broken_since: float | None = None
        attempt = 0
        while not self._closed.is_set():
            try:
                event = messages.event_of(next(self._stream()))
            except StopIteration:
                self._call = None  # a coordinator ends a stream with a status only; come back
            except grpc.RpcError as failure:
                self._call = None
                error = error_of(failure, self._target)
                if self._closed.is_set():
                    break
                broken_since = broken_since or time.monotonic()
                waited = time.monotonic() - broken_since
                if not error.retryable or (self._patience is not None and waited >= self._patience):
                    raise error from None
                if self._on_break is not None:
                    self._on_break(error)
            else:
                self.cursor = event.size if isinstance(event, Head) else event.index + 1
                return event
            attempt += 1
            self._closed.wait(wait_before(attempt))
        raise StopIteration

    def close(self) -> None:
        """End the iteration, in whichever thread it waits."""
        with self._lock:
            self._closed.set()
            if self._call is not None:
                self._call.cancel()

    def _stream(self) -> Any:
        with self._lock:
            if self._call is None and not self._closed.is_set():
                self._call = self._open_stream(self.cursor)
            return self._call if self._call is not None else iter(())
