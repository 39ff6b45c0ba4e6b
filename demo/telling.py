# SPDX-License-Identifier: Apache-2.0
"""How the demo is shown: commands as they are typed, with the time; what they say, as they say it."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from demo.pseudo_terminal import on_terminal
from quorumseal.terminal import Cell, Look, Mark, Tone, drawn, look_of, wrap

_GUTTER: Final = 8
_DEEP: Final = 10
_MARKED: Final = re.compile("|".join(rf"{re.escape(sign)} " for mark in Mark for sign in mark.value[:2]))
_GOES_ON: Final = " \\"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said, and with what it ended."""

    code: int
    lines: tuple[str, ...]


class Telling:
    """Writes the demo's output."""

    def __init__(self, out: TextIO, environment: Mapping[str, str]) -> None:
        self.look: Look = look_of(out, environment)
        self._out = out
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def line(self, text: Cell = "") -> None:
        """Write a line of the demo's own at the margin."""
        self._write(wrap(drawn(text, self.look), self.look.width))

    def answer(self, mark: Mark, text: str) -> None:
        """Write a line with a mark at the margin."""
        self._write(wrap(f"{self.look.mark(mark)} {drawn(text, self.look)}", self.look.width))

    def chapter(self, title: str) -> None:
        """Begin what the lines below are about."""
        self._write(["", self.look.tone(title, Tone.STRONG)])

    def remark(self, text: str) -> None:
        """Say what is going on, under a chapter or before a command."""
        room = self.look.width - _GUTTER
        self._write([" " * _GUTTER + self.look.tone(part, Tone.FAINT) for part in wrap(text, room)])

    def command(self, typed: Sequence[str]) -> None:
        """Write a command as its words are typed, and when; a long one goes on in the next line."""
        lines = [""]
        for unit in _with_values(typed):
            if lines[-1] and len(lines[-1]) + len(unit) >= self.look.width - _DEEP - len(_GOES_ON):
                lines.append(" ")
            lines[-1] += f" {unit}" if lines[-1] else unit
        for number, line in enumerate(lines, start=1):
            lead = f"{self.seconds:5.1f} s $ " if number == 1 else " " * _DEEP
            goes_on = _GOES_ON if number < len(lines) else ""
            self._write([lead + self.look.tone(line, Tone.STRONG) + goes_on])

    def output(self, lines: Sequence[str]) -> None:
        """Write what a program said, under its command."""
        self._write([f"{' ' * _DEEP}{line}" for line in lines])

    def item(self, mark: Mark, *texts: Cell) -> None:
        """Write a line with a mark, as a command says it; the texts after the first stand below it."""
        for number, text in enumerate(texts):
            lead = self.look.mark(mark) if number == 0 else " "
            first, *rest = wrap(drawn(text, self.look), self.look.width - _DEEP - 2)
            self.output([f"{lead} {first}", *(f"  {part}" for part in rest)])

    def lines(self, lines: Sequence[str]) -> None:
        """Write lines that are laid out already."""
        self._write([self._coloured(line) for line in lines])

    def said(self, line: str) -> None:
        """Write what a program in the background wrote to its file, where there are no colours."""
        self.output([self._coloured(line)])

    def run(self, typed: Sequence[str], program: Sequence[str], *, folder: Path, brief: bool = False) -> Ran:
        """Run a command in the foreground and show what it says as it says it; if ``brief``, its answer."""
        self.command(typed)
        lines = []
        with on_terminal(program, folder=folder, look=self.look, width=self.look.width - _DEEP) as process:
            for line in process.lines():
                lines.append(line)
                if not brief:
                    self.output([line])
            code = process.code
        plain = [_COLOUR.sub("", line) for line in lines]
        if brief:
            answers = [line for line, text in zip(lines, plain, strict=True) if _MARKED.match(text)]
            self.output(lines if code else answers[-1:])
        return Ran(code, tuple(plain))

    def _coloured(self, line: str) -> str:
        """Colour the first mark of a line, at its beginning or behind somebody's name."""
        for mark in Mark:
            line = re.sub(rf"^((?:\w+ +│ )?){mark.value[0]} ", rf"\1{self.look.mark(mark)} ", line, count=1)
        return line

    def _write(self, lines: Sequence[str]) -> None:
        self._out.write("".join(f"{line.rstrip()}\n" for line in lines))
        self._out.flush()


def _with_values(words: Sequence[str]) -> list[str]:
    """Keep options and their values together."""
    units: list[str] = []
    for word in words:
        if units and units[-1].startswith("--") and " " not in units[-1] and not word.startswith("-"):
            units[-1] += f" {word}"
        else:
            units.append(word)
    return units
