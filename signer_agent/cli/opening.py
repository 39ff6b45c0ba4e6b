# SPDX-License-Identifier: Apache-2.0
"""From a command's arguments to an agent: arguments that verbs share, and the wiring."""

import getpass
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.client.connection import Connection
from quorumseal.client.timestamping import fetch_timestamp
from quorumseal.offline.files import KnownOrganisation
from quorumseal.refusal import Refusal
from quorumseal.signatures import Authority, PrivateKey, Timestamp
from quorumseal.terminal import Screen
from quorumseal.verifier.policy_chain import walk
from quorumseal.verifier.trust import MAX_TRUST_BYTES, Trust, read_trust
from signer_agent.agent import Agent
from signer_agent.connection import Connection as AnyConnection
from signer_agent.documents import Json
from signer_agent.errors import SettingsError
from signer_agent.home import Home, find_home
from signer_agent.journal import Journal
from signer_agent.kept import kept_policies
from signer_agent.key_sources import Passphrases, open_key_file
from signer_agent.renewing import Renewal
from signer_agent.settings import Settings, read_settings
from signer_agent.stamping import Stamping
from signer_agent.unplugged import Unplugged


def add_home(parser: ArgumentParser) -> None:
    """Let a verb be told whose agent it is."""
    parser.add_argument(
        "--home",
        metavar="DIR",
        help="the agent's directory (default: $QUORUMSEAL_HOME, or quorumseal in the XDG configuration)",
    )


def add_passphrase(parser: ArgumentParser) -> None:
    """Let a verb be told how to open the key; the passphrase itself is never an argument."""
    parser.add_argument(
        "--passphrase-fd", type=int, metavar="N", help="read the key's passphrase from this file descriptor"
    )


@contextmanager
def opened(arguments: Namespace) -> Iterator[tuple[Agent, Settings]]:
    """Wire the agent of a command, and close what it opened."""
    with (
        _home(arguments) as (home, settings, trust, journal),
        Connection(settings.coordinator, settings.tls, server_name=settings.server_name) as connection,
    ):
        renewal = Renewal(connection, home, settings.tls, trust.organisation, settings.name, os.urandom)
        agent = _agent(home, settings, trust, journal, connection, lambda: renewal.keep_valid(at=now()))
        yield agent, settings
        keep_up(agent.upkeep)  # last: nobody waits for it before


def keep_up(upkeep: Callable[[], object]) -> None:
    """Do what is due; a verb that has done its work does not fail by this."""
    try:
        upkeep()
    except Refusal as refusal:
        screen().warn(f"your certificate could not be renewed: {refusal}")


@contextmanager
def unplugged(
    arguments: Namespace, given: KnownOrganisation | None = None
) -> Iterator[tuple[Agent, Settings]]:
    """Wire the agent of a command that does without its coordinator: by what a file gives, or the home keeps.

    What this home has seen of the log goes before what a file says of it.
    """
    with _home(arguments) as (home, settings, trust, journal):
        policies = kept_policies(home) if given is None else given.policies
        note = journal.log.newest(walk(policies, trust).policy.log.origin)
        if note is None and given is not None:
            note = given.checkpoint
        connection = Unplugged(KnownOrganisation(policies=policies, checkpoint=note), now)
        yield _agent(home, settings, trust, journal, connection), settings


@contextmanager
def _home(arguments: Namespace) -> Iterator[tuple[Home, Settings, Trust, Journal]]:
    home = Home.open(find_home(arguments.home, os.environ))
    settings = read_settings(home.settings_file)
    trust = trust_file(settings.trust)
    with Journal.open(home.journal_file) as journal:
        yield home, settings, trust, journal


def _agent(
    home: Home,
    settings: Settings,
    trust: Trust,
    journal: Journal,
    connection: AnyConnection,
    upkeep: Callable[[], object] = lambda: None,
) -> Agent:
    return Agent(
        name=settings.name,
        home=home,
        journal=journal,
        connection=connection,
        trust=trust,
        now=now,
        randomness=os.urandom,
        stamping=_stamping(settings),
        upkeep=upkeep,
    )


def _stamping(settings: Settings) -> Stamping | None:
    chosen = settings.timestamps
    if chosen is None:
        return None

    def fetch(message: bytes, authorities: Sequence[Authority]) -> Timestamp:
        return fetch_timestamp(chosen.address, message, authorities, randomness=os.urandom)

    return Stamping(fetch=fetch, required=chosen.required, complain=screen().warn)


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def open_key(settings: Settings, descriptor: int | None, policy: SignedPolicy) -> PrivateKey:
    """Open the signer's key that a policy knows, asking for its passphrase where there is somebody to ask."""
    return open_file(settings, key_file(settings, policy.policy, now()), descriptor)


def open_file(settings: Settings, file: Path, descriptor: int | None) -> PrivateKey:
    """Open one of the signer's keys."""
    return open_key_file(file, passphrases_of(settings, descriptor))


def passphrases_of(settings: Settings, descriptor: int | None) -> Passphrases:
    """Return the ways to ask for a key's passphrase."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return Passphrases(
        descriptor=descriptor,
        file=settings.passphrase_file,
        prompt=(lambda question: getpass.getpass(question, sys.stderr)) if on_terminal else None,
        complain=screen().warn,
    )


def key_file(settings: Settings, policy: Policy, at: datetime) -> Path:
    """Return where the key is that signs under a policy: the next one, once the policy lists it."""
    following = settings.next_key
    signer = policy.signers.get(settings.name)
    if following is not None and signer is not None:
        for key in signer.keys:
            if key.key.key_id == following.key_id and key.valid_at(at):
                return following.file
    return settings.key_file


def screen() -> Screen:
    """Return the screen of this process."""
    return Screen.on(sys.stdout, sys.stderr, os.environ)


def print_json(value: Json) -> None:
    """Write one JSON document to standard output, in ASCII: nothing in it acts on a terminal."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def command(arguments: Namespace, *words: str) -> list[str]:
    """Return the next command for the same home."""
    home = ["--home", arguments.home] if arguments.home else []
    return ["quorumseal", *words, *home]


def trust_file(file: Path) -> Trust:
    """Read the trust file that the settings name."""
    try:
        with file.open("rb") as stream:
            return read_trust(stream.read(MAX_TRUST_BYTES + 1))
    except OSError as reason:
        raise SettingsError(
            f"expected the trust file at {file}: {reason.strerror}",
            hint="`quorumseal org genesis` writes it; or get it from your organisation by a way you trust",
        ) from None
