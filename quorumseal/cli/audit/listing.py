# SPDX-License-Identifier: Apache-2.0
"""What is out there: from a file that lists it, or from a folder of what was published."""

from collections.abc import Mapping
from pathlib import Path

from quorumseal.audit.listing import Listed, read_listing
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request
from quorumseal.cli.artifacts import name_artifacts
from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_bundle_file, read_file
from quorumseal.cli.hashing import hash_files
from quorumseal.verifier.bundle import SUFFIX, read_bundle

_MOST_BYTES = 256 << 20


def listed_in(path: Path) -> tuple[Listed, ...]:
    """Return what a file lists, or what is in a folder: artifacts by their bytes, bundles by their word."""
    if path.is_dir():
        return _in_folder(name_artifacts([path]))
    data = read_file(path, "a listing", _MOST_BYTES)
    try:
        return read_listing(data.decode())
    except UnicodeDecodeError:
        raise FileError(
            f"expected a listing in {path}, which is text, got other bytes",
            hint="name a file of names and digests; for artifacts themselves, the folder that they are in",
        ) from None


def _in_folder(files: Mapping[str, Path]) -> tuple[Listed, ...]:
    artifacts = {name: path for name, path in files.items() if not name.endswith(SUFFIX)}
    found = {Listed(name, digest) for name, digest in hash_files(artifacts).items()} if artifacts else set()
    for name in sorted(files.keys() - artifacts.keys()):
        found |= _in_bundle(files[name])
    return tuple(sorted(found))


def _in_bundle(path: Path) -> set[Listed]:
    """Return what a published bundle says that it is about; whether the log has it is asked afterwards."""
    opening = read_entry(read_bundle(read_bundle_file(path)).parts[-1].entries[0])
    request = read_statement(opening.envelope.payload)
    assert isinstance(request, Request)  # noqa: S101 - an opening holds nothing else
    return {Listed(subject.name, subject.digest) for subject in request.subjects}
