# SPDX-License-Identifier: Apache-2.0
"""Screens: drawn for what the output can show, and nothing leaves its place, whatever other people write."""

import io
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from unicodedata import category, combining, normalize

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quorumseal.terminal import (
    Cell,
    Foreign,
    Look,
    Mark,
    Screen,
    Tone,
    columns,
    drawn,
    facts,
    look_of,
    paste,
    table,
    wrap,
)

pytestmark = pytest.mark.timeout(600)  # a deep run draws ten thousand screens a test

DIGEST = "sha256:" + "0123456789abcdef" * 4
PLAIN = Look(width=60)
NARROW = Look(width=20)
ASCII = Look(width=60, unicode=False)

NAUGHTY = [
    "\x1b[2J\x1b[H\x1b[31mowned",
    "\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[?1049h\x1b[?25l\x1bc\x1b7\x1b8\x1b[s\x1b[u\x1b(0\x0e",
    "\x9b31mowned\x9d0;title\x9c\x90q\x84\x85\x8d",
    "ok\r✗ refused\r\n✓ quorum met",
    "a\b\b\b\b\b\b\b\bb\x7f\x7f\t\v\f\x00\a",
    "/*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin admins only */",
    "\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u200e\u200f\u061c",
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u2061\ufff9\ufffa\ufffb",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349A" * 8,
    "\U000e0001\U000e0041\U000e007f\ufe0f\U000e0100",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "表ポあA鷗ŒéＢ逍Üßªąñ丂㐀𠀀" * 5,  # noqa: RUF001 - the naughty part
    "한" * 90,
    "שלום 12 של 30 سلام",
    "\u2028\u2029\u0085\u000b\u000c",
    "│ ─ ✓ ✗ ○ ⟨U+0041⟩ ⟨end⟩",
    "x" * 500,
    " " * 300,
    "a " * 200,
    "\ud800\udfff\uffff\U0010ffff",
    "हिन्दी में लिखा गया एक लंबा वाक्य " * 6,
    "$(reboot) `reboot` ; reboot # ' \" \\ \n reboot",
    "",
]
TEXTS = (
    st.text(max_size=120)
    | st.sampled_from(NAUGHTY)
    | st.sampled_from(NAUGHTY).flatmap(lambda text: st.permutations(text[:40]).map("".join))
)


def shown_by_a_terminal(output: str, width: int) -> list[str]:
    """Feed output to a terminal; return its lines once nothing but characters is seen to have changed."""
    height = output.count("\n") + 2
    screen = pyte.Screen(width + 1, height)
    modes, before = set(screen.mode), screen.buffer[0][0]
    pyte.Stream(screen).feed(output.replace("\n", "\r\n"))
    assert (screen.cursor.x, screen.cursor.y) == (0, height - 2), "the cursor went elsewhere"
    assert screen.mode == modes
    assert screen.title == screen.icon_name == ""
    assert screen.margins is None
    assert not screen.cursor.hidden
    for line in screen.buffer.values():
        for cell in line.values():
            assert cell._replace(data=before.data) == before, "an attribute changed"
    return [line.rstrip() for line in screen.display]


def held(lines: Sequence[str], width: int) -> None:
    """Check that a terminal shows these lines exactly as they were laid out."""
    assert all(columns(line) <= width for line in lines)
    # pyte gives up a line at a vowel sign that is drawn within its letter: those are left to real terminals
    lines = ["".join(each for each in line if category(each)[0] != "M" or combining(each)) for line in lines]
    output = "".join(f"{line}\n" for line in lines)
    expected = [normalize("NFC", line.rstrip()) for line in [*lines, "", ""]]
    assert [normalize("NFC", line) for line in shown_by_a_terminal(output, width)] == expected


