# SPDX-License-Identifier: Apache-2.0
"""How the command line is read: argparse, with refusals instead of exits, and arguments that verbs share."""

import argparse
import os
from inspect import cleandoc
from typing import NoReturn

from quorumseal.cli.errors import UsageError
from quorumseal.terminal import wrap

_WIDEST = 100


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Fills the paragraphs of descriptions and leaves examples alone; its width is given: no imports."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = [
            part if "\n " in part else "\n".join(wrap(" ".join(part.split()), width))
            for part in text.split("\n\n")
        ]
        return super()._fill_text("\n\n".join(paragraphs), width, indent)


class Parser(argparse.ArgumentParser):
    """The parser of one verb."""

    def __init__(self, prog: str, about: str) -> None:
        super().__init__(
            prog=prog, description=cleandoc(about), formatter_class=HelpFormatter, allow_abbrev=False
        )
        self.add_argument("--json", action="store_true", help="write the answer as JSON")

    def error(self, message: str) -> NoReturn:
        """Refuse what was written."""
        raise UsageError(message, hint=f"{self.prog} --help says what it takes")


def at_least_one(text: str) -> int:
    """Read a number of things, of which there is one at least."""
    number = int(text)
    if number < 1:
        raise ValueError("a number from 1 on")
    return number


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit():
        return min(int(columns), _WIDEST)
    try:
        return min(os.get_terminal_size().columns, _WIDEST)
    except OSError:
        return _WIDEST
