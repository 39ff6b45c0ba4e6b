# SPDX-License-Identifier: Apache-2.0
"""Programs beside the demo: each writes to a file of its own, and is stopped by its own process id."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PATIENCE: Final = 30.0
_POLL: Final = 0.02


class ProcessError(Exception):
    """A program that should run does not, or did not say what it should."""


class Running:
    """A program in the background.  It outlives the demo unless it is stopped."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, folder: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which stops what it started
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def lines(self) -> list[str]:
        """Return the lines that it has written so far."""
        text = self.log.read_text(errors="replace")
        return text[: text.rfind("\n") + 1].splitlines()

    def wait_for(self, *words: str, after: int = 0, patience: float = PATIENCE) -> str:
        """Return the first line from number ``after`` on that has all ``words`` in it, once it is there."""
        until = time.monotonic() + patience
        while True:
            ended = self._process.poll() is not None
            lines = self.lines()
            for line in lines[after:]:
                if all(word in line for word in words):
                    return line
            if ended or time.monotonic() > until:
                how = f"ended with {self._process.returncode}" if ended else f"did not within {patience:g} s"
                said = "\n".join(lines[-20:]) or "(nothing)"
                what = " … ".join(words)
                raise ProcessError(f"expected {self.name} to say {what!r}, but it {how}; it said:\n{said}")
            time.sleep(_POLL)

    def ask_to_end(self) -> None:
        """Send it SIGTERM if it is there."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self, patience: float = 10.0) -> None:
        """See it end, whether it likes to or not."""
        self.ask_to_end()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stop_all(running: Sequence[Running]) -> None:
    """Stop programs: all are asked, the last started first, before any is waited for."""
    for program in reversed(running):
        program.ask_to_end()
    for program in reversed(running):
        program.end()


def stop_by_id(pid: int, mentions: str, patience: float = 10.0) -> None:
    """Stop a program that an earlier demo left running; never another one that took over its id."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if mentions not in _command_of(pid):
            return
        os.kill(pid, number)
        until = time.monotonic() + patience
        while mentions in _command_of(pid) and time.monotonic() < until:
            time.sleep(_POLL)


def _command_of(pid: int) -> str:
    """Return the command line of a process, an empty one where there is none."""
    kernel = Path(f"/proc/{pid}/cmdline")
    try:
        if Path("/proc/self").exists():
            return kernel.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    ps = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout
