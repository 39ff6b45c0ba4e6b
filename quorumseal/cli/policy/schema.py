# SPDX-License-Identifier: Apache-2.0
"""Write the JSON Schema of policy.toml, from which editors complete and explain its fields.

A policy.toml whose first line is `#:schema ./policy.schema.json` is checked against it while it is written,
by every editor that uses taplo (Even Better TOML in VS Code, and others).
"""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.policy_schema import SCHEMA_NAME, policy_schema
from quorumseal.cli.files import write_over
from quorumseal.cli.output import print_json, screen
from quorumseal.terminal import Mark


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy schema`` takes."""
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"write it here, such as {SCHEMA_NAME} (default: print it)"
    )
    parser.epilog = f"example:\n  quorumseal policy schema --out {SCHEMA_NAME}"


def run(arguments: Namespace) -> int:
    """Write it."""
    if arguments.out is None:
        sys.stdout.write(policy_schema().decode())
        return 0
    write_over(arguments.out, policy_schema())
    if arguments.json:
        print_json({"schema": str(arguments.out)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.out} explains policy.toml to your editor")
    drawn.line("Begin policy.toml with this line, if it does not yet:")
    drawn.line(f"  #:schema ./{arguments.out.name}")
    return 0
