# SPDX-License-Identifier: Apache-2.0
"""What every call passes: who calls, how much at once, for how long; and how every call ends.

``async with gate.call(method, context) as caller`` admits the caller or refuses, counts the call, bounds its
time, turns whatever is raised inside into a status, and knows when the last handler has really finished:
grpcio's own ``stop`` returns before that.

Time is watched by one sweep over all calls, not by a timer for each call and each message: those cost more
than the rest of the gate.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import StrEnum, unique
from types import TracebackType
from typing import Final, TypeVar

from grpc import aio
from grpc.aio import AbortError

from coordinator.certificates import Identity
from coordinator.errors import ClosingError, CoordinatorError, StreamTooSlowError
from coordinator.grpc_api.callers import Callers
from coordinator.grpc_api.errors import (
    GarbageError,
    InternalError,
    StreamEndedError,
    TooLongError,
    TooManyError,
)
from coordinator.grpc_api.refusals import Context, refuse
from coordinator.limits import Limits
from coordinator.metrics.catalogue import REFUSALS
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.running_log import about
from quorumseal.refusal import Refusal

_Request = TypeVar("_Request")
_log = logging.getLogger(__name__)
_CLOSING: Final = "expected a coordinator that goes on, got one that is stopping"
_SWEEP_EVERY: Final = 0.25
_CLOSING_HINT: Final = "try again in a few seconds"


@unique
class Sort(StrEnum):
    """What limits a call."""

    CALL = "calls"
    TRANSFER = "transfers"
    """A file on its way."""
    STREAM = "streams"
    """Open until something ends it; the coordinator's stop does."""


class Gate:
    """All calls in progress."""

    def __init__(
        self,
        callers: Callers,
        limits: Limits,
        *,
        now: Callable[[], datetime],
        observe: Observe = unobserved,
    ) -> None:
        self.limits = limits
        self.observe = observe
        self._callers = callers
        self._now = now
        self._calls: set[Call] = set()
        self._by_caller = {sort: Counter[tuple[str, str]]() for sort in Sort}
        self._most = {
            Sort.CALL: limits.calls_per_caller,
            Sort.TRANSFER: limits.transfers_per_caller,
            Sort.STREAM: limits.streams_per_caller,
        }
        self._seconds: dict[Sort, float] = {
            Sort.CALL: limits.call_seconds,
            Sort.TRANSFER: limits.transfer_seconds,
            Sort.STREAM: limits.stream_seconds,
        }
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_progress(self) -> int:
        """How many calls and streams have not finished."""
        return len(self._calls)

    def call(self, method: str, context: Context, sort: Sort) -> "Call":
        """Return the passage of one call."""
        return Call(self, method, context, sort, self._seconds[sort])

    async def sweep(self) -> None:
        """End calls that have had their time, streams that nobody reads, and what a revoked caller began.

        Never returns.
        """
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            at = asyncio.get_running_loop().time()
            for call in self._calls:
                try:
                    self._judge(call, at)
                except Exception:  # one call's error must not leave all others without a limit
                    _log.exception(
                        "unforeseen error in watching a call's time",
                        extra=about(caller=call.who[0], call=call.method),
                    )

    def _judge(self, call: "Call", at: float) -> None:
        if call.sending_since is not None and at - call.sending_since > self.limits.write_seconds:
            call.end(_too_slow(self.limits.write_seconds))
        elif at > call.ends_at:
            call.end(call.too_long())
        else:
            try:
                self._callers.require_standing(call.serial)
            except Refusal as refusal:
                call.end(refusal)

    def close(self) -> None:
        """Admit no more calls, and end the streams."""
        self._closing = True
        for call in self._calls:
            if call.sort is Sort.STREAM:
                call.end(ClosingError(_CLOSING, hint=_CLOSING_HINT))

    async def idle(self) -> None:
        """Wait until the last handler has finished."""
        await self._idle.wait()

    def enter(self, call: "Call") -> Identity:
        """Admit a call and count it, or refuse."""
        if self._closing:
            raise ClosingError(_CLOSING, hint=_CLOSING_HINT)
        if len(self._calls) >= self.limits.calls:
            raise TooManyError(
                f"expected at most {self.limits.calls} calls at once, got more", hint="try again in a moment"
            )
        caller = self._callers.admit(call.method, call.context.auth_context())
        call.who, call.serial = (caller.kind, caller.name), caller.serial
        counted, most = self._by_caller[call.sort], self._most[call.sort]
        if counted[call.who] >= most:
            raise TooManyError(
                f"expected at most {most} {call.sort} of {caller.name} at once, got more",
                hint=f"finish some first; the operator can raise limits.{call.sort}_per_caller",
            )
        counted[call.who] += 1
        self._calls.add(call)
        self._idle.clear()
        if call.sort is Sort.STREAM:
            call.seconds = min(call.seconds, (caller.not_after - self._now()).total_seconds())
        return caller

    def leave(self, call: "Call") -> None:
        """Count a call as finished."""
        self._calls.remove(call)
        counted = self._by_caller[call.sort]
        counted[call.who] -= 1
        if not counted[call.who]:
            del counted[call.who]
        if not self._calls:
            self._idle.set()


