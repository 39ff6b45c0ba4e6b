# SPDX-License-Identifier: Apache-2.0
"""The artifacts, found and hashed by the agent itself: never through the coordinator.

Paths that the signer gives come first, then the configured directory, then, only where it was asked for, the
locators of the request.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from quorumseal.ceremony.statements import CheckOutcome, Request, Subject
from quorumseal.verifier.errors import OtherBytesError
from signer_agent.errors import ArtifactsMissingError, UsageError
from signer_agent.locators import read_locator
from signer_agent.settings import LARGEST_ARTIFACT

_CHUNK = 1 << 20
Progress = Callable[[str, int], None]
"""Told the name of what is hashed, and how many bytes of it are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One artifact that was hashed."""

    subject: Subject
    digest: str
    source: str

    @property
    def matches(self) -> bool:
        """Whether it is the one that the request names."""
        return self.digest == self.subject.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came of looking for the artifacts of a request."""

    found: Mapping[str, Found] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def outcome(self) -> CheckOutcome:
        """What a decision says of them."""
        if any(not found.matches for found in self.found.values()):
            return CheckOutcome.FAIL
        return CheckOutcome.PASS if self.found and not self.missing else CheckOutcome.UNKNOWN

    def require(self, *, unchecked: bool) -> None:
        """Refuse other bytes always, and artifacts that were not found unless ``unchecked`` are accepted."""
        for found in self.found.values():
            if not found.matches:
                raise OtherBytesError(
                    f"expected {found.subject.name} to be {found.subject.digest}, "
                    f"got {found.digest} ({found.source})",
                    hint="these are not the bytes that you are asked to approve: nothing was signed",
                )
        if self.missing and not unchecked:
            named = ", ".join(self.missing[:3]) + (", …" if len(self.missing) > 3 else "")
            raise ArtifactsMissingError(
                f"expected to hash every artifact on this machine, found none for {named}",
                hint="give --artifacts PATH, or --fetch to follow the request's locators; "
                "--unchecked-artifacts signs that you did not check them",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where to look for artifacts."""

    paths: tuple[Path, ...] = ()
    directory: Path | None = None
    fetch: bool = False
    largest: int = LARGEST_ARTIFACT
    progress: Progress = lambda _name, _done: None


def find_artifacts(request: Request, sources: Sources) -> Findings:
    """Look for the artifacts of a request and hash what is there."""
    given = _given(request, sources)
    locators = {locator.name: locator.uri for locator in request.locators} if sources.fetch else {}
    found: dict[str, Found] = {}
    for subject in request.subjects:
        file = given.get(subject.name) or _inside(sources.directory, subject.name)
        if file is not None:
            digest = hash_file(file, sources, subject.name)
            found[subject.name] = Found(subject=subject, digest=digest, source=str(file))
        elif subject.name in locators:
            uri = locators[subject.name]
            digest = _hash(read_locator(uri, largest=sources.largest), sources, subject.name, uri)
            found[subject.name] = Found(subject=subject, digest=digest, source=uri)
    return Findings(found=found, missing=tuple(s.name for s in request.subjects if s.name not in found))


def hash_file(file: Path, sources: Sources, name: str) -> str:
    """Return the digest of a plain file of at most the largest size."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as reason:
        raise UsageError(f"expected to read {file}: {reason.strerror}") from None
    with os.fdopen(handle, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UsageError(f"expected {file} to be a plain file, found something else")
        return _hash(iter(lambda: stream.read(_CHUNK), b""), sources, name, str(file))


def _hash(chunks: Iterable[bytes], sources: Sources, name: str, source: str) -> str:
    digest, done = hashlib.sha256(), 0
    for chunk in chunks:
        done += len(chunk)
        if done > sources.largest:
            raise UsageError(
                f"expected {source} to have at most {sources.largest} bytes, got more",
                hint="raise artifacts.largest in agent.toml if it really is that large",
            )
        digest.update(chunk)
        sources.progress(name, done)
    return f"sha256:{digest.hexdigest()}"


def _given(request: Request, sources: Sources) -> dict[str, Path]:
    """Say which given path is which artifact; every one that is given must be one."""
    named: dict[str, Path] = {}
    for path in sources.paths:
        if path.is_dir():
            inside = {s.name: file for s in request.subjects if (file := _inside(path, s.name))}
            if not inside:
                raise UsageError(f"expected artifacts of the request in {path}, found none")
        else:
            inside = {_name_of(path, request.subjects): path}
        for name, file in inside.items():
            if named.setdefault(name, file) != file:
                raise UsageError(f"expected one file for {name}, got {named[name]} and {file}")
    return named


def _name_of(path: Path, subjects: Sequence[Subject]) -> str:
    if len(subjects) == 1:
        return subjects[0].name
    named = [s.name for s in subjects if s.name == str(path) or PurePosixPath(s.name).name == path.name]
    if len(named) != 1:
        raise UsageError(
            f"expected {path.name} to be the name of one artifact of the request, it is that of {len(named)}",
            hint="give the directory that holds them under the names of the request",
        )
    return named[0]


def _inside(directory: Path | None, name: str) -> Path | None:
    """Return the file of that name below ``directory``; its grammar keeps a name from leading out."""
    if directory is None:
        return None
    file = directory / name
    return file if file.is_file() else None
