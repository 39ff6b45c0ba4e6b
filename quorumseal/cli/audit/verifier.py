# SPDX-License-Identifier: Apache-2.0
"""Write `verify.pyz`, the single-file verifier of packs, from what is installed here.

Each version of quorumseal makes the same bytes everywhere: an auditor can make the program themselves instead
of running the one that came with a pack, or compare the two.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.values import digest_of
from quorumseal.cli.audit.single_file import single_file
from quorumseal.cli.files import write_new
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.cli.program import program_version
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``audit verifier`` takes."""
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to write it")
    parser.epilog = "example:\n  quorumseal audit verifier --out verify.pyz"


def run(arguments: Namespace) -> int:
    """Write it."""
    version = program_version()
    program = single_file(version)
    write_new(arguments.out, program)
    if arguments.json:
        said: Json = {
            "file": str(arguments.out),
            "digest": digest_of(program),
            "size": len(program),
            "program": version,
        }
        print_json(said)
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote the verifier of quorumseal {version} to {arguments.out}")
    drawn.facts([("  digest", digest_of(program)), ("  size", f"{len(program):,} bytes")])
    drawn.next("Verify a pack with it", ["python", "-I", str(arguments.out), "pack"])
    return 0
