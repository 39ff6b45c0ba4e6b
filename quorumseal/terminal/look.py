# SPDX-License-Identifier: Apache-2.0
"""What an output can show: its characters, colours and width, and the marks drawn with them.

Colour is only ever an addition: every mark is a character, and stands beside words.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from typing import Final, TextIO

PLAIN_WIDTH: Final = 100
_LEAST_WIDTH: Final = 20
_NEEDED: Final = "✓✗○…⟨⟩│é"


@unique
class Mark(Enum):
    """A sign at the head of a line: as drawn, as drawn in ASCII, and its colour."""

    DONE = ("✓", "+", "32")
    FAILED = ("✗", "x", "31")
    WARNING = ("!", "!", "33")
    WAITING = ("○", "o", "36")


@unique
class Tone(StrEnum):
    """How a line of ours is coloured where colours are; the value is the terminal's number for it."""

    STRONG = "1"
    FAINT = "2"
    ALARM = "1;97;41"
    PAPER = "30;107"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How to draw for one output."""

    width: int = PLAIN_WIDTH
    unicode: bool = True
    colour: bool = False

    def mark(self, mark: Mark) -> str:
        """Draw a mark."""
        drawn, in_ascii, colour = mark.value
        return self._coloured(drawn if self.unicode else in_ascii, colour)

    def tone(self, text: str, tone: Tone) -> str:
        """Colour a text of ours."""
        return self._coloured(text, tone.value)

    def _coloured(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour else text


def look_of(stream: TextIO, environment: Mapping[str, str]) -> Look:
    """Find out what a stream can show; no colours without a terminal or with ``NO_COLOR`` (no-color.org)."""
    on_terminal = stream.isatty()
    dumb = environment.get("TERM", "") == "dumb"
    return Look(
        width=_width(stream, environment) if on_terminal else PLAIN_WIDTH,
        unicode=_can_encode(stream),
        colour=on_terminal and not dumb and not environment.get("NO_COLOR"),
    )


def _can_encode(stream: TextIO) -> bool:
    try:
        _NEEDED.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _width(stream: TextIO, environment: Mapping[str, str]) -> int:
    columns = environment.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit():
        width = int(columns[:6])
    else:
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except OSError:
            width = 0
    # the last column stays free: terminals differ in what they do once it is filled
    return max(width - 1, _LEAST_WIDTH) if width else PLAIN_WIDTH
