# SPDX-License-Identifier: Apache-2.0
"""Other people's text: what stays, what is spelt out, and what is said about it."""

import sys
from unicodedata import bidirectional, category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from quorumseal.terminal import columns, visible, visible_lines
from quorumseal.terminal.unseen import unseen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fixes CVE-2026-1234; see https://example.com/?a=1&b=<c> {d} [e] `f` $g \\h ~",
        "Ä Straße in Køln, déjà vu, Łódź, İstanbul, tiếng Việt",
        "decomposed cafe\u0301",
        "“quotes” \u2013 dashes — and an ellipsis… for 5 €",
        "Съешь ещё этих мягких французских булок",
        "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
        "Հայերեն ქართული አማርኛ",
        "सत्यमेव जयते",
        "ไทยแลนด์ ພາສາລາວ ភាសាខ្មែរ",
        "日本語のテキスト、「引用」。コーヒー 中文 한국어 ㄅㄆㄇ",
        "使用Linux系统 リリースv2",
        "я и он с ней",  # noqa: RUF001 - a whole word in Russian
    ],
)
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("\x1b]0;title\x07", "⟨U+001B⟩]0;title⟨U+0007⟩"),
        ("a\rb\bc\td", "a⟨U+000D⟩b⟨U+0008⟩c⟨U+0009⟩d"),
        ("two\nlines", "two⟨U+000A⟩lines"),
        ("\x00\x7f\x85\x9b", "⟨U+0000⟩⟨U+007F⟩⟨U+0085⟩⟨U+009B⟩"),
        ("user\u202e\u2066 // admin\u2069", "user⟨U+202E⟩⟨U+2066⟩ // admin⟨U+2069⟩"),
        ("zero\u200bwidth\u200d\ufeff", "zero⟨U+200B⟩width⟨U+200D⟩⟨U+FEFF⟩"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
        ("no\u00a0break em\u2003space", "no⟨U+00A0⟩break em⟨U+2003⟩space"),
        ("line\u2028paragraph\u2029", "line⟨U+2028⟩paragraph⟨U+2029⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("private\ue000", "private⟨U+E000⟩"),
        ("unassigned\U0003fff0", "unassigned⟨U+3FFF0⟩"),
        ("half\ud800", "half⟨U+D800⟩"),
        ("filler\u3164\u115f\u2800", "filler⟨U+3164⟩⟨U+115F⟩⟨U+2800⟩"),
        ("ក\u17b4", "ក⟨U+17B4⟩"),
        ("\u2713 approved", "⟨U+2713⟩ approved"),
        ("\u2502 a rule of ours", "⟨U+2502⟩ a rule of ours"),
        ("⟨U+0041⟩", "⟨U+27E8⟩U+0041⟨U+27E9⟩"),
        ("\uff26\uff35\uff2c\uff2c", "⟨U+FF26⟩⟨U+FF35⟩⟨U+FF2C⟩⟨U+FF2C⟩"),
        ("\U0001d400\U0001d7cf", "⟨U+1D400⟩⟨U+1D7CF⟩"),
        ("\ufb01le", "⟨U+FB01⟩le"),
        ("v\u0661", "v⟨U+0661⟩"),
        ("10\u00b2", "10⟨U+00B2⟩"),
        ("\u0251lpha \u1d00 \u01c3", "⟨U+0251⟩lpha ⟨U+1D00⟩ ⟨U+01C3⟩"),
        ("\u13aa\u13a1", "⟨U+13AA⟩⟨U+13A1⟩"),
        ("a\u2215b 2\u22123 \u2010", "a⟨U+2215⟩b 2⟨U+2212⟩3 ⟨U+2010⟩"),
        ("\U0001f44d\U0001f3fd", "⟨U+1F44D⟩⟨U+1F3FD⟩"),
        ("x\ufe0f", "x⟨U+FE0F⟩"),
        ("\u0301first", "⟨U+0301⟩first"),
        (" \u0301", " ⟨U+0301⟩"),
        ("1\u0338", "1⟨U+0338⟩"),
        ("e\u0338", "e⟨U+0338⟩"),
        ("a\u20dd", "a⟨U+20DD⟩"),
        ("e\u0301\u0301", "é⟨U+0301⟩"),
        ("к\u093f", "к⟨U+093F⟩"),
        ("\u1100\u1161", "⟨U+1100⟩⟨U+1161⟩"),
    ],
)
def test_what_is_not_plainly_readable_is_spelt_out(text: str, shown: str) -> None:
    assert normalize("NFC", visible(text)) == normalize("NFC", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p\u0430ypal", "p\u0430ypal⟨mixed scripts: Cyrillic, Latin⟩"),
        ("see lib-p\u0430y.example", "see lib-p\u0430y⟨mixed scripts: Cyrillic, Latin⟩.example"),
        ("\u03b1dmin", "\u03b1dmin⟨mixed scripts: Greek, Latin⟩"),
        ("п\u03b1", "п\u03b1⟨mixed scripts: Cyrillic, Greek⟩"),
        ("\u30cfп", "\u30cfп⟨mixed scripts: Cyrillic, Katakana⟩"),
        ("한ア", "한ア⟨mixed scripts: Hangul, Katakana⟩"),
        ("\u0440\u0430\u0443.example", "\u0440\u0430\u0443⟨Cyrillic letters⟩.example"),
        ("\u0391\u0392\u0395", "\u0391\u0392\u0395⟨Greek letters⟩"),
        ("1\u0430", "1\u0430⟨Cyrillic letters⟩"),
        ("\u0435\u0300pple", "\u0435\u0300pple⟨mixed scripts: Cyrillic, Latin⟩"),
    ],
)
def test_a_word_that_may_pass_for_another_is_said_to(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["שלום", "approved by עדה", "سلام", "ދިވެހި"])
def test_right_to_left_letters_are_fenced_with_latin_ones(text: str) -> None:
    assert visible(text) == f"⟨right-to-left⟩{text}⟨end⟩"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("caf\u00e9", "caf<U+00E9>"),
        ("\x1b[0m", "<U+001B>[0m"),
        ("a < b <c>", "a < b <c>"),
        ("<U+0041>", "<U+003C>U+0041>"),
        ("<... 3 more characters>", "<U+003C>... 3 more characters>"),
    ],
)
def test_where_only_ascii_can_be_shown_all_else_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text, ascii_only=True) == shown


