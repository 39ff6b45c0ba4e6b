# SPDX-License-Identifier: Apache-2.0
"""The agent's directory: its settings, and the state that its processes share.

``agent run`` and ``approve`` work in one directory at the same time.  Whoever changes state holds the
exclusive lock for that moment, never while a person thinks or the network is waited for; the second lock
only sees that one ``agent run`` is at work.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from signer_agent.errors import AlreadyRunningError, BusyError, HomeError

SETTINGS_FILE = "agent.toml"
LOCK_PATIENCE_SECONDS = 10.0
_LOCK_POLL_SECONDS = 0.02


def find_home(given: str | None, environment: Mapping[str, str]) -> Path:
    """Return the directory that ``--home``, ``QUORUMSEAL_HOME`` or the XDG default names, in this order."""
    named = given or environment.get("QUORUMSEAL_HOME")
    if named:
        return Path(named).expanduser().absolute()
    configuration = environment.get("XDG_CONFIG_HOME", "")
    if not Path(configuration).is_absolute():  # the XDG specification ignores relative ones
        configuration = str(Path.home() / ".config")
    return Path(configuration) / "quorumseal"


@dataclass(frozen=True, slots=True)
class Home:
    """A directory with ``agent.toml`` in it."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> "Home":
        """Return the home at ``path``, with its state directory made if it is new; refuse any other place."""
        if not (path / SETTINGS_FILE).is_file():
            raise HomeError(
                f"expected {SETTINGS_FILE} in {path}, found none",
                hint="name the agent's directory with --home or QUORUMSEAL_HOME, or ask for one to be made",
            )
        home = cls(path)
        home.state.mkdir(mode=0o700, exist_ok=True)
        return home

    @property
    def settings_file(self) -> Path:
        """Where the settings are."""
        return self.path / SETTINGS_FILE

    @property
    def state(self) -> Path:
        """Where everything is that the agent itself writes."""
        return self.path / "state"

    @property
    def journal_file(self) -> Path:
        """Where the journal is."""
        return self.state / "journal.sqlite"

    @property
    def policies_file(self) -> Path:
        """Where the policy chain is that was last verified."""
        return self.state / "policies.json"

    @property
    def cosigned_file(self) -> Path:
        """The checkpoint that this home's witness cosigned last, whatever becomes of the journal."""
        return self.state / "cosigned"

    def keep_proposal(self, digest: str, payload: bytes) -> None:
        """Keep the policy that is proposed: whoever sends the request again sends it too."""
        file = self._proposal_file(digest)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with self.exclusive():
            write_whole(file, payload)

    def proposal(self, digest: str) -> bytes:
        """Return a policy that was proposed from here."""
        return self._proposal_file(digest).read_bytes()

    def _proposal_file(self, digest: str) -> Path:
        return self.state / "proposals" / f"{digest.removeprefix('sha256:')}.json"

    @property
    def block_file(self) -> Path:
        """What, while it is there, keeps this agent from signing."""
        return self.state / "SIGNING-BLOCKED.txt"

    @contextmanager
    def exclusive(self, *, patience: float = LOCK_PATIENCE_SECONDS) -> Iterator[None]:
        """Be the only one that changes state; for moments only."""
        with _locked(self.state / "lock", patience) as ours:
            if not ours:
                raise BusyError(
                    f"expected the lock of {self.state} within {patience:g} s, but another process holds it",
                    hint="try again; if it stays so, look for a stopped quorumseal process",
                )
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the one ``agent run`` of this directory."""
        with _locked(self.state / "run.lock", 0) as ours:
            if not ours:
                raise AlreadyRunningError(
                    f"expected no other `agent run` in {self.path}, found one",
                    hint="one agent watches for all your terminals; stop the other one first",
                )
            yield


def write_whole(file: Path, data: bytes) -> None:
    """Write a file of its owner's alone that is whole or as it was before; on the disk when this returns."""
    scratch = file.with_suffix(".new")
    with open(scratch, "wb", opener=_private) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.rename(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _locked(path: Path, patience: float) -> Iterator[bool]:
    """Hold a lock that ends with the process, however that ends; say whether it could be had."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _acquired(handle, time.monotonic() + patience)
    finally:
        os.close(handle)


def _acquired(handle: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return True
