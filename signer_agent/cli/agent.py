# SPDX-License-Identifier: Apache-2.0
"""``quorumseal agent …``: watch for what waits, and say how this agent stands."""

import json
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import NamedTuple

from quorumseal.ceremony.policy import SignerKind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.client.connection import Connection
from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Cell, Mark, Screen
from quorumseal.verifier.outcomes import Outcome
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.cli import doctor, enroll, hand_back, practice, reconnect
from signer_agent.cli.opening import add_home, add_passphrase, command, open_key, opened, print_json, screen
from signer_agent.cosigning import Cosigning
from signer_agent.errors import AlreadyRunningError, SettingsError
from signer_agent.following import Watch
from signer_agent.following_screen import RunningScreen, told_json
from signer_agent.home import Home, find_home
from signer_agent.journal import Journal
from signer_agent.key_sources import open_witness_key
from signer_agent.notices import Told
from signer_agent.settings import Settings, read_settings
from signer_agent.signing import require_roster_key


class Command(NamedTuple):
    """One verb, in the form that the ``quorumseal`` command's table takes."""

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    about: str = ""


def add_run_arguments(parser: ArgumentParser) -> None:
    """Describe what ``agent run`` takes."""
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Watch for what waits for you, and show the others that you are there, until you stop it with Ctrl-C.

    Each request is verified on this machine before you are told of it; what you signed and nobody
    acknowledged is sent again.  A person's key is not opened: `approve`, `reject` and `abstain` do that.
    A log that has lost its end is handed back what this agent holds of it, and waited for.
    """
    with opened(arguments) as (agent, settings):
        drawn = RunningScreen(
            screen(),
            agent.name,
            settings.coordinator,
            review=lambda named: command(arguments, "review", named),
        )
        watch = Watch(
            agent=agent,
            tell=_print_line if arguments.json else drawn.tell,
            machine_key=machine_key(agent, settings, arguments),
            cosigning=cosigning_of(agent, settings),
            sources=Sources(
                directory=settings.artifacts.directory,
                fetch=settings.artifacts.fetch,
                largest=settings.artifacts.largest,
            ),
        )
        before = signal.signal(signal.SIGTERM, lambda *_: watch.stop())
        try:
            watch.run()
        finally:
            signal.signal(signal.SIGTERM, before)
    return 0


def cosigning_of(agent: Agent, settings: Settings) -> Cosigning | None:
    """Open the witness key, where this home has one: it approves nothing, and has no passphrase."""
    if settings.witness_key is None:
        return None
    assert isinstance(agent.connection, Connection)  # noqa: S101 - it was opened over the wire
    return Cosigning(agent, open_witness_key(settings.witness_key), agent.connection.cosign)


def machine_key(
    agent: Agent, settings: Settings, arguments: Namespace
) -> Callable[[SignedPolicy], PrivateKey] | None:
    """Return what opens the key of a machine that may approve by itself; a person's key is never held."""
    if not settings.approve_matching:
        return None

    def open_it(policy: SignedPolicy) -> PrivateKey:
        if policy.policy.signer(agent.name).kind is not SignerKind.MACHINE:
            raise SettingsError(
                "machine.approve_matching: expected a machine to approve by itself, "
                f"got {agent.name}, a person",
                hint="people approve with `quorumseal approve`; remove the setting",
            )
        key = open_key(settings, arguments.passphrase_fd, policy)
        require_roster_key(agent, key, policy)
        return key

    return open_it


def status(arguments: Namespace) -> int:
    """Say how this agent stands, from its own files alone: what it has seen, and what has no receipt yet."""
    home = Home.open(find_home(arguments.home, os.environ))
    settings = read_settings(home.settings_file)
    with Journal.open(home.journal_file) as journal:
        pending = journal.pending()
        policy, checkpoints = journal.highest_policy(), journal.log.sizes()
        cosigned = journal.log.cosigned_sizes()
    blocked, running = home.block_file.exists(), _runs(home)
    if arguments.json:
        print_json(
            {
                "name": settings.name,
                "home": str(home.path),
                "coordinator": settings.coordinator,
                "blocked": blocked,
                "running": running,
                "unacknowledged": [stored.digest for stored in pending],
                "policy_version": policy.version if policy else None,
                "log_sizes": checkpoints,
                "cosigned_sizes": cosigned,
            }
        )
    else:
        shown = screen()
        _draw_status(shown, settings.name, blocked=blocked, pending=len(pending))
        pairs: list[tuple[str, Cell]] = [
            ("  home", str(home.path)),
            ("  coordinator", settings.coordinator),
            ("  agent run", "at work" if running else "not running"),
            ("  policy", f"version {policy.version}" if policy else "none seen yet"),
            *(("  log", f"{origin}: {size} entries verified") for origin, size in checkpoints.items()),
            *(("  witness", f"{origin}: {size} entries cosigned") for origin, size in cosigned.items()),
            *(("  no receipt", f"a statement in ceremony {stored.ceremony}") for stored in pending),
        ]
        shown.facts(pairs)
        next_words = ("inbox",) if running else ("agent", "run")
        shown.next("Send again, and watch" if pending else "What waits", command(arguments, *next_words))
    return Outcome.LOG_PROOF if blocked else 0


def _draw_status(shown: Screen, name: str, *, blocked: bool, pending: int) -> None:
    if blocked:
        shown.answer(Mark.FAILED, f"{name} signs nothing: the log signed two histories")
    elif pending:
        shown.answer(Mark.WARNING, f"{name} has signed {pending} that nobody has acknowledged")
    else:
        shown.answer(Mark.DONE, f"{name} is ready")


def _runs(home: Home) -> bool:
    try:
        with home.running():
            return False
    except AlreadyRunningError:
        return True


def _print_line(told: Told) -> None:
    sys.stdout.write(json.dumps(told_json(told)) + "\n")
    sys.stdout.flush()


VERBS = {
    "practice": Command(
        "practise deciding, where nothing counts",
        practice.add_arguments,
        practice.run,
        practice.__doc__ or "",
    ),
    "doctor": Command("say how this agent is", doctor.add_arguments, doctor.run, doctor.__doc__ or ""),
    "enroll": Command(
        "join an organisation by an invitation", enroll.add_arguments, enroll.run, enroll.__doc__ or ""
    ),
    "reconnect": Command(
        "get a new certificate by an invitation",
        reconnect.add_arguments,
        reconnect.run,
        reconnect.__doc__ or "",
    ),
    "hand-back": Command(
        "give the coordinator what its log has lost", add_home, hand_back.run, hand_back.__doc__ or ""
    ),
    "run": Command("watch for what waits for you, and be present", add_run_arguments, run, run.__doc__ or ""),
    "status": Command(
        "say how this agent stands, without asking anybody", add_home, status, status.__doc__ or ""
    ),
}
