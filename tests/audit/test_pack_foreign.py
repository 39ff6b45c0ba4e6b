# SPDX-License-Identifier: Apache-2.0
"""No text of somebody else's becomes a formula, a tag, or a character that nobody sees."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.audit.pack.foreign import csv_line, in_html, shown

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "|cmd",
    "%0a",
    " =1",
    "\t=1",
    "\r=1",
    '"=1',
    "'=1",
    "\n=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "\ufeff=1",
    "\xa0=1",
    "\u200b=1",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
]


def cells(line: str) -> list[str]:
    (row,) = csv.reader(io.StringIO(line, newline=""))
    return row


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_is_never_a_formula(text: str) -> None:
    (cell,) = cells(csv_line([text]))
    assert cell[0] in "'⟨"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_line_is_one_line_with_its_cells_whatever_is_in_them(texts: list[str]) -> None:
    line = csv_line(texts)
    assert line.endswith("\r\n")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line[:-2])
    read = cells(line)
    assert [cell.removeprefix("'") for cell in read] == [shown(text).removeprefix("'") for text in texts]
    assert not any(
        cell.lstrip(" '\"")[:1] in ("=", "+", "-", "@") and cell[0] != "'" for cell in read if cell
    )


@given(st.text())
def test_in_a_page_a_text_is_a_text(text: str) -> None:
    assert not re.search("[<>\"'\x00-\x1f\x7f]", in_html(text))


def test_what_nobody_would_see_is_spelt_out() -> None:
    assert shown("a\u202eb\x00c\u200bd\U000e0041") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩d⟨U+E0041⟩"
    assert shown("Zoë, Ωmega, 漢字, 😀") == "Zoë, Ωmega, 漢字, 😀"