@given(TEXTS, TEXTS, st.sampled_from([PLAIN, NARROW, ASCII]))
@example(NAUGHTY[0], NAUGHTY[9], PLAIN)
def test_other_peoples_text_stays_beside_its_label(one: str, other: str, look: Look) -> None:
    lines = facts([("Reason", Foreign(one)), ("Ticket", Foreign(other)), ("Digest", DIGEST)], look)
    held(lines, look.width)
    labels = [line[:6] for line in lines if not line.startswith(" ")]
    assert labels == ["Reason", "Ticket", "Digest"]
    assert "".join(line[8:] for line in lines[-5:]).endswith(DIGEST[-8:])


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3), st.sampled_from([PLAIN, NARROW, ASCII]))
def test_other_peoples_text_stays_in_its_column(rows: list[tuple[str, str]], look: Look) -> None:
    cells: list[list[Cell]] = [["carol", Foreign(one), Foreign(other)] for one, other in rows]
    lines = table(["Person", "Reason", "Ticket"], cells, look)
    held(lines, look.width)
    if look is not NARROW:
        column = [line[:6].rstrip() for line in lines]
        assert [each for each in column if each] == ["Person", *["carol"] * len(rows)]


@given(TEXTS, st.booleans())
def test_a_whole_screen_holds_other_peoples_text(text: str, unicode: bool) -> None:
    out, err = io.StringIO(), io.StringIO()
    look = Look(width=50, unicode=unicode)
    screen = Screen(out, err, look=look, err_look=look)
    screen.answer(Mark.WAITING, "Open:", Foreign(text), "waits for two people.")
    screen.heading("What they wrote")
    screen.quote(text)
    screen.item(Mark.DONE, "carol:", Foreign(text))
    screen.line("said by", Foreign(text))
    screen.warn("look twice at", Foreign(text))
    screen.refuse(text, code="test.refused", hint=text)
    screen.talk(Foreign(text))
    for stream in (out, err):
        held(stream.getvalue().split("\n")[:-1], look.width)
        assert unicode or stream.getvalue().isascii()


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_line_of_a_quotation_passes_for_ours(text: str) -> None:
    out = io.StringIO()
    Screen(out, io.StringIO(), look=PLAIN, err_look=PLAIN).quote(text)
    assert all(line.startswith("  │") for line in out.getvalue().split("\n")[:-1])


def test_a_line_and_a_heading_wrap_and_keep_their_indentation() -> None:
    out = io.StringIO()
    screen = Screen(out, io.StringIO(), look=Look(width=20), err_look=PLAIN)
    screen.line("  one two three four five")
    screen.line(" " * 30 + "six")
    screen.heading("What is too long for one line")
    assert out.getvalue() == "  one two three four\n  five\n    six\n\nWhat is too long for\none line\n"


def test_text_of_ours_is_made_visible_too() -> None:
    assert drawn("a\x1b[31mb", PLAIN) == "a⟨U+001B⟩[31mb"
    assert drawn("✓ done…", PLAIN) == "✓ done…"
    assert drawn("✓", ASCII) == "<U+2713>"


def test_a_screen_is_the_answer_then_the_facts_then_the_next_command() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, look=PLAIN, err_look=PLAIN)
    screen.answer(Mark.WAITING, "libfoo 1.2 waits for one more approval.")
    screen.facts([("Deadline", "in 2 h 14 min"), ("Reason", Foreign("first line\nsecond"))])
    screen.heading("Roles")
    screen.table(["Role", "Missing"], [["security", "Carol or Dan"], ["release", "nobody"]])
    screen.line()
    screen.talk("hashed 3 files")
    screen.next("To see why", ["quorumseal", "why", "lib foo"])
    assert out.getvalue() == (
        "○ libfoo 1.2 waits for one more approval.\n"
        "Deadline  in 2 h 14 min\n"
        "Reason    first line⟨U+000A⟩second\n"
        "\n"
        "Roles\n"
        "Role      Missing\n"
        "security  Carol or Dan\n"
        "release   nobody\n"
        "\n"
        "\n"
        "To see why:\n"
        "quorumseal why 'lib foo'\n"
    )
    assert err.getvalue() == "hashed 3 files\n"


