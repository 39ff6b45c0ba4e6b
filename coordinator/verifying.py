# SPDX-License-Identifier: Apache-2.0
"""What callers hand in becomes commands, in a thread between theirs and the writer's.

One thread is enough: beside the signatures this is Python's work, of which only one thread does any at a
time.  It takes all that waits and hands on what stood, so a batch costs the writer one wake-up, and the next
is verified while this one is being committed.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coordinator.answering import Answer, Waiting, answer_all
from coordinator.commands import Outcome, WriterCommand
from coordinator.errors import CoordinatorError
from coordinator.writer import MOST_IN_BATCH, MOST_QUEUED, Pending, Writer


@dataclass(frozen=True, slots=True)
class _Unverified:
    check: Callable[[], WriterCommand]
    answer: Answer[Outcome]


class Verifying:
    """A thread that asks a check of each command before the writer has it."""

    name = "verifying"

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: Waiting[_Unverified] = Waiting(MOST_QUEUED)
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to verify."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, hand on what was taken, and stop."""
        self._waiting.close()
        if self._thread.ident is not None:
            self._thread.join()

    async def run(self, check: Callable[[], WriterCommand]) -> Outcome:
        """Let the writer do the command that ``check`` returns, and wait for its outcome, durable then."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.put([_Unverified(check, answer)])
        return await answer

    def _work(self) -> None:
        self._waiting.serve(self._verify, most=MOST_IN_BATCH)

    def _verify(self, asked: Sequence[_Unverified]) -> None:
        verified: list[Pending] = []
        refused: list[tuple[Answer[Outcome], Outcome | Exception]] = []
        for each in asked:
            try:
                verified.append(Pending(each.check(), each.answer))
            except Exception as reason:  # a defect, too, is the answer of its own caller only
                refused.append((each.answer, reason))
        try:
            self._writer.queue(verified)
        except CoordinatorError as reason:
            refused += [(pending.answer, reason) for pending in verified]
        answer_all(refused)
