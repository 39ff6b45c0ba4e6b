# SPDX-License-Identifier: Apache-2.0
"""What the coordinator tells its operator while it runs: one line each on stderr, as text or as JSON.

This is not the log, which is the record of what was decided; nothing here is signed and nobody relies on it.
Whatever others wrote is shown so that it cannot pass for a line of ours, and no secret is ever handed in.
"""

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Final, TextIO, TypeAlias

from quorumseal.refusal import Refusal
from quorumseal.terminal import visible, visible_lines

_LONGEST_MESSAGE: Final = 4000
_LONGEST_TRACEBACK: Final = 32_000
_MOST_LINES: Final = 400
_ABOUT: Final = "about"
About: TypeAlias = dict[str, dict[str, str]]
_log = logging.getLogger(__name__)


@unique
class LineFormat(StrEnum):
    """How a line is written."""

    TEXT = "text"
    """For people who read it as it comes."""
    JSON = "json"
    """One object on each line, for programs that collect it."""


def about(
    *, ceremony: str = "", reason: BaseException | None = None, caller: str = "", call: str = ""
) -> About:
    """Return what a line is about, for ``extra``; ``caller`` is a kind, never a name."""
    code = reason.code if isinstance(reason, Refusal) else ""
    facts = {"ceremony": ceremony, "code": code, "caller": caller, "call": call}
    return {_ABOUT: {name: value for name, value in facts.items() if value}}


class TextLines(logging.Formatter):
    """Instant, level, where, message, then what it is about; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and those of the traceback."""
        said = visible(record.getMessage(), limit=_LONGEST_MESSAGE)
        facts = "".join(f" {name}={visible(value)}" for name, value in _facts(record).items())
        line = f"{_instant(record)} {record.levelname} {record.name}: {said}{facts}"
        traceback = visible_lines(_traceback(self, record), limit=_LONGEST_TRACEBACK, most=_MOST_LINES)
        return "\n".join([line, *(f"  {each}" for each in traceback if each)])


class JsonLines(logging.Formatter):
    """One object: ``at``, ``level``, ``logger``, ``message``, what it is about, ``traceback``; all ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever it holds."""
        line = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST_MESSAGE],
            **_facts(record),
        }
        if traceback := _traceback(self, record):
            line["traceback"] = traceback[-_LONGEST_TRACEBACK:]
        return json.dumps(line)


_FORMATTERS: Final[dict[LineFormat, type[logging.Formatter]]] = {
    LineFormat.TEXT: TextLines,
    LineFormat.JSON: JsonLines,
}


def begin(style: LineFormat, stream: TextIO | None = None) -> None:
    """Have everything that this process says from here on said so; call it before anything starts.

    In a program that has arranged its logging already, nothing changes.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(_FORMATTERS[style]())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells how it looks at the tables
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes lines of its own, past every handler
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else "a thread"
    reason = ended.exc_value
    _log.critical("%s ended by an error that nobody foresaw", name, exc_info=reason)


def _facts(record: logging.LogRecord) -> dict[str, str]:
    facts: dict[str, str] = getattr(record, _ABOUT, {})
    return facts


def _instant(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
