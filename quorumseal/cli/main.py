# SPDX-License-Identifier: Apache-2.0
"""The command itself: find the verb, run it, say no in one way, and give every ending its exit code."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

from quorumseal.cli.errors import ExtraMissingError, SystemFailedError, UsageError
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.parsing import Parser
from quorumseal.cli.table import GROUPS, Command, Noun, Verb, entries
from quorumseal.refusal import Refusal
from quorumseal.terminal import columns
from quorumseal.verifier.outcomes import Outcome, outcome_of

PROGRAM = "quorumseal"
_HELP = ("-h", "--help", "help")
_Entry = TypeVar("_Entry")


def entry() -> int:
    """Run the command of this process.

    Python looks for garbage after every 700 objects: loading the modules of a verb alone sets that off often.
    """
    gc.set_threshold(10_000, 20, 20)
    return main(sys.argv[1:])


def main(words: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except Refusal as refusal:
        return _refuse(refusal, as_json="--json" in words)
    except KeyboardInterrupt:
        screen().talk("interrupted")
        return Outcome.INTERRUPTED
    except EOFError:  # Ctrl-D where somebody was asked
        ended = UsageError("expected an answer, got the end of the input", hint="run the same command again")
        return _refuse(ended, as_json="--json" in words)
    except BrokenPipeError:
        # Whoever read us has gone.  What could not be said was not said: this is no success.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Outcome.UNEXPECTED
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _refuse(SystemFailedError(what), as_json="--json" in words)
    return code


def _dispatch(words: Sequence[str]) -> int:
    match words:
        case [] | ["-h" | "--help" | "help"]:
            sys.stdout.write(help_text())
            return 0 if words else Outcome.USAGE
        case ["--version" | "version"]:
            from importlib.metadata import version

            sys.stdout.write(f"{PROGRAM} {version(PROGRAM)}\n")
            return 0
        case [name, *rest]:
            found = _find(name, entries(), PROGRAM)
            return _run(found, f"{PROGRAM} {name}", rest, found.extra)
        case _:
            raise AssertionError(words)


def _run(found: Verb | Noun | Command, prog: str, words: Sequence[str], extra: str) -> int:
    try:
        match found:
            case Verb():
                return _run(found.load(), prog, words, extra)
            case Noun():
                return _run_noun(found, prog, words)
            case Command():
                return _run_command(found, prog, words)
    except ModuleNotFoundError as missing:
        raise _extra_missing(missing, prog, extra) from missing


def _run_noun(noun: Noun, prog: str, words: Sequence[str]) -> int:
    verbs = noun.load()
    if not words or words[0] in _HELP:
        sys.stdout.write(noun_help_text(noun, verbs, prog))
        return 0 if words else Outcome.USAGE
    found = _find(words[0], verbs, prog)
    extra = found.extra if isinstance(found, Verb) else noun.extra
    return _run(found, f"{prog} {words[0]}", words[1:], extra)


def _run_command(command: Command, prog: str, words: Sequence[str]) -> int:
    parser = parser_of(command, prog)
    try:
        arguments = parser.parse_args(words)
    except SystemExit:  # argparse has printed the help that was asked for
        return 0
    return command.run(arguments)


def parser_of(command: Command, prog: str) -> Parser:
    """Return the parser of a loaded verb."""
    parser = Parser(prog, command.about or command.help)
    command.add_arguments(parser)
    return parser


def help_text() -> str:
    """Return what ``quorumseal --help`` says."""
    lines = [
        "Quorumseal: releases approved by a quorum of people, verified by anybody.",
        "",
        f"usage: {PROGRAM} VERB [ARGUMENT...]",
    ]
    width = max(map(columns, entries()))
    for title, group in GROUPS.items():
        lines += ["", title, *(f"  {name:<{width}}  {item.help}" for name, item in group.items())]
    return "\n".join([*lines, "", f"{PROGRAM} VERB --help says more about each.", ""])


def noun_help_text(noun: Noun, verbs: Mapping[str, Command | Verb], prog: str) -> str:
    """Return what ``quorumseal NOUN --help`` says."""
    width = max(map(columns, verbs))
    listed = [f"  {name:<{width}}  {verb.help}" for name, verb in verbs.items()]
    about = noun.help[0].upper() + noun.help[1:]
    usage = f"usage: {prog} VERB [ARGUMENT...]"
    return "\n".join(
        [f"{about}.", "", usage, "", *listed, "", f"{prog} VERB --help says more about each.", ""]
    )


def _find(name: str, known: Mapping[str, _Entry], prog: str) -> _Entry:
    if name in known:
        return known[name]
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {prog} {close[0]}?" if close else f"{prog} --help lists them"
    raise UsageError(f"expected a verb of {prog}, got {name[:40]}", hint=hint)


def _extra_missing(missing: ModuleNotFoundError, prog: str, extra: str) -> Refusal:
    if not extra or (missing.name or "").partition(".")[0] in ("quorumseal", "coordinator", "signer_agent"):
        raise missing
    return ExtraMissingError(
        f"expected the parts that {prog} needs to be installed, got no module {missing.name}",
        hint=f"install them with: python -m pip install '{PROGRAM}[{extra}]'",
    )


def _refuse(refusal: Refusal, *, as_json: bool) -> int:
    outcome = outcome_of(refusal.code)
    screen().refuse(str(refusal), code=refusal.code, hint=refusal.hint)
    if as_json:
        print_json(
            {
                "refused": {
                    "code": refusal.code,
                    "message": str(refusal),
                    "hint": refusal.hint,
                    "outcome": outcome.name.lower().replace("_", "-"),
                    "exit": int(outcome),
                }
            }
        )
    return outcome
