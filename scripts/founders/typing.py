# SPDX-License-Identifier: Apache-2.0
"""A command on a terminal of its own, and somebody who answers what it asks."""

import os
import pty
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from select import select
from typing import Final

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_READ: Final = 1 << 16


class CommandError(Exception):
    """A command did not do what the manual says."""


class Typed:
    """A process on a pseudo-terminal, with everything that it has shown."""

    def __init__(
        self,
        words: Sequence[str],
        answers: Mapping[str, str],
        *,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._answers = answers
        self._said = self._answered = ""
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**environment, "COLUMNS": "80", "TERM": "xterm", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(slave)

    @property
    def shown(self) -> str:
        """What stands on the terminal, without colours."""
        return _COLOURS.sub("", self._said).replace("\r\n", "\n")

    def until(self, text: str, *, seconds: float) -> None:
        """Read until a text is shown."""
        self._read(lambda: text in self.shown, seconds)
        if text not in self.shown:
            raise CommandError(f"expected {text!r} to be shown, got:\n{self.shown}")

    def end(self, *, seconds: float) -> int:
        """Answer what is asked until the command ends; return its exit code."""
        self._read(lambda: False, seconds)
        code = self.process.wait(5)
        os.close(self._master)
        return code

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def _read(self, enough: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not enough():
            left = deadline - time.monotonic()
            if left <= 0:
                self.process.kill()
                raise CommandError(f"expected an end within {seconds:.0f} s, got:\n{self.shown}")
            if not select([self._master], [], [], min(left, 0.2))[0]:
                continue
            try:
                data = os.read(self._master, _READ)
            except OSError:  # the other end is closed
                return
            self._said += data.decode(errors="replace")
            self._answer()

    def _answer(self) -> None:
        """Type what belongs to a question that stands at the end of what is new."""
        new = self._said[len(self._answered) :]
        for question, answer in self._answers.items():
            if question in new and new.rstrip(" ").endswith(":"):
                self._answered = self._said
                os.write(self._master, f"{answer}\n".encode())
                return
