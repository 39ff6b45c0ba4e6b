# SPDX-License-Identifier: Apache-2.0
"""Where text goes: columns counted as a terminal counts them, lines that wrap, lists and tables that align.

A cell is a text of ours or ``Foreign``, other people's.  Both lose the power to leave their place: a text of
ours has what cannot be printed made visible too.  No line comes out wider than it may be, so a terminal never
wraps one by itself to where another field begins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import category, east_asian_width

from quorumseal.terminal.foreign import LIMIT, visible
from quorumseal.terminal.look import Look

GAP: Final = "  "
_LEAST_CELL: Final = 8


@dataclass(frozen=True, slots=True)
class Foreign:
    """Text that somebody else wrote."""

    text: str
    limit: int = LIMIT


Cell = str | Foreign


def drawn(cell: Cell, look: Look) -> str:
    """Return a cell as one line that can be printed anywhere."""
    if isinstance(cell, Foreign):
        return visible(cell.text, limit=cell.limit, ascii_only=not look.unicode)
    if cell.isprintable() and (look.unicode or cell.isascii()):
        return cell
    return visible(cell, limit=len(cell), ascii_only=not look.unicode)


def columns(text: str) -> int:
    """Count the columns that a printable text takes; a vowel sign that some terminals join counts as one."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def wrap(text: str, width: int) -> list[str]:
    """Break a line between words so that none is wider than ``width``; break a word only if it must be."""
    if columns(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if columns(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, width)
        lines += full
    return [*lines, line] if line or not lines else lines


def facts(pairs: Sequence[tuple[str, Cell]], look: Look) -> list[str]:
    """Lay out labels and values: the labels in one column, the values wrapped beside it.

    A value goes below its label where that keeps a long word, such as a digest, in one piece.
    """
    indent = max((columns(label) for label, _ in pairs), default=0) + len(GAP)
    lines: list[str] = []
    for label, value in pairs:
        text = drawn(value, look)
        longest = max(map(columns, text.split(" ")))
        below = len(label) - len(label.lstrip()) + len(GAP)
        if longest > look.width - below:
            below = len(GAP)
        least = longest if longest <= look.width - below else _LEAST_CELL
        beside = look.width - indent >= least
        room = look.width - (indent if beside else below)
        margin = " " * (look.width - room)
        first, *rest = wrap(text, room)
        lines += [_padded(label, indent) + first] if beside else [label, margin + first]
        lines += [margin + line for line in rest]
    return [line.rstrip() for line in lines]


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], look: Look) -> list[str]:
    """Lay out rows in columns; the widest wrap where not all fit, and where none can each row is a list."""
    cells = [list(header), *([drawn(cell, look) for cell in row] for row in rows)]
    room = look.width - len(GAP) * (len(header) - 1)
    widths = _fitted([max(columns(row[at]) for row in cells) for at in range(len(header))], room)
    lines: list[str] = []
    if sum(widths) > room:
        for row in rows:
            lines += ["", *facts(list(zip(header, row, strict=True)), look)]
        return lines[1:]
    for row in cells:
        wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for at in range(max(map(len, wrapped))):
            parts = [cell[at] if at < len(cell) else "" for cell in wrapped]
            line = GAP.join(_padded(part, width) for part, width in zip(parts, widths, strict=True))
            lines.append(line.rstrip())
    return lines


def _fitted(widths: list[int], room: int) -> list[int]:
    """Take from the widest column, again and again, until all fit or none can give more."""
    while sum(widths) > room and max(widths) > _LEAST_CELL:
        widths[widths.index(max(widths))] -= 1
    return widths


def _broken(word: str, width: int) -> list[str]:
    parts = [""]
    for cluster in _clusters(word):
        if parts[-1] and columns(parts[-1] + cluster) > width:
            parts.append("")
        parts[-1] += cluster
    return parts


def _clusters(text: str) -> Iterator[str]:
    """Yield each character with the combining marks that belong to it."""
    cluster = ""
    for each in text:
        if cluster and category(each)[0] != "M":
            yield cluster
            cluster = ""
        cluster += each
    yield cluster


def _columns_of(character: str) -> int:
    if category(character) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))
