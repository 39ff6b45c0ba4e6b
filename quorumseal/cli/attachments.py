# SPDX-License-Identifier: Apache-2.0
"""What goes with a request: artifacts under their names, evidence, and hints where to fetch an artifact."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from quorumseal.ceremony.statement_document import MAX_SUBJECTS
from quorumseal.ceremony.statements import Evidence, Locator
from quorumseal.ceremony.values import digest_of, name, printable, subject_name
from quorumseal.cli.errors import FileError, UsageError
from quorumseal.cli.files import read_file

MAX_EVIDENCE_BYTES = 16 << 20
_UNKNOWN = "application/octet-stream"


def name_artifacts(paths: Sequence[Path]) -> dict[str, Path]:
    """Name each file by its own name, and each file of a folder by its path within the folder."""
    named: dict[str, Path] = {}
    for artifact, path in (pair for given in paths for pair in _files(given)):
        if artifact.casefold() in {known.casefold() for known in named}:
            raise UsageError(
                f"expected artifacts of different names, got {artifact} twice",
                hint="put them into one folder under different names, and give that folder",
            )
        named[subject_name(artifact)] = path
    if not 1 <= len(named) <= MAX_SUBJECTS:
        raise UsageError(f"expected 1 to {MAX_SUBJECTS} artifacts, got {len(named)}")
    return named


def _files(given: Path) -> Iterator[tuple[str, Path]]:
    if not given.is_dir():
        yield given.name, given
        return
    for path in sorted(given.rglob("*")):
        if path.is_symlink():
            raise FileError(
                f"expected files in {given}, got a symbolic link: {path}", hint="put the file itself there"
            )
        if not path.is_dir():
            yield path.relative_to(given).as_posix(), path


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
