# SPDX-License-Identifier: Apache-2.0
"""Practise deciding, on this machine alone: two releases, the real screens, and nothing that counts.

Everything is signed in an organisation of its own, `practice`, whose policy is an exercise that no verifier
accepts, and is thrown away at the end.  The key is made for the moment; with --own-key it is your own, so
that you see that it opens and signs.  No coordinator is asked, and nobody is told.
"""

import os
import secrets
import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import PRACTICE
from quorumseal.ceremony.statements import Choice
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.signatures import PrivateKey, Scheme, generate_key
from quorumseal.terminal import Mark
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.cli.opening import add_home, add_passphrase, command, now, open_file, print_json, screen
from signer_agent.cli.verdict import Person, decide, sign_shown, somebody
from signer_agent.deciding import look
from signer_agent.home import SETTINGS_FILE, Home, find_home
from signer_agent.journal import Journal
from signer_agent.practising.coordinator import PracticeCoordinator
from signer_agent.practising.lessons import LESSONS, Lesson, ask, let_colleague_approve, put_artifact
from signer_agent.practising.organisation import PRODUCT, found_practice
from signer_agent.settings import read_settings
from signer_agent.signing import send

_YOU = "you"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``agent practice`` takes."""
    parser.add_argument("--own-key", action="store_true", help="sign with your own key, which is opened once")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Practise."""
    name, key = _signer(arguments)
    with TemporaryDirectory(prefix="quorumseal-practice-") as scratch:
        folder = Path(scratch)
        (folder / SETTINGS_FILE).touch()
        home = Home.open(folder)
        with Journal.open(home.journal_file) as journal:
            practice = found_practice(name, key.public, at=_clock(), randomness=secrets.token_bytes)
            coordinator = PracticeCoordinator(practice, _clock)
            agent = Agent(
                name=name,
                home=home,
                journal=journal,
                connection=coordinator,
                trust=practice.trust,
                now=_clock,
                randomness=os.urandom,
            )
            if not arguments.json:
                said = f"Practice for {name}, on this machine alone: two releases, and nothing of it counts"
                screen().answer(Mark.DONE, said)
            states = [
                _go_through(agent, coordinator, lesson, key, folder, arguments, number)
                for number, lesson in enumerate(LESSONS, start=1)
            ]
    if arguments.json:
        print_json({"organisation": PRACTICE, "name": name, "own_key": arguments.own_key, "states": states})
    else:
        shown = screen()
        shown.line()
        whose = "your own key" if arguments.own_key else "a key of the moment"
        shown.item(
            Mark.DONE, f"You practised with {whose}: one approval, one rejection. Nothing of it counts."
        )
        shown.next("Whether you are ready for a real one", command(arguments, "agent", "doctor"))
    return 0


def _clock() -> datetime:
    """Return the time for everybody here."""
    return whole_milliseconds(now())


def _signer(arguments: Namespace) -> tuple[str, PrivateKey]:
    """Return whose practice it is, and the key that they practise with."""
    if not arguments.own_key:
        return _YOU, generate_key(Scheme.ED25519, secrets.token_bytes)
    settings = read_settings(Home.open(find_home(arguments.home, os.environ)).settings_file)
    return settings.name, open_file(settings, settings.key_file, arguments.passphrase_fd)


def _go_through(
    agent: Agent,
    coordinator: PracticeCoordinator,
    lesson: Lesson,
    key: PrivateKey,
    folder: Path,
    arguments: Namespace,
    number: int,
) -> str:
    """Ask, show, let decide, and say what came of it."""
    ceremony = ask(coordinator, agent, lesson)
    artifacts = put_artifact(folder, lesson)
    if not arguments.json:
        screen().heading(f"Practice {number} of {len(LESSONS)}. {lesson.before}")
        _pause(arguments)
    review = look(agent, ceremony, sources=Sources(paths=(artifacts,)))
    deciding = Namespace(
        json=arguments.json,
        home=arguments.home,
        unchecked_artifacts=False,
        checked=(),
        reason=lesson.reason,
        role=[],
        member=None,
        valid_for=None,
    )
    person = Person(ask=somebody(), yes=arguments.yes)
    if arguments.json:
        _, stored = sign_shown(agent, lesson.choice, review, deciding, person=person, key=lambda: key)
        send(agent, stored, review.observation.policy)
    else:
        decide(agent, lesson.choice, review, deciding, person=person, key=lambda: key)
    if lesson.choice is Choice.APPROVAL:
        let_colleague_approve(coordinator, agent, ceremony)
    state: State = coordinator.chain(ceremony).ceremony.state
    if not arguments.json:
        shown = screen()
        shown.line()
        shown.item(Mark.DONE, lesson.after)
    return str(state)


def _pause(arguments: Namespace) -> None:
    """Let somebody read at their own speed."""
    if not arguments.yes and sys.stdin.isatty():
        input(f"Press Enter to review {PRODUCT}. ")
