# SPDX-License-Identifier: Apache-2.0
"""The command on a terminal of its own, and what its screen shows."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from select import select

import pyte

_RUN = "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"
_PATIENCE = 30


@dataclass
class Terminal:
    """A process on a pseudo-terminal; read it with ``until``."""

    words: list[str]
    columns: int = 80
    rows: int = 40
    environment: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    def __post_init__(self) -> None:
        self.screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        size = {"COLUMNS": str(self.columns), "LINES": str(self.rows), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *self.words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **size, "LANG": "C.UTF-8", **self.environment},
            start_new_session=True,
        )
        os.close(slave)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return [line.rstrip() for line in self.screen.display]

    def until(self, seen: Callable[["Terminal"], bool]) -> None:
        """Read until the screen shows something."""
        deadline = time.monotonic() + _PATIENCE
        while not seen(self):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            if not select([self._master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # the other end is closed
                assert seen(self), "\n".join(self.lines)
                return
            self.raw += data
            self._stream.feed(data)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(_PATIENCE)
        os.close(self._master)
        return code


def shows(text: str) -> Callable[[Terminal], bool]:
    """Return what is true once the screen contains the text, maybe where a long line goes on in the next."""
    return lambda terminal: text in "".join(terminal.screen.display)
