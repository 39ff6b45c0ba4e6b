# SPDX-License-Identifier: Apache-2.0
"""Free texts: as an option, from a file, from standard input, or typed where somebody sits."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.cli.errors import FileError, UsageError
from quorumseal.cli.files import read_file
from quorumseal.cli.output import screen
from quorumseal.client.values import MAX_TEXT_BYTES


def add_text(parser: ArgumentParser, option: str, about: str) -> None:
    """Let a verb be told a text, as ``--option TEXT`` or ``--option-file FILE``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(f"--{option}", metavar="TEXT", help=f"{about}; signers and auditors see it")
    group.add_argument(
        f"--{option}-file", metavar="FILE", help=f"read --{option} from a file, or - for standard input"
    )


def read_text(arguments: Namespace, option: str, question: str) -> str:
    """Return the text that was given, or ask for it where there is somebody to ask."""
    given, file = getattr(arguments, option), getattr(arguments, f"{option}_file")
    if given is not None:
        return str(given)
    if file is not None:
        data = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1) if file == "-" else _read(file, option)
        return _decoded(data, option)
    if sys.stdin.isatty() and sys.stderr.isatty():
        return _typed(question)
    raise UsageError(
        f"expected --{option} or --{option}-file, got neither",
        hint=f"--{option}-file - reads it from standard input",
    )


def _read(file: str, option: str) -> bytes:
    return read_file(Path(file), f"the text of --{option}", MAX_TEXT_BYTES)


def _decoded(data: bytes, option: str) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise FileError(f"expected --{option} of at most {MAX_TEXT_BYTES} bytes, got more")
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise FileError(f"expected --{option} in UTF-8, got other bytes") from None


def _typed(question: str) -> str:
    """Read lines until an empty one."""
    screen().talk(f"{question} (end with an empty line)")
    lines: list[str] = []
    while line := sys.stdin.readline().rstrip("\n"):
        lines.append(line)
    return "\n".join(lines)