@pytest.mark.parametrize(
    ("length", "note"),
    [(5, ""), (6, "⟨… 1 more character⟩"), (17, "⟨… 12 more characters⟩")],
)
def test_long_text_is_cut_and_says_by_how_much(length: int, note: str) -> None:
    assert visible("x" * length, limit=5) == "xxxxx" + note
    assert visible("x" * length, limit=5, ascii_only=True) == "xxxxx" + note.translate(
        {ord("⟨"): "<", ord("⟩"): ">", ord("…"): "..."}
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one", ["one"]),
        ("one\ntwo\r\n\nfour\n", ["one", "two", "", "four"]),
        ("a\rb", ["a⟨U+000D⟩b"]),
        ("a\u2028b\x0bc\x0cd\x85e", ["a⟨U+2028⟩b⟨U+000B⟩c⟨U+000C⟩d⟨U+0085⟩e"]),
    ],
)
def test_line_ends_are_lf_and_cr_lf_and_nothing_else(text: str, lines: list[str]) -> None:
    assert visible_lines(text) == lines


def test_many_lines_are_cut_and_say_by_how_many() -> None:
    assert visible_lines("a\n" * 5, most=3) == ["a", "a", "a", "⟨… 2 more lines⟩"]
    assert visible_lines("a\n" * 4, most=3, ascii_only=True)[-1] == "<... 1 more line>"


def test_many_characters_over_several_lines_are_cut_too() -> None:
    assert visible_lines("abcd\nefgh\nij", limit=6) == [
        "abcd",
        "ef⟨… 2 more characters⟩",
        "⟨… 2 more characters⟩",
    ]


_MANY = {"Cn", "Co", "Cs"}


def test_whatever_looks_like_nothing_or_like_a_space_is_spelt_out_wherever_it_stands() -> None:
    assigned = (each for each in map(chr, range(sys.maxunicode + 1)) if category(each) not in _MANY)
    found = [each for each in assigned if unseen(each)]
    assert len(found) > 500
    for each in found:
        for before in ("", "a", "ក", "한", "ᄀ", "\u05d0"):
            assert f"⟨U+{ord(each):04X}⟩" in visible(f"{before}{each}b"), ascii(before + each)
        assert visible(f"a{each}b", ascii_only=True) == f"a<U+{ord(each):04X}>b"


def test_every_code_point_that_unicode_lets_a_screen_ignore_is_unseen() -> None:
    """Default_Ignorable_Code_Point of Unicode 15.1, but for what is not a character."""
    ignorable = (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    )  # fmt: skip
    for first, last in ignorable:
        assert [ascii(chr(each)) for each in range(first, last + 1) if not unseen(chr(each))] == []
    assert [each for each in map(chr, range(0x20, 0x7F)) if unseen(each)] == []


def test_no_control_and_no_bidirectional_mark_stays_anywhere_in_unicode() -> None:
    hostile = {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI", "BN", "B", "S"}
    for number in [
        *range(0x3400),
        *range(0x3400, 0xD800, 53),
        *range(0xD7FF, 0x20000),
        *range(0xE0000, 0xE0200),
    ]:
        character = chr(number)
        if category(character)[0] in "CZ" or bidirectional(character) in hostile:
            expected = character if character == " " else f"⟨U+{number:04X}⟩"
            assert visible(character) == expected


def test_a_terminal_counts_every_character_that_stays_as_we_do() -> None:
    for number in [*range(0xA1, 0x3400), *range(0x3400, sys.maxunicode + 1, 53)]:
        character = chr(number)
        if category(character) not in {"Mc", "Mn"} and visible(character) == character:
            assert columns(character) == wcwidth(character), hex(number)


@given(st.text(max_size=300))
def test_what_is_shown_is_printable_and_of_bounded_length(text: str) -> None:
    for ascii_only in (False, True):
        shown = visible(text, limit=100, ascii_only=ascii_only)
        assert all(each.isprintable() or category(each) == "Mn" for each in shown)
        assert len(shown) < 100 * 60
        assert shown.isascii() or not ascii_only


@given(st.text(alphabet=st.sampled_from("<>U+.04A1⟨⟩… more\u202e"), max_size=30), st.booleans())
def test_two_texts_are_never_shown_alike(text: str, ascii_only: bool) -> None:
    """Undoing the code points gives the text back, so nothing can imitate a note of ours."""
    opening, closing = "<>" if ascii_only else "⟨⟩"
    shown = visible(text, limit=len(text), ascii_only=ascii_only)
    back, rest = "", shown
    while rest:
        if rest.startswith(f"{opening}U+"):
            number, _, rest = rest[3:].partition(closing)
            back += chr(int(number, 16))
        else:
            back, rest = back + rest[0], rest[1:]
    assert back == text
