# SPDX-License-Identifier: Apache-2.0
"""The files of an offline ceremony on the disk: what they are called, and reading them within bounds."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from quorumseal.ceremony.statements import Request
from quorumseal.cli.files import read_file
from quorumseal.offline.files import (
    MAX_FILE_BYTES,
    CarriedRequest,
    CarriedStatements,
    read_request_file,
    read_statements_file,
)


def request_name(request: Request) -> Path:
    """Return what the file of a request is called."""
    return Path(f"{request.product}@{request.version}.request.json")


def statements_name(request: Request, signer: str) -> Path:
    """Return what the file of a signer's statements is called."""
    return Path(f"{request.product}@{request.version}.{signer}.signed.json")


def add_request(parser: ArgumentParser) -> None:
    """Let a verb be told where the request is."""
    parser.add_argument("request", type=Path, metavar="REQUEST", help="the file that `offline export` wrote")


def add_statements(parser: ArgumentParser) -> None:
    """Let a verb be told where the statements are."""
    parser.add_argument(
        "signed", nargs="*", type=Path, metavar="SIGNED", help="the files that `offline decide` wrote"
    )


def read_request(path: Path) -> CarriedRequest:
    """Return the request that a file carries, unverified."""
    return read_request_file(read_file(path, "a request", MAX_FILE_BYTES))


def read_signed(paths: Iterable[Path]) -> list[CarriedStatements]:
    """Return what people signed, file by file, unverified."""
    return [read_statements_file(read_file(path, "a signer's statements", MAX_FILE_BYTES)) for path in paths]
