# SPDX-License-Identifier: Apache-2.0
"""What ``agent doctor`` knows before it judges: facts only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quorumseal.ceremony.policy import Policy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.verifier.trust import Trust
from signer_agent.key_sources.certificates import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the coordinator's port presented, verified with the home's authority and by its name."""

    certificate: Certificate | None
    reason: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A file with a secret: its permissions, or why they are not known."""

    path: Path
    mode: int | None
    ours: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the journal holds."""

    problem: str = ""
    """What the database finds wrong with itself."""
    pending: int = 0
    """Statements that nobody has acknowledged."""
    highest: int | None = None
    """The highest policy version that was ever verified here."""
    cosigned: int | None = None
    """The size of the log that this home's witness cosigned last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the coordinator said, of which the policy was verified."""

    policy: Policy
    now: datetime
    suspended_until: datetime | None = None
    """Until when nothing that this signer decides counts."""
    revoked: frozenset[str] = frozenset()
    """The ids of all keys that were revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was found out at one instant."""

    at: datetime
    name: str
    coordinator: str
    secrets: Mapping[str, Secret]
    own: Certificate | Refusal
    authority: Certificate | Refusal
    server: Server
    answered: Answered | Refusal
    trust: Trust | Refusal
    key: PublicKey | Refusal | None
    """The signing key where it was opened; not without ``--key``."""
    kept: Kept | Refusal
    witness: PublicKey | Refusal | None = None
    """The witness key; none where this home has none."""
    blocked: bool = False
    fork_proofs: tuple[str, ...] = ()
