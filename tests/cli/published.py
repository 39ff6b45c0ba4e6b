# SPDX-License-Identifier: Apache-2.0
"""A published release in a folder, and the command run on it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.statements import Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.trust import write_trust
from tests.organisation import ARTIFACT, Organisation
from tests.simulated_log import SimulatedLog

ROOT = Path(__file__).parent.parent.parent
QUORUM = ("alice", "erin", "carol", "dan")


@dataclass(frozen=True)
class Published:
    """A folder with artifacts, their bundle and a trust file."""

    folder: Path
    artifacts: Mapping[str, bytes]
    organisation: Organisation = field(default_factory=Organisation)

    @property
    def bundle(self) -> Path:
        return self.folder / "widget@1.0.quorumseal.json"

    @property
    def trust(self) -> Path:
        return self.folder / "trust.json"

    @property
    def artifact(self) -> Path:
        return self.folder / next(iter(self.artifacts))

    @property
    def verifying(self) -> list[str]:
        """Return the words that say where bundle and trust file are."""
        return ["--bundle", str(self.bundle), "--trust", str(self.trust)]


def publish(
    folder: Path, artifacts: Mapping[str, bytes] | None = None, approving: Sequence[str] = QUORUM
) -> Published:
    """Write what a release manager would publish, and what a consumer would hold."""
    artifacts = {"widget.tar.gz": ARTIFACT} if artifacts is None else artifacts
    published = Published(folder, artifacts)
    organisation = published.organisation
    subjects = tuple(Subject(name=name, digest=digest_of(data)) for name, data in artifacts.items())
    request = organisation.sign_request(organisation.request(subjects=subjects))
    entries: list[Entry]
    _, entries = organisation.run(*approving, request=request)
    log = SimulatedLog(organisation)
    log.append(entries)
    for name, data in artifacts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    published.bundle.write_bytes(log.bundle(entries))
    published.trust.write_bytes(write_trust(log.trust))
    return published


def quorumseal(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from quorumseal.cli.main import entry; sys.exit(entry())"]
        + [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def said(text: str) -> Any:
    """Read what a command wrote with ``--json``."""
    return json.loads(text)


def flat(text: str) -> str:
    """Undo the wrapping of lines."""
    return " ".join(text.split())
