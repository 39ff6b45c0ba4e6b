# SPDX-License-Identifier: Apache-2.0
"""The command line in documents: help texts, transcripts that are run again, commands that must exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from quorumseal.cli.main import help_text, noun_help_text, parser_of
from quorumseal.cli.table import Command, Noun, Verb, entries
from quorumseal.refusal import Refusal

PROGRAM: Final = "quorumseal"
_COLUMNS: Final = "100"
_SEPARATORS: Final = re.compile(r";(?:\s|$)|\s(?:&&|\|\|?|>>?|2>|<|&)(?:\s|$)")
_COMMAND: Final = re.compile(rf"^(?:.*\$)? *({PROGRAM} .+)", re.MULTILINE)
_TOOK: Final = re.compile(r"(with every signature in) [\d.]+ s")
"""How long something took is never the same."""
_VALUE: Final = re.compile(r"\$\(?\w*\)?|<\w+>")


def help_document() -> str:
    """Return ``cli.md``."""
    os.environ["COLUMNS"] = _COLUMNS
    parts = [_HEAD, _block(help_text())]
    for name, item in entries().items():
        parts += [
            text for heading, body in _helps(item, f"{PROGRAM} {name}") for text in (heading, _block(body))
        ]
    return "\n\n".join(parts) + "\n"


def _helps(item: Command | Verb | Noun, prog: str) -> Iterator[tuple[str, str]]:
    match item:
        case Noun():
            verbs = item.load()
            yield f"## {prog}", noun_help_text(item, verbs, prog)
            for name, verb in verbs.items():
                for heading, body in _helps(verb, f"{prog} {name}"):
                    yield f"#{heading}", body
        case Verb():
            yield from _helps(item.load(), prog)
        case Command():
            yield f"## {prog}", parser_of(item, prog).format_help()


def run_again(block: str, folder: Path) -> str:
    """Return a transcript with the output that its commands have now, in a copy of ``folder``."""
    with TemporaryDirectory() as scratch:
        place = Path(scratch, folder.name)
        shutil.copytree(folder, place)
        lines: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                lines += [line, *_output(line[2:], place)]
    return "```console\n" + "\n".join(lines) + "\n```"


def _output(command: str, place: Path) -> list[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "NO_COLOR": "1", "COLUMNS": _COLUMNS, "TZ": "UTC", "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return _TOOK.sub(r"\1 0.1 s", done.stdout.decode()).rstrip("\n").splitlines()


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands of this program that a document's transcripts and shell blocks contain."""
    for block in re.findall(r"```(?:console|sh)\n(.*?)```", text, re.DOTALL):
        for command in _COMMAND.findall(block.replace("\\\n", " ")):
            yield _SEPARATORS.split(command)[0]


def misfit(command: str) -> str:
    """Return why the program would not take a command; empty if it would."""
    words = [_VALUE.sub("1", word) for word in shlex.split(command, comments=True)[1:]]
    if words[0] in ("--help", "--version"):
        return ""
    prog = PROGRAM
    table: dict[str, Command | Verb | Noun] = {**entries()}
    try:
        while True:
            name, *words = words
            prog = f"{prog} {name}"
            item = table[name]
            loaded = item.load() if isinstance(item, Verb | Noun) else item
            if isinstance(loaded, Command):
                if words != ["--help"]:
                    parser_of(loaded, prog).parse_args(words)
                return ""
            table = {**loaded}
    except (KeyError, ValueError):
        return f"{prog} does not exist"
    except Refusal as refusal:
        return str(refusal)


def _block(text: str) -> str:
    return "```text\n" + text.strip() + "\n```"


_HEAD: Final = """\
# The command line

Every command, as its own `--help` says. Verbs about a ceremony stand alone; everything else is a noun and a
verb. Answers go to standard output, talk to standard error; the first line is the answer, the last one the
next command. `--json` gives the answer to programs. [Exit codes](spec/verification.md#outcomes) are the same
everywhere."""
