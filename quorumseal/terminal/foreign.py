# SPDX-License-Identifier: Apache-2.0
"""Other people's text, made visible: it can neither move the cursor nor pass for something else.

What is not plainly readable is written as its code point, ``⟨U+202E⟩``.  Notes about the text stand in the
same brackets, which the text itself cannot contain: ``⟨mixed scripts: Cyrillic, Latin⟩`` after a word,
``⟨right-to-left⟩ … ⟨end⟩`` around text that would pull its neighbours along, ``⟨… 12 more characters⟩``.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from unicodedata import category, normalize

from quorumseal.terminal.letters import PUNCTUATION, RIGHT_TO_LEFT, mark_stays, pretence, script_of

LIMIT: Final = 200
_MARKS_IN_A_ROW: Final = 4
_PLAIN_ASCII: Final = re.compile(r"[ -~]*")
_LIKE_A_NOTE: Final = re.compile(r"<(?=U\+|\.\.\.)")


def visible(text: str, *, limit: int = LIMIT, ascii_only: bool = False) -> str:
    """Return the text as one line; at most ``limit`` characters of it are shown.

    ``ascii_only`` is for outputs that can show nothing else: there the brackets are ``<`` and ``>``.
    """
    shown, rest = text[:limit], len(text) - limit
    line = _in_ascii(shown) if ascii_only else _in_unicode(shown)
    if rest <= 0:
        return line
    more = f"{rest} more character{'s' if rest > 1 else ''}"
    return line + (f"<... {more}>" if ascii_only else f"⟨… {more}⟩")


def visible_lines(text: str, *, limit: int = 4000, most: int = 40, ascii_only: bool = False) -> list[str]:
    """Return the text line by line, its own line ends kept; at most ``most`` lines are shown.

    A line end is LF or CR LF.  Whoever prints the lines indents them, so that none passes for our own.
    """
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    shown: list[str] = []
    for line in islice(lines, most):
        shown.append(visible(line, limit=max(limit, 0), ascii_only=ascii_only))
        limit -= len(line)
    if more := len(lines) - most if len(lines) > most else 0:
        note = f"{more} more line{'s' if more > 1 else ''}"
        shown.append(f"<... {note}>" if ascii_only else f"⟨… {note}⟩")
    return shown


def _in_ascii(text: str) -> str:
    bracketed = _LIKE_A_NOTE.sub("<U+003C>", text)
    return "".join(each if " " <= each <= "~" else f"<{_code_point(each)}>" for each in bracketed)


def _in_unicode(text: str) -> str:
    if _PLAIN_ASCII.fullmatch(text):
        return text
    shown = "".join(_words(_pieces(text)))
    if any(script_of(letter) in RIGHT_TO_LEFT for letter in shown):
        return f"⟨right-to-left⟩{shown}⟨end⟩"
    return shown


def _pieces(text: str) -> Iterator[str]:
    """Yield each character as itself or, where it does not stay, in brackets."""
    base, marks = "", 0
    for each in text:
        if category(each)[0] == "M":
            marks += 1
            stays = bool(base) and marks <= _MARKS_IN_A_ROW and mark_stays(each, base)
            composed = normalize("NFC", base + each)
            base = composed if len(composed) == 1 else base
        else:
            letter = script_of(each)
            base, marks = each if letter else "", 0
            stays = " " <= each <= "~" or bool(letter) or each in PUNCTUATION
        yield each if stays else f"⟨{_code_point(each)}⟩"


def _words(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the pieces, and after a word that pretends to be another one a note."""
    word = ""
    for piece in pieces:
        if len(piece) == 1 and category(piece)[0] in "LMN":
            word += piece
        else:
            yield from _word(word)
            yield piece
            word = ""
    yield from _word(word)


def _word(word: str) -> Iterator[str]:
    yield word
    if not word.isascii() and (why := pretence(word)):
        yield f"⟨{why}⟩"


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