def test_a_refusal_says_its_code_and_its_hint_on_standard_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, look=PLAIN, err_look=Look(width=40))
    screen.refuse("expected two people, got one", code="quorum.short", hint="ask Carol, then try again")
    screen.refuse("no hint", code="other")
    screen.warn("the policy expires in 3 days")
    assert err.getvalue() == (
        "✗ expected two people, got one\n"
        "  [quorum.short]\n"
        "  ask Carol, then try again\n"
        "✗ no hint [other]\n"
        "! the policy expires in 3 days\n"
    )
    assert out.getvalue() == ""


def test_the_answer_comes_first_and_the_next_command_last() -> None:
    screen = Screen(io.StringIO(), io.StringIO(), look=PLAIN, err_look=PLAIN)
    screen.talk("what goes to standard error comes whenever it wants")
    screen.line("data")
    with pytest.raises(ValueError, match="first line"):
        screen.answer(Mark.DONE, "too late")
    screen.next("Next", ["true"])
    with pytest.raises(ValueError, match="last line"):
        screen.line("more")
    with pytest.raises(ValueError, match="last line"):
        screen.next("Next", ["true"])
    screen.talk("still free to talk")


@pytest.mark.parametrize("mark", Mark)
def test_colour_is_only_an_addition_to_a_mark(mark: Mark) -> None:
    colour = Look(colour=True)
    assert PLAIN.mark(mark) in "✓✗!○"
    assert ASCII.mark(mark) in "+x!o"
    assert colour.mark(mark).replace("\x1b[0m", "").endswith(f"m{PLAIN.mark(mark)}")
    assert len({look.mark(each) for each in Mark for look in (PLAIN,)}) == len(Mark)


def test_a_coloured_screen_leaves_no_colour_behind() -> None:
    out = io.StringIO()
    screen = Screen(out, out, look=Look(width=40, colour=True), err_look=PLAIN)
    screen.heading("Heading")
    screen.item(Mark.FAILED, "carol", Foreign("\x1b[32m"))
    terminal = pyte.Screen(41, 5)
    pyte.Stream(terminal).feed(out.getvalue().replace("\n", "\r\n"))
    assert terminal.buffer[1][0].bold
    assert terminal.buffer[2][2].fg == "red"
    assert terminal.buffer[2][4].fg == terminal.cursor.attrs.fg == "default"
    assert PLAIN.tone("text", Tone.FAINT) == "text"


class Terminal(io.StringIO):
    """A stream that says it is a terminal, in some encoding, of unknown size."""

    def __init__(self, encoding: str | None = "utf-8", *, on_terminal: bool = True) -> None:
        super().__init__()
        self._encoding, self._on_terminal = encoding, on_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override] # None is what a StringIO has
        return self._encoding  # type: ignore[return-value] # likewise

    def isatty(self) -> bool:
        return self._on_terminal


@pytest.mark.parametrize(
    ("stream", "environment", "look"),
    [
        (Terminal(), {}, Look(colour=True)),
        (Terminal(), {"NO_COLOR": "1"}, Look()),
        (Terminal(), {"NO_COLOR": ""}, Look(colour=True)),
        (Terminal(), {"TERM": "dumb"}, Look()),
        (Terminal(on_terminal=False), {"COLUMNS": "40"}, Look()),
        (Terminal("ascii"), {}, Look(colour=True, unicode=False)),
        (Terminal("latin-1"), {}, Look(colour=True, unicode=False)),
        (Terminal("no such encoding"), {}, Look(colour=True, unicode=False)),
        (Terminal(None), {}, Look(colour=True, unicode=False)),
        (Terminal(), {"COLUMNS": "133"}, Look(colour=True, width=132)),
        (Terminal(), {"COLUMNS": "3"}, Look(colour=True, width=20)),
        (Terminal(), {"COLUMNS": "0"}, Look(colour=True)),
        (Terminal(), {"COLUMNS": "wide"}, Look(colour=True)),
        (Terminal(), {"COLUMNS": "\u0664\u0660"}, Look(colour=True)),
    ],
)
def test_an_output_is_drawn_for_as_what_it_is(
    stream: Terminal, environment: dict[str, str], look: Look
) -> None:
    assert look_of(stream, environment) == look
    screen = Screen.on(stream, Terminal("ascii"), environment)
    assert (screen.look, screen.err_look.unicode) == (look, False)


