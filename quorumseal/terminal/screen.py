# SPDX-License-Identifier: Apache-2.0
"""A screen: the answer first, the next command last, other people's text always in its place between.

Data goes to standard output, talk to standard error.  Both are drawn for what the output can show.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from quorumseal.terminal.foreign import visible, visible_lines
from quorumseal.terminal.layout import GAP, Cell, Foreign, drawn, facts, table, wrap
from quorumseal.terminal.look import Look, Mark, Tone, look_of

_LONG: Final = 2000
_ALARM: Final = "!!"


class Screen:
    """Writes one command's output."""

    def __init__(self, out: TextIO, err: TextIO, *, look: Look, err_look: Look) -> None:
        self.look = look
        self.err_look = err_look
        self._out = out
        self._err = err
        self._begun = False
        self._ended = False

    @classmethod
    def on(cls, out: TextIO, err: TextIO, environment: Mapping[str, str]) -> "Screen":
        """Return the screen of a command whose streams and environment these are."""
        return cls(out, err, look=look_of(out, environment), err_look=look_of(err, environment))

    def answer(self, mark: Mark, *parts: Cell) -> None:
        """Write what the person asked for: one sentence, first of all."""
        if self._begun:
            raise ValueError("the answer is the first line of a screen")
        self._data(_marked(self.look, mark, parts))

    def line(self, *parts: Cell) -> None:
        """Write one line of data, wrapped under its own indentation; without parts an empty one."""
        text = _joined(parts, self.look)
        words = text.lstrip()
        indent = text[: min(len(text) - len(words), 2 * len(GAP))]
        self._data([indent + line for line in wrap(words, self.look.width - len(indent))])

    def item(self, mark: Mark, *parts: Cell) -> None:
        """Write a line with a mark, indented under what it belongs to."""
        self._data(_marked(self.look, mark, parts, GAP))

    def note(self, *parts: Cell) -> None:
        """Write what belongs to the item above, indented under its words."""
        lines = wrap(_joined(parts, self.look), self.look.width - 2 * len(GAP))
        self._data([f"{GAP}{GAP}{line}" for line in lines])

    def heading(self, text: str) -> None:
        """Write an empty line and what the lines below are about."""
        lines = wrap(drawn(text, self.look), self.look.width)
        self._data(["", *(self.look.tone(line, Tone.STRONG) for line in lines)])

    def banner(self, *parts: Cell) -> None:
        """Write what nobody may overlook: white on red where there are colours, and behind marks anywhere."""
        self._data(_banner(self.look, parts))

    def alarm(self, *parts: Cell) -> None:
        """Write a banner to standard error, for whoever reads data and not the screen."""
        _write(self._err, _banner(self.err_look, parts))

    def facts(self, pairs: Sequence[tuple[str, Cell]]) -> None:
        """Write labels and values in two columns."""
        self._data(facts(pairs, self.look))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Write rows in aligned columns."""
        self._data(table(header, rows, self.look))

    def quote(self, text: str) -> None:
        """Write other people's text line by line behind a rule, so that no line of it passes for ours."""
        look = self.look
        rule = f"{GAP}│ " if look.unicode else f"{GAP}| "
        for line in visible_lines(text, ascii_only=not look.unicode):
            self._data([(rule + part).rstrip() for part in wrap(line, look.width - len(rule))])

    def drawing(self, lines: Sequence[str]) -> None:
        """Write a drawing, dark on light where there are colours, whatever the terminal's own are."""
        self._data(["", *(f"{GAP}{self.look.tone(line, Tone.PAPER)}" for line in lines)] if lines else [])

    def command(self, command: Sequence[str], *, indent: int = 0) -> None:
        """Write a command on a line of its own, quoted for a shell and never wrapped."""
        self._data([" " * indent + paste(command, ascii_only=not self.look.unicode)])

    def next(self, why: str, command: Sequence[str]) -> None:
        """Write the next command alone on the last line, quoted for a shell."""
        asking = wrap(f"{drawn(why, self.look)}:", self.look.width)
        self._data(["", *asking])
        self.command(command)
        self._ended = True

    def talk(self, *parts: Cell) -> None:
        """Write a line to standard error."""
        _write(self._err, wrap(_joined(parts, self.err_look), self.err_look.width))

    def warn(self, *parts: Cell) -> None:
        """Write a warning to standard error."""
        _write(self._err, _marked(self.err_look, Mark.WARNING, parts))

    def refuse(self, message: str, *, code: str, hint: str = "") -> None:
        """Write to standard error why something was refused, its stable code, and what to do next."""
        look = self.err_look
        _write(self._err, _marked(look, Mark.FAILED, (Foreign(message, _LONG), f"[{code}]")))
        if hint:
            lines = wrap(drawn(Foreign(hint, _LONG), look), look.width - len(GAP))
            _write(self._err, [GAP + line for line in lines])

    def _data(self, lines: Sequence[str]) -> None:
        if self._ended:
            raise ValueError("the next command is the last line of a screen")
        self._begun = True
        _write(self._out, lines)


def _marked(look: Look, mark: Mark, parts: Sequence[Cell], indent: str = "") -> list[str]:
    first, *rest = wrap(_joined(parts, look), look.width - len(indent) - len(GAP))
    return [f"{indent}{look.mark(mark)} {first}", *(f"{indent}{GAP}{line}" for line in rest)]


def _banner(look: Look, parts: Sequence[Cell]) -> list[str]:
    lines = wrap(_joined(parts, look), look.width - len(_ALARM) - 1)
    return [look.tone(f"{_ALARM} {line}", Tone.ALARM) for line in lines]


def _write(stream: TextIO, lines: Sequence[str]) -> None:
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()


def paste(command: Sequence[str], *, ascii_only: bool = False) -> str:
    """Return a command as a shell takes it, with nothing in it that a terminal or a shell would act on."""
    return " ".join(_quoted(word, ascii_only=ascii_only) for word in command)


def _quoted(word: str, *, ascii_only: bool) -> str:
    if visible(word, limit=len(word), ascii_only=ascii_only) == word:
        return shlex.quote(word)
    # $'…' spells out what cannot be seen or looks like something else, and is still the same word
    return "$'" + "".join(map(_spelt, os.fsencode(word))) + "'"


def _spelt(byte: int) -> str:
    if byte in b"\\'":
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02x}"


def _joined(parts: Sequence[Cell], look: Look) -> str:
    return " ".join(drawn(part, look) for part in parts)
