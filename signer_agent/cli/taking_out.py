# SPDX-License-Identifier: Apache-2.0
"""How ``key revoke`` and ``org suspend`` go: show, ask, sign, send, and say who else must sign."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from quorumseal.signatures import PrivateKey
from quorumseal.terminal import Mark
from signer_agent.absences import pending_acts, record, settle_standing
from signer_agent.agent import Agent
from signer_agent.cli.opening import add_home, add_passphrase, command, open_file, open_key, screen
from signer_agent.cli.verdict import Person, somebody
from signer_agent.drafting import Draft
from signer_agent.fork import require_unblocked
from signer_agent.observing import ObservedStanding, observe_standing
from signer_agent.settings import Settings


def add_signing(parser: ArgumentParser) -> None:
    """Let a verb be told how to sign."""
    parser.add_argument(
        "--with-key",
        type=Path,
        metavar="FILE",
        help="sign with this key file (default: the key of your settings)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)
    add_home(parser)


def looked(agent: Agent) -> ObservedStanding:
    """Bring to its end what was signed before, and return what stands."""
    require_unblocked(agent.home)
    seen = observe_standing(agent)
    for stored in pending_acts(agent):
        settle_standing(agent, stored, seen)
        seen = observe_standing(agent)
    return seen


def sign(
    agent: Agent, settings: Settings, seen: ObservedStanding, draft: Draft, arguments: Namespace, *, what: str
) -> ObservedStanding:
    """Ask, sign, send; return what stands then."""
    Person(ask=somebody(), yes=arguments.yes).confirm(f"{agent.name}: {what}.")
    record(agent, [draft], _key(settings, seen, arguments), seen.policy)
    return observe_standing(agent)


def report(
    arguments: Namespace,
    *,
    effective: str,
    waiting: str,
    others: Sequence[str],
    again: Sequence[str],
    after: tuple[str, Sequence[str]],
) -> None:
    """Say that it is effective, or that it waits, for whom, and what they run."""
    shown = screen()
    if effective:
        shown.answer(Mark.DONE, effective)
        why, words = after
        shown.next(why, command(arguments, *words))
        return
    shown.answer(Mark.WAITING, waiting)
    shown.line("It is in the log, and does nothing yet: a second guardian must sign the same.")
    if others:
        shown.next(f"One of {', '.join(others)} runs", again)
        return
    why = "Nobody else guards: mark a role with guardian = true by a policy change, then two sign anew"
    shown.next(why, command(arguments, "policy", "edit"))


def _key(settings: Settings, seen: ObservedStanding, arguments: Namespace) -> PrivateKey:
    if arguments.with_key is not None:
        return open_file(settings, arguments.with_key, arguments.passphrase_fd)
    return open_key(settings, arguments.passphrase_fd, seen.policy)
