# SPDX-License-Identifier: Apache-2.0
"""What goes into a request: artifacts under their names, evidence, and where an artifact may be fetched."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from quorumseal.ceremony.statement_fields import MAX_SUBJECTS
from quorumseal.ceremony.statements import Evidence, Locator
from quorumseal.ceremony.values import digest_of, name, printable, subject_name
from quorumseal.cli.artifacts import name_artifacts
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_file
from quorumseal.client.values import MAX_EVIDENCE_BYTES

_UNKNOWN = "application/octet-stream"


def name_subjects(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the artifacts of a request by names that are the same file on every system."""
    named = {subject_name(artifact): path for artifact, path in name_artifacts(paths).items()}
    if not 1 <= len(named) <= MAX_SUBJECTS:
        raise UsageError(f"expected 1 to {MAX_SUBJECTS} artifacts, got {len(named)}")
    return named


def add_evidence(parser: ArgumentParser) -> None:
    """Let a request come with files for whoever reviews it."""
    parser.add_argument(
        "--evidence",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="a file for reviewers; repeatable",
    )


def attach(text: str) -> tuple[Evidence, bytes]:
    """Read ``KIND:FILE``."""
    from mimetypes import guess_type

    kind, colon, file = text.partition(":")
    if not colon or not file:
        raise UsageError(f"expected KIND:FILE, such as sbom:sbom.json, got {text}")
    path = Path(file)
    data = read_file(path, "evidence", MAX_EVIDENCE_BYTES)
    described = Evidence(
        kind=name(kind),
        name=subject_name(path.name),
        media_type=guess_type(path.name)[0] or _UNKNOWN,
        digest=digest_of(data),
    )
    return described, data


def locate(text: str) -> Locator:
    """Read ``NAME=URI``."""
    artifact, equals, uri = text.partition("=")
    if not equals:
        raise UsageError(f"expected NAME=URI, got {text}")
    return Locator(name=subject_name(artifact), uri=printable(uri))