class Call:
    """One call's passage through the gate."""

    __slots__ = (
        "_asked", "_gate", "_reason", "_running", "_task", "_waiting", "context", "ends_at", "method",
        "seconds", "sending_since", "serial", "sort", "who",
    )  # fmt: skip

    def __init__(self, gate: Gate, method: str, context: Context, sort: Sort, seconds: float) -> None:
        self._gate = gate
        self._asked = False
        self._reason: Refusal | None = None
        self._running = False
        self._task: asyncio.Task[object] | None = None
        self.method = method
        self.context = context
        self.sort = sort
        self.seconds = seconds
        self.ends_at = 0.0
        self._waiting = 0.0
        self.sending_since: float | None = None
        self.who = ("", "")
        self.serial = ""

    def end(self, reason: Refusal) -> None:
        """Stop the handler where it stands; its caller is given the reason."""
        if self._running and self._task is not None:
            self._reason, self._running = reason, False
            self._task.cancel()

    async def request(self) -> bytes:
        """Return the one message that the caller sends; it is awaited for as long as a call may take."""
        received = await self.context.read()
        if received is aio.EOF:
            raise GarbageError("expected a message, got none", hint="send one before you end the call")
        self._begin()
        message: bytes = received
        return message

    async def requests(self, stream: AsyncIterator[_Request]) -> AsyncIterator[_Request]:
        """Yield the messages of a caller who sends many; the first must come within the time of a call."""
        async for each in stream:
            self._begin()
            yield each

    def _begin(self) -> None:
        if not self._asked:
            self._asked = True
            self.ends_at += self.seconds - self._waiting

    async def send(self, message: object) -> None:
        """Hand a message to the reader, and wait until the connection has taken it."""
        self.sending_since = self._task.get_loop().time() if self._task is not None else None
        try:
            await self.context.write(message)
        except aio.InternalError:
            raise asyncio.CancelledError from None  # the reader has gone
        self.sending_since = None

    async def __aenter__(self) -> Identity:
        try:
            caller = self._gate.enter(self)
        except Refusal as refusal:
            await refuse(self.context, self._told(refusal), within=self._gate.limits.write_seconds)
        self._task = asyncio.current_task()
        self._waiting = min(self.seconds, self._gate.limits.call_seconds)
        self.ends_at = asyncio.get_running_loop().time() + self._waiting
        self._running = True
        return caller

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        try:
            if self._reason is not None and self._task is not None and self._task.uncancel() == 0:
                error = self._reason
            if error is None or isinstance(error, asyncio.CancelledError | AbortError | GeneratorExit):
                return
            refusal = error if isinstance(error, Refusal) else self._unforeseen(error)
            await refuse(self.context, self._told(refusal), within=self._gate.limits.write_seconds)
        finally:
            self._gate.leave(self)

    def too_long(self) -> Refusal:
        """Return why a call ends that has had its time."""
        if not self._asked:
            return TooLongError(
                f"expected the call's message within {self._waiting:.0f} s, got none", hint="call again"
            )
        if self.sort is Sort.STREAM:
            return StreamEndedError(
                f"expected a stream of at most {self.seconds:.0f} s, got to its end", hint="resume it"
            )
        return TooLongError(
            f"expected an answer within {self.seconds:.0f} s, got none",
            hint="what was asked may have been done; ask again, the same call is not counted twice",
        )

    def _told(self, refusal: Refusal) -> Refusal:
        """Count a refusal, and say who was refused what; what they sent, and their name, is not said."""
        self._gate.observe(Observation(REFUSALS, label=refusal.code))
        if not (isinstance(refusal, CoordinatorError) and refusal.retryable):  # those come in floods
            _log.info("refused a call", extra=about(reason=refusal, caller=self.who[0], call=self.method))
        return refusal

    def _unforeseen(self, error: BaseException) -> Refusal:
        number = secrets.token_hex(4)
        _log.error(
            "unforeseen error %s", number, exc_info=error, extra=about(caller=self.who[0], call=self.method)
        )
        return InternalError(
            f"expected an answer, got an unforeseen error (number {number})",
            hint="the coordinator's own log says more under this number",
        )


def _too_slow(seconds: float) -> Refusal:
    return StreamTooSlowError(
        f"expected a reader that takes a message within {seconds:.0f} s, got one that does not",
        hint="resume from the last index that was read",
    )
