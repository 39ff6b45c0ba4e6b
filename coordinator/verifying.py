# SPDX-License-Identifier: Apache-2.0
"""What callers hand in becomes commands, in a thread between theirs and the writer's.

One thread is enough: beside the signatures this is Python's work, of which only one thread does any at a
time.  It takes all that waits and hands on what stood, so a batch costs the writer one wake-up, and the next
is verified while this one is being committed.
"""

import asyncio
import threading
from collections.abc import Callable

from coordinator.answering import Answer, Waiting, answer_all
from coordinator.commands import Outcome, WriterCommand
from coordinator.errors import CoordinatorError
from coordinator.writer import MOST_IN_BATCH, MOST_QUEUED, Pending, Writer


class Verifying:
    """A thread that asks a check of each command before the writer has it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: Waiting[tuple[Callable[[], WriterCommand], Answer[Outcome]]] = Waiting(MOST_QUEUED)
        self._thread = threading.Thread(target=self._work, name="verifying", daemon=True)

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
        self._waiting.put([(check, answer)])
        return await answer

    def _work(self) -> None:
        while asked := self._waiting.take(MOST_IN_BATCH):
            verified: list[Pending] = []
            refused: list[tuple[Answer[Outcome], Outcome | Exception]] = []
            for check, answer in asked:
                try:
                    verified.append(Pending(check(), answer))
                except Exception as reason:  # a defect, too, is the answer of its own caller only
                    refused.append((answer, reason))
            try:
                self._writer.queue(verified)
            except CoordinatorError as reason:
                refused += [(pending.answer, reason) for pending in verified]
            answer_all(refused)
