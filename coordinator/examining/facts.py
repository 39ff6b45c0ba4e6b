# SPDX-License-Identifier: Apache-2.0
"""What ``coordinator doctor`` knows before it judges: facts only, gathered in ``gathering``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.certificates import Seen
from coordinator.siem.cursor import Cursor
from coordinator.storage.counting import Counts
from coordinator.storage.hanging import Due
from quorumseal.ceremony.policy import Policy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.terminal.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the coordinator's port answered a TLS handshake."""

    address: str
    certificate: Seen | None
    """The one that it presents."""
    reason: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What stands in the database, which is set up as it must be: it refuses to open otherwise."""

    kind: str
    policy: Policy
    entries: int
    head: datetime
    """The time of the newest entry."""
    counts: Counts
    due: Due
    rewound: Refusal | None = None
    """Why nothing is written to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much room a directory's file system has."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was found out at one instant."""

    at: datetime
    settings_file: Path
    settings: tuple[Finding, ...]
    """What ``check-config`` says."""
    answer: Answer
    server: Seen | None
    authorities: tuple[Seen, ...]
    log_keys: tuple[PublicKey, ...] | Refusal
    database: Database | Refusal
    rooms: tuple[Room, ...]
    siem: Cursor | Refusal | None = None
    """How far the export is, where there is one."""
    witnesses: tuple[str, ...] = ()
    """The witnesses elsewhere that the settings say how to reach."""
    backup: timedelta | None = None
    """How old the file is that was named as the backup."""
    backup_named: str = ""
