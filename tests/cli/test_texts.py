# SPDX-License-Identifier: Apache-2.0
import io
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from quorumseal.cli.errors import FileError, UsageError
from quorumseal.cli.texts import add_text, read_text
from quorumseal.client.values import MAX_TEXT_BYTES


def given(*words: str) -> Namespace:
    parser = ArgumentParser()
    add_text(parser, "why", "why")
    return parser.parse_args(words)


def put_in(monkeypatch: pytest.MonkeyPatch, data: bytes, *, terminal: bool = False) -> None:
    stream = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdin", stream)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)


def test_a_text_is_taken_as_it_is_written() -> None:
    assert read_text(given("--why", " as it is "), "why", "Why?") == " as it is "


def test_a_text_is_read_from_a_file_without_the_blanks_around_it(tmp_path: Path) -> None:
    file = tmp_path / "why.txt"
    file.write_text("\none line\nand another\n")
    assert read_text(given("--why-file", str(file)), "why", "Why?") == "one line\nand another"


def test_a_text_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, "ça brûle\n".encode())
    assert read_text(given("--why-file", "-"), "why", "Why?") == "ça brûle"


def test_somebody_at_a_terminal_is_asked_until_an_empty_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in(monkeypatch, b"one line\nand another\n\nno more\n", terminal=True)
    assert read_text(given(), "why", "Why can it not wait?") == "one line\nand another"
    assert "Why can it not wait? (end with an empty line)" in capsys.readouterr().err


def test_nobody_is_asked_where_nobody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, b"something\n")
    with pytest.raises(UsageError) as refused:
        read_text(given(), "why", "Why?")
    assert refused.value.hint == "--why-file - reads it from standard input"


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"x" * (MAX_TEXT_BYTES + 1)], ids=["no text", "more than a text may be"]
)
def test_what_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes) -> None:
    put_in(monkeypatch, data)
    with pytest.raises(FileError):
        read_text(given("--why-file", "-"), "why", "Why?")
    file = tmp_path / "why.txt"
    file.write_bytes(data)
    with pytest.raises(FileError):
        read_text(given("--why-file", str(file)), "why", "Why?")
