# SPDX-License-Identifier: Apache-2.0
"""Finding out how an agent is: the only part of ``doctor`` that looks at anything.  Nothing is signed."""

import os
import socket
import ssl
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from quorumseal.ceremony.policy import Policy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.verifier.trust import Trust
from signer_agent.agent import Agent
from signer_agent.connection import Connection
from signer_agent.errors import CertificateFileError
from signer_agent.examining.facts import Answered, Facts, Kept, Secret, Server
from signer_agent.home import Home
from signer_agent.journal import Journal
from signer_agent.key_sources import open_witness_key
from signer_agent.key_sources.certificates import Certificate, read_certificate
from signer_agent.observing import observe_standing
from signer_agent.settings import Settings

PATIENCE_SECONDS = 5
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How to get at what may not be there; each refuses by itself."""

    trust: Callable[[], Trust]
    connect: Callable[[], AbstractContextManager[Connection]]
    open_key: Callable[[Policy | None], PublicKey] | None
    """Not without ``--key``."""


def gather(home: Home, settings: Settings, ways: Ways, *, at: datetime) -> Facts:
    """Find out everything; what fails is a fact like any other."""
    trust = _tried(ways.trust)
    kept = _tried(lambda: _kept(home))
    answered: Answered | Refusal
    if isinstance(trust, Refusal):
        answered = trust
    elif isinstance(kept, Refusal):
        answered = kept
    else:
        answered = _tried(lambda: _asked(home, settings, trust, ways, at))
    policy = None if isinstance(answered, Refusal) else answered.policy
    open_key = ways.open_key
    return Facts(
        at=at,
        name=settings.name,
        coordinator=settings.coordinator,
        secrets=_secrets(settings),
        own=_tried(lambda: _certificate(settings.tls.certificate)),
        authority=_tried(lambda: _certificate(settings.tls.ca)),
        server=knock(settings),
        answered=answered,
        trust=trust,
        key=None if open_key is None else _tried(lambda: open_key(policy)),
        kept=kept,
        witness=_tried(lambda: _witness(settings)),
        blocked=home.block_file.exists(),
        fork_proofs=tuple(sorted(file.name for file in home.state.glob("fork-proof-*.json"))),
    )


def _tried(read: Callable[[], _Read]) -> _Read | Refusal:
    try:
        return read()
    except Refusal as refusal:
        return refusal


def _kept(home: Home) -> Kept:
    with Journal.open(home.journal_file) as journal:
        highest = journal.highest_policy()
        return Kept(
            problem=journal.problem(),
            pending=len(journal.pending()),
            highest=None if highest is None else highest.version,
            cosigned=max(journal.log.cosigned_sizes().values(), default=None),
        )


def _asked(home: Home, settings: Settings, trust: Trust, ways: Ways, at: datetime) -> Answered:
    with Journal.open(home.journal_file) as journal, ways.connect() as connection:
        agent = Agent(
            name=settings.name,
            home=home,
            journal=journal,
            connection=connection,
            trust=trust,
            now=lambda: at,
            randomness=os.urandom,
        )
        seen = observe_standing(agent)
        suspended = seen.standing.suspended.get(settings.name)
        return Answered(
            policy=seen.policy.policy,
            now=connection.organisation().now,
            suspended_until=None if suspended is None or at >= suspended.until else suspended.until,
            revoked=frozenset(seen.standing.revoked),
        )


def _witness(settings: Settings) -> PublicKey | None:
    return None if settings.witness_key is None else open_witness_key(settings.witness_key).public


def knock(settings: Settings) -> Server:
    """Shake hands as a call does, and look at what the coordinator presents."""
    host, _, port = settings.coordinator.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=settings.tls.ca)
        context.load_cert_chain(settings.tls.certificate, settings.tls.key)
        address = (host.strip("[]"), int(port))
        with (
            socket.create_connection(address, PATIENCE_SECONDS) as connected,
            context.wrap_socket(connected, server_hostname=settings.server_name or address[0]) as secured,
        ):
            presented = secured.getpeercert(binary_form=True) or b""
        return Server(certificate=read_certificate(ssl.DER_cert_to_PEM_cert(presented).encode()))
    except (OSError, ValueError, Refusal) as error:
        return Server(certificate=None, reason=str(error))


def _secrets(settings: Settings) -> dict[str, Secret]:
    files = {"signing key file": settings.key_file, "connection key file": settings.tls.key}
    if settings.next_key is not None:
        files["next signing key file"] = settings.next_key.file
    if settings.witness_key is not None:
        files["witness key file"] = settings.witness_key
    if settings.passphrase_file is not None:
        files["passphrase file"] = settings.passphrase_file
    return {about: _secret(file) for about, file in files.items()}


def _secret(file: Path) -> Secret:
    file = file.resolve() if ".." in file.parts else file
    try:
        found = file.stat()
    except OSError as error:
        return Secret(path=file, mode=None, reason=error.strerror or "no reason")
    return Secret(path=file, mode=stat.S_IMODE(found.st_mode), ours=found.st_uid in (os.geteuid(), 0))


def _certificate(file: Path) -> Certificate:
    try:
        return read_certificate(file.read_bytes())
    except OSError as error:
        raise CertificateFileError(
            f"expected a certificate in {file}, got: {error.strerror}", hint="restore it from your backup"
        ) from None