def test_the_width_of_a_real_terminal_is_found() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", closefd=True), os.fdopen(follower, "w", encoding="utf-8") as stream:
        termios.tcsetwinsize(stream.fileno(), (24, 78))
        assert look_of(stream, {}) == Look(width=77, colour=True)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("fits", 4, ["fits"]),
        ("two words", 8, ["two", "words"]),
        ("a longestword b", 5, ["a", "longe", "stwor", "d b"]),
        ("日本語日本", 5, ["日本", "語日", "本"]),
        ("cafe\u0301s", 4, ["cafe\u0301", "s"]),
        ("a  b", 3, ["a ", "b"]),
        ("full ", 4, ["full"]),
        ("     ", 4, [""]),
    ],
)
def test_lines_break_between_words_and_within_only_where_they_must(
    text: str, width: int, lines: list[str]
) -> None:
    assert wrap(text, width) == lines


@pytest.mark.parametrize("width", [73, 79, 82, 100])
def test_a_digest_is_never_broken_on_a_terminal_of_80_columns(width: int) -> None:
    lines = facts([("Artifact", f"libfoo-1.2.tar.gz {DIGEST}"), ("Role", "release")], Look(width=width))
    assert sum(DIGEST in line for line in lines) == 1
    assert lines[-1] == "Role      release"


def test_a_value_that_does_not_fit_beside_its_label_goes_below() -> None:
    assert facts([("Digest", DIGEST)], Look(width=75)) == ["Digest", f"  {DIGEST}"]
    assert facts([("A label that is long", "value")], NARROW) == ["A label that is long", "  value"]
    assert facts([("  digest", DIGEST)], Look(width=80)) == ["  digest", f"    {DIGEST}"]
    assert facts([("  digest", DIGEST)], Look(width=74)) == ["  digest", f"  {DIGEST}"]
    assert facts([], PLAIN) == []


def test_where_the_columns_of_a_table_do_not_fit_each_row_becomes_a_list() -> None:
    assert table(
        ["Person", "Role", "Since"], [["carol", "security", "2 h"], ["dan", "release", "3 h"]], NARROW
    ) == [
        "Person  carol",
        "Role    security",
        "Since   2 h",
        "",
        "Person  dan",
        "Role    release",
        "Since   3 h",
    ]
    assert table(["One long name", "Two long names", "Three of them"], [], NARROW) == []


def test_the_widest_column_wraps_first() -> None:
    rows: list[list[Cell]] = [["carol", "a long reason that does not fit", "2 h"]]
    assert table(["Person", "Reason", "Since"], rows, Look(width=34)) == [
        "Person  Reason               Since",
        "carol   a long reason that   2 h",
        "        does not fit",
    ]


@pytest.mark.parametrize("word", [*NAUGHTY, "plain", "a b", "Übersicht.pdf", "it's", "\u0430bc'\\"])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_pasted_command_is_printable_and_means_the_same_to_a_shell(word: str, ascii_only: bool) -> None:
    word = word.replace("\x00", "").encode("utf-8", "replace").decode()  # what no program can be given
    command = paste(["printf", "%s", word], ascii_only=ascii_only)
    assert all(each.isprintable() or category(each) == "Mn" for each in command)
    assert command.isascii() or not ascii_only
    result = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert result.stdout == word.encode()


def test_a_word_that_is_shown_as_it_is_needs_no_spelling_out() -> None:
    assert paste(["verify", "Übersicht.pdf", "a b"]) == "verify Übersicht.pdf 'a b'".replace(
        "Übersicht.pdf", "'Übersicht.pdf'"
    )
    assert paste(["Übersicht.pdf"], ascii_only=True) == r"$'\xc3\x9cbersicht.pdf'"


def test_the_package_imports_nothing_heavy() -> None:
    code = "import quorumseal.terminal, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"rich", "nacl", "cryptography", "grpc", "sqlalchemy", "asyncio"} & set(loaded)
