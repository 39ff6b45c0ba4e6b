# SPDX-License-Identifier: Apache-2.0
"""An organisation on this machine: its directory, its programs, and what its people could do."""

import io
import secrets
import shlex
import socket
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from demo.hostile import Person
from demo.interrupts import Interrupts
from demo.processes import Running, stop_all
from demo.telling import Ran, Telling
from quorumseal.ceremony.entries import Entry, EntryType, read_entry
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Request
from quorumseal.client.connection import Connection, TlsFiles
from quorumseal.client.values import Head, LoggedEntry
from quorumseal.signatures import Envelope, JointEnvelope, PrivateKey, read_key_file
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import bundle_name
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.trust import read_trust
from signer_agent.settings import read_settings

ORGANISATION: Final = "acme"
PEOPLE: Final = """\
alice:engineering
bob:engineering
mallory:engineering+managers
carol:security
dan:security
rita:release
"""
NAMES: Final = ("alice", "bob", "carol", "dan", "mallory", "rita")
_PATIENCE: Final = 30.0
_POLL: Final = 0.05
NOTHING: Final[Mapping[str, str]] = {}


class DemoError(Exception):
    """Something that should work did not."""


class Stage:
    """Where the demo plays.  Every path that it gives out is relative to its folder, where commands run."""

    trust_file: Final = f"{ORGANISATION}/trust.json"
    settings_file: Final = f"{ORGANISATION}/coordinator/coordinator.toml"
    passphrase_file: Final = "passphrase"  # noqa: S105 - the name of a file

    def __init__(self, folder: Path, telling: Telling, interrupts: Interrupts) -> None:
        self.folder = folder
        self._interrupts = interrupts
        self.telling = telling
        self.running: list[Running] = []
        self._program = str(Path(sys.executable).parent / "quorumseal")
        self._connections: dict[str, Connection] = {}
        self._policy: SignedPolicy | None = None
        self._keys: dict[Path, PrivateKey] = {}

    # Programs

    def quorumseal(self, *words: str, brief: bool = False, typed: Mapping[str, str] = NOTHING) -> Ran:
        """Run a command of ours and show what it says, or only its answer; words may be typed otherwise."""
        shown = ["quorumseal", *(typed.get(word, shlex.quote(word)) for word in words)]
        return self.telling.run(shown, [self._program, *words], folder=self.folder, brief=brief)

    def must(self, *words: str, brief: bool = False, typed: Mapping[str, str] = NOTHING) -> Ran:
        """Run a command of ours that has to succeed."""
        ran = self.quorumseal(*words, brief=brief, typed=typed)
        if ran.code:
            raise DemoError(f"expected `quorumseal {words[0]} …` to succeed, got exit code {ran.code}")
        return ran

    def background(self, name: str, *words: str) -> Running:
        """Start a command of ours beside the demo and show it."""
        self.telling.command(["quorumseal", *words, "&"])
        log = self.folder / "output" / f"{name}.txt"
        log.parent.mkdir(exist_ok=True)
        command = [self._program, *map(self._absolute, words)]
        with self._interrupts.held():
            self.running.append(Running(name, command, log=log, folder=self.folder))
        return self.running[-1]

    def let_go(self) -> None:
        """Close connections, and leave what was started to itself."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self.running.clear()

    def close(self) -> None:
        """Stop everything that was started."""
        stop_all(self.running)
        self.let_go()

    # Files

    def write(self, name: str, data: bytes) -> str:
        """Write a file, and return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return (self.folder / name).read_bytes()

    def write_passphrase(self) -> None:
        """Write the passphrase of everybody's first key where only we can read it."""
        self.write(self.passphrase_file, secrets.token_urlsafe(12).encode() + b"\n")
        (self.folder / self.passphrase_file).chmod(0o600)

    def give_agents_the_passphrase(self) -> None:
        """Let agent.toml name a passphrase file, so that nobody has to type it."""
        for name in NAMES:
            settings = self.folder / self.home(name) / "agent.toml"
            named = f'passphrase_file = "../../../{self.passphrase_file}"'
            settings.write_text(settings.read_text().replace('# passphrase_file = "passphrase"', named))

    def approval(self, signer: str, product: str, version: str) -> list[str]:
        """Return the command by which somebody approves a release."""
        artifact, home = self.artifact(product, version), self.home(signer)
        return ["approve", f"{product}@{version}", "--artifacts", artifact, "--yes", "--home", home]

    def home(self, person: str) -> str:
        """Name the home of a person's agent."""
        return f"{ORGANISATION}/people/{person}"

    def artifact(self, product: str, version: str) -> str:
        """Name the file that is released, and make it if it is not there."""
        name = f"build/{product}-{version}.tar.gz"
        if not (self.folder / name).exists():
            self.write(name, _archive(product, version))
        return name

    def published(self, product: str, version: str) -> str:
        """Name the bundle that the coordinator publishes."""
        return f"{ORGANISATION}/published/{bundle_name(product, version)}"

    # The organisation, as anybody in it sees it

    def connection(self, person: str) -> Connection:
        """Return a person's connection to the coordinator, by their own certificate."""
        if person not in self._connections:
            settings = read_settings(self.folder / self.home(person) / "agent.toml")
            tls = TlsFiles(ca=settings.tls.ca, certificate=settings.tls.certificate, key=settings.tls.key)
            self._connections[person] = Connection(settings.coordinator, tls)
        return self._connections[person]

    @property
    def policy(self) -> SignedPolicy:
        """The policy, verified from the trust file."""
        if self._policy is None:
            versions = self.connection("alice").organisation().policies
            chain = [JointEnvelope.read(version) for version in versions]
            self._policy = walk(chain, read_trust(self.read(self.trust_file)))
        return self._policy

    def entries(self, release: str) -> list[Entry]:
        """Return the entries of the newest ceremony of a release, such as ``widget 1.0``."""
        product, version = release.split()
        connection = self.connection("alice")
        newest = connection.list_ceremonies(product=product, version=version).ceremonies[0]
        return [read_entry(payload) for payload in connection.ceremony(newest.ceremony).part.entries]

    def request(self, release: str) -> Signed[Request]:
        """Return what opened the newest ceremony of a release."""
        return self.request_of(self.entries(release))

    def request_of(self, entries: Sequence[Entry]) -> Signed[Request]:
        """Return what the first of these entries asks for."""
        return signed_as(Request, authenticate(entries[0].envelope, self.policy))

    def send(self, person: str, envelope: Envelope) -> str:
        """Hand in a decision without any of our programs; return the ceremony's state after it."""
        return self.connection(person).decide(write(envelope.to_json())).state

    def wait_for_expiry(self, release: str) -> None:
        """Return when the log says that the ceremony of a release has expired."""
        until = time.monotonic() + _PATIENCE
        while self.entries(release)[-1].type is not EntryType.EXPIRED:
            if time.monotonic() > until:
                raise DemoError(f"expected the ceremony of {release} to expire within {_PATIENCE:g} s")
            time.sleep(_POLL)

    # What only some people have

    def person(self, name: str) -> Person:
        """Return somebody with all their keys."""
        home = self.folder / self.home(name)
        return Person(name, lambda spare: self._key(home / ("spare.key.pem" if spare else "signing.key.pem")))

    def log(self) -> list[bytes]:
        """Return every entry of the log."""
        entries = []
        with self.connection("alice").follow() as following:
            for event in following:
                match event:
                    case LoggedEntry(entry=entry):
                        entries.append(entry)
                    case Head():
                        break
        return entries

    @property
    def log_key(self) -> PrivateKey:
        """The key of the log, which its operator has."""
        folder = self.folder / ORGANISATION / "coordinator"
        return self._key(folder / "log.key.pem", folder / "log.passphrase")

    def _key(self, file: Path, passphrase: Path | None = None) -> PrivateKey:
        if file not in self._keys:
            secret = (passphrase or self.folder / self.passphrase_file).read_bytes().strip()
            self._keys[file] = read_key_file(file.read_bytes(), secret)
        return self._keys[file]

    def _absolute(self, word: str) -> str:
        """Spell out a path, so that a program can be recognised by its command line."""
        return str(self.folder / word) if "/" in word else word


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _archive(product: str, version: str) -> bytes:
    """Make something to release."""
    data = f"#!/bin/sh\necho {product} {version}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{product}-{version}/{product}")
        member.size, member.mode = len(data), 0o755
        archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()
