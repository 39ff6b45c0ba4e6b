# SPDX-License-Identifier: Apache-2.0
"""Run a command as if on a terminal of a given width, so that it draws itself as people see it."""

import os
import pty
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from quorumseal.terminal import Look


class Process:
    """A command that runs."""

    def __init__(self, output: int, process: subprocess.Popen[bytes]) -> None:
        self._output = output
        self._process = process

    def lines(self) -> Iterator[str]:
        """Yield each line as it is written."""
        rest = b""
        while data := self._read():
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                yield _text(line)
        if rest:
            yield _text(rest)

    @property
    def code(self) -> int:
        """With what it ended."""
        return self._process.wait()

    def _read(self) -> bytes:
        try:
            return os.read(self._output, 1 << 16)
        except OSError:  # Linux says so when the other end is closed
            return b""


@contextmanager
def on_terminal(program: Sequence[str], *, folder: Path, look: Look, width: int) -> Iterator[Process]:
    """Start a command; colours only where ``look`` has them.  It is over when the context is left."""
    output, terminal = pty.openpty()
    try:
        environment = {**os.environ, "COLUMNS": str(width)}
        if not look.colour:
            environment |= {"NO_COLOR": "1", "TERM": "dumb"}
        with subprocess.Popen(
            program, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
        ) as process:
            os.close(terminal)
            terminal = -1
            try:
                yield Process(output, process)
            except BaseException:
                process.terminate()
                raise
    finally:
        os.close(output)
        if terminal >= 0:
            os.close(terminal)


def _text(line: bytes) -> str:
    """Return a line without the terminal's line end, and only what was last written over in it."""
    return line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
