# SPDX-License-Identifier: Apache-2.0
"""Other people's text in files that programs and browsers open: shown, never acted on.

By fixed ranges, so that the same text gives the same bytes under every version of Python and of Unicode.
"""

import html
import re
from collections.abc import Iterable
from typing import Final

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U0010ffff"
    "]"
)
_FORMULA: Final = re.compile(r"[\s'\"]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]")


def shown(text: str) -> str:
    """Return a text on one line, with what nobody would see spelt out."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def csv_line(cells: Iterable[str]) -> str:
    """Return one line of a table (RFC 4180); no cell is a formula to a spreadsheet.

    What a spreadsheet could calculate with has an apostrophe before it, which says that it is a text.
    """
    return ",".join(f'"{_cell(each)}"' for each in cells) + "\r\n"


def _cell(text: str) -> str:
    plain = shown(text).replace('"', '""')
    return f"'{plain}" if _FORMULA.match(plain) else plain


def in_html(text: str) -> str:
    """Return a text for a place between tags or in a quoted attribute."""
    return html.escape(shown(text), quote=True)
