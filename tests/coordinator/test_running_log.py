# SPDX-License-Identifier: Apache-2.0
"""What the coordinator tells its operator: one line each, which nobody else's text can break or forge."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from coordinator.errors import BusyError, ReadOnlyError, StorageFailedError
from coordinator.running_log import JsonLines, LineFormat, TextLines, about, begin
from coordinator.storage import Storage
from coordinator.storage.schema import annexes
from quorumseal.terminal import visible
from tests.organisation import ceremony_number

AT = 1_780_000_000.25  # 2026-05-28T20:26:40.250Z


def record(message: str, *arguments: object, **named: object) -> logging.LogRecord:
    made = logging.LogRecord("coordinator.writer", logging.WARNING, "writer.py", 1, message, arguments, None)
    made.created = AT
    vars(made).update(named)
    return made


def raised(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception as caught:
        made = record("it failed")
        made.exc_info = (type(caught), caught, caught.__traceback__)
        return made


def test_a_line_of_text_says_when_where_what_and_about_what() -> None:
    facts = about(ceremony=ceremony_number(1), reason=ReadOnlyError("no"), caller="signer")
    assert TextLines().format(record("%s waits", "publishing", **facts)) == (
        "2026-05-28T20:26:40.250Z WARNING coordinator.writer: publishing waits"
        f" ceremony={ceremony_number(1)} code=coordinator.read_only caller=signer"
    )


def test_a_line_of_json_has_every_fact_under_its_own_name() -> None:
    facts = about(ceremony=ceremony_number(1), reason=BusyError("no"), caller="operator", call="/a/B")
    assert json.loads(JsonLines().format(record("%s waits", "publishing", **facts))) == {
        "at": "2026-05-28T20:26:40.250Z",
        "level": "warning",
        "logger": "coordinator.writer",
        "message": "publishing waits",
        "ceremony": ceremony_number(1),
        "code": "coordinator.busy",
        "caller": "operator",
        "call": "/a/B",
    }


@pytest.mark.parametrize("reason", [None, RuntimeError("its text may be anything")])
def test_only_a_refusal_has_a_code(reason: Exception | None) -> None:
    assert about(ceremony="", reason=reason) == {"about": {}}


FOREIGN = [
    ("a line end", "a\n2026-05-28T20:26:40.250Z CRITICAL coordinator: all is lost"),
    ("a carriage return", "a\rb"),
    ("an escape sequence", "\x1b[2J\x1b]0;title\x07"),
    ("a C1 control", "\x9b31m"),
    ("a bidirectional mark", "\u202egnp.exe"),
    ("a line separator", "a\u2028b"),
    ("a lone surrogate", "\udcff"),
]


@pytest.mark.parametrize("text", [row[1] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_text_of_others_stays_within_its_line(text: str) -> None:
    for made in (record("notice: %s", text), record("notice", about={"ceremony": text})):
        line = TextLines().format(made)
        assert visible(text) in line
        assert text not in line
        assert len(line.splitlines()) == 1
        line = JsonLines().format(made)
        assert line.isascii()
        assert len(line.splitlines()) == 1
        assert text in (json.loads(line)["message"] + json.loads(line).get("ceremony", ""))


def test_a_traceback_is_indented_so_that_none_of_its_lines_passes_for_ours() -> None:
    lines = TextLines().format(raised(RuntimeError("a\n\x1b[2Jb"))).splitlines()
    assert lines[0].endswith("coordinator.writer: it failed")
    assert lines[1] == "  Traceback (most recent call last):"
    assert lines[-2:] == ["  RuntimeError: a", "  ⟨U+001B⟩[2Jb"]
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_traceback_is_one_field_of_a_json_line() -> None:
    line = JsonLines().format(raised(RuntimeError("a\nb")))
    assert len(line.splitlines()) == 1
    assert json.loads(line)["traceback"].endswith("RuntimeError: a\nb")


def test_a_line_has_an_end_whatever_it_is_about() -> None:
    endless = record("%s", "x" * 10_000_000)
    assert len(TextLines().format(endless)) < 5000
    assert len(JsonLines().format(endless)) < 5000
    assert len(TextLines().format(raised(RuntimeError("x" * 1_000_000)))) < 40_000
    assert len(JsonLines().format(raised(RuntimeError("x" * 1_000_000)))) < 40_000


@contextmanager
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a program whose logging nobody has arranged; put back what ``begin`` sets for the whole process."""
    root = logging.getLogger()
    with monkeypatch.context() as patch:
        patch.setattr(root, "handlers", [])
        patch.setattr(root, "level", root.level)
        patch.setattr(threading, "excepthook", threading.excepthook)
        patch.setenv("GRPC_VERBOSITY", "ERROR")
        yield
        logging.captureWarnings(False)


def test_a_program_that_has_arranged_its_logging_keeps_it() -> None:
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, threading.excepthook
    assert handlers
    begin(LineFormat.JSON)
    assert (root.handlers, root.level, threading.excepthook) == (handlers, level, hook)


def test_a_thread_that_dies_is_told_in_a_line_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()

    def die() -> None:
        raise SystemError("nobody foresaw this")

    with alone(monkeypatch):
        begin(LineFormat.JSON, said)
        thread = threading.Thread(target=die, name="writer")
        thread.start()
        thread.join()
    (line,) = said.getvalue().splitlines()
    told = json.loads(line)
    assert (told["level"], told["message"]) == ("critical", "writer ended by an error that nobody foresaw")
    assert "SystemError: nobody foresaw this" in told["traceback"]


def test_what_is_stored_is_no_part_of_an_error_of_the_database(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'log.sqlite'}")
    secret = {"ceremony": "c", "commitment": "x", "salt": b"swordfish-salt", "text": "swordfish"}
    try:
        with storage.engines.writing() as connection:
            connection.execute(insert(annexes), secret)
        with pytest.raises(StorageFailedError) as failed, storage.engines.writing() as connection:
            connection.execute(insert(annexes), secret)
    finally:
        storage.close()
    for lines in (TextLines(), JsonLines()):
        shown = lines.format(raised(failed.value))
        assert "StorageFailedError" in shown
        assert "swordfish" not in shown
