# SPDX-License-Identifier: Apache-2.0
"""``org init``: make a working organisation."""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TypeVar

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import name
from quorumseal.cli.errors import OverwriteError, UsageError
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.table import Command
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark, parse_duration

PEOPLE = "alice:engineering,bob:engineering,carol:security,dan:release,rita:managers"
QUORUM = "engineering=2,security=1,release=1"
EMERGENCY = "engineering=1 security=1"
GUARDIANS = "security"
_Value = TypeVar("_Value")
_SEPARATOR = re.compile(r"[,\s]+")
_LISTEN = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}")


def _add_init_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to make")
    parser.add_argument("--local", action="store_true", help="everybody's files on this machine")
    parser.add_argument("--name", type=_name, help="the organisation's name (default: the folder's)")
    parser.add_argument(
        "--people",
        type=_people,
        default=PEOPLE,
        help=f"who has which roles, several with + (default: {PEOPLE})",
    )
    parser.add_argument(
        "--quorum", type=_quorum, default=QUORUM, help=f"how many of which role (default: {QUORUM})"
    )
    parser.add_argument(
        "--requesters",
        type=_names,
        default="managers",
        metavar="ROLES",
        help="roles whose members start ceremonies, and do not count (default: managers)",
    )
    parser.add_argument(
        "--products", type=_names, default="widget", help="what is released (default: widget)"
    )
    parser.add_argument(
        "--rejection",
        choices=["veto", "count"],
        default="veto",
        help="whether one rejection ends a ceremony, or too many (default: veto)",
    )
    parser.add_argument(
        "--machines",
        type=_names,
        default="",
        metavar="NAMES",
        help="which of them are programs, such as ci: they ask on behalf of a person",
    )
    parser.add_argument(
        "--break-glass",
        type=_quorum,
        metavar="QUORUM",
        help=f"how many of which role release in an emergency (default: none; with --drill {EMERGENCY})",
    )
    parser.add_argument(
        "--guardians",
        type=_names,
        metavar="ROLES",
        help=f"the roles one of which every emergency needs (with --drill: {GUARDIANS})",
    )
    parser.add_argument(
        "--veto-window",
        type=_window,
        default="10m",
        metavar="TIME",
        help="how long anybody may stop an emergency (default: 10m)",
    )
    parser.add_argument(
        "--drill", action="store_true", help="to rehearse emergencies: no verifier accepts what comes of it"
    )
    parser.add_argument(
        "--spare-keys",
        type=_names,
        default="",
        metavar="PEOPLE",
        help="who also gets a second key, spare.key.pem; a person counts once all the same",
    )
    parser.add_argument(
        "--listen",
        type=_listen,
        default="127.0.0.1:7443",
        metavar="HOST:PORT",
        help="where the coordinator listens (default: 127.0.0.1:7443)",
    )
    passphrase = parser.add_mutually_exclusive_group()
    passphrase.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="read the first passphrase of all keys here"
    )
    passphrase.add_argument(
        "--passphrase-fd", type=int, metavar="N", help="read it from this file descriptor"
    )
    parser.epilog = "example:\n  quorumseal org init --local acme --products widget,gadget"


def init(arguments: Namespace) -> int:
    """Make an organisation to work with on one machine.

    A certificate authority, a coordinator with its log, a home with an encrypted key for each person, and a
    first policy that all of them signed.  To use it on several machines, move each home to its owner, who
    then gives the key another passphrase.
    """
    from quorumseal.cli.organisation import Plan, make_organisation

    if not arguments.local:
        raise UsageError(
            "expected --local, the only kind of organisation that this version makes, got no kind",
            hint="quorumseal org init --local DIR",
        )
    folder: Path = arguments.folder.absolute()
    if folder.exists():
        raise OverwriteError(
            f"expected nothing at {folder}, got a {'folder' if folder.is_dir() else 'file'}",
            hint="name another folder: nothing is overwritten",
        )
    plan = Plan(
        name=arguments.name or _name_of(folder),
        roles=arguments.people,
        quorum=arguments.quorum,
        requesters=arguments.requesters,
        products=arguments.products,
        listen=arguments.listen,
        passphrase=_passphrase(arguments),
        machines=arguments.machines,
        spare_keys=arguments.spare_keys,
        rejection=arguments.rejection,
        emergency=_given(arguments.break_glass, _quorum(EMERGENCY) if arguments.drill else {}),
        guardians=_given(arguments.guardians, _names(GUARDIANS) if arguments.drill else []),
        veto_window=arguments.veto_window,
        drill=arguments.drill,
    )
    for option, names in (("--spare-keys", plan.spare_keys), ("--machines", plan.machines)):
        for stranger in sorted(set(names) - set(plan.people)):
            raise UsageError(f"expected {option} of --people, who have a role, got {stranger}")
    screen().talk(f"making keys for {len(plan.people)} people…")
    policy = make_organisation(folder, plan, at=datetime.now(UTC))
    if arguments.json:
        people = {person: str(folder / "people" / person) for person in plan.people}
        print_json(
            {
                "organisation": plan.name,
                "policy": policy.digest,
                "trust": str(folder / "trust.json"),
                "settings": str(folder / "coordinator" / "coordinator.toml"),
                "homes": people,
            }
        )
        return 0
    _draw(folder, arguments.folder, policy)
    return 0


def _draw(folder: Path, given: Path, policy: SignedPolicy) -> None:
    drawn, names = screen(), policy.policy
    drawn.answer(Mark.DONE, f"{names.organisation} is founded in {folder}")
    drawn.facts(
        [
            ("  policy.toml", "who may release what; version 1 is signed by everybody and in the log"),
            ("  trust.json", "give it to whoever verifies"),
            ("  people/", f"a home for each of {', '.join(names.signers)}"),
            ("  coordinator/", "its settings, database and log key"),
            ("  authority/", "makes the certificates that connections need; keep its key away from both"),
            ("  published/", "where bundles go"),
        ]
    )
    homes = given / "people"
    rule = next(iter(names.rules.values()))
    requester = min(m for role in rule.requesters for m in names.roles[role].members)
    decider = min(m for threshold in rule.quorum for m in names.roles[threshold.role].members)
    product = min(names.products)
    drawn.heading("Then, each in its own terminal")
    for words, whose in (
        (["agent", "run"], decider),
        (["start", product, "1.0", "FILE"], requester),
        (["inbox"], decider),
    ):
        drawn.command(["quorumseal", *words, "--home", str(homes / whose)], indent=2)
    drawn.next(
        "But first run the coordinator",
        ["quorumseal", "coordinator", "run", "--settings", str(given / "coordinator" / "coordinator.toml")],
    )


def _passphrase(arguments: Namespace) -> bytes:
    from signer_agent.key_sources import Passphrases

    prompt = _prompt_twice if sys.stdin.isatty() else None
    passphrases = Passphrases(
        descriptor=arguments.passphrase_fd, file=arguments.passphrase_file, prompt=prompt
    )
    return passphrases.ask("the new keys")


def _prompt_twice(question: str) -> str:
    first = getpass(question)
    if first != getpass("Once more: "):
        raise UsageError("expected the same passphrase twice, got two", hint="nothing was made; start again")
    return first


def _name_of(folder: Path) -> str:
    try:
        return name(folder.name)
    except Refusal as refusal:
        raise UsageError(str(refusal), hint="name the organisation with --name") from None


def _name(text: str) -> str:
    try:
        return name(text)
    except Refusal as refusal:
        raise ArgumentTypeError(str(refusal)) from None


def _names(text: str) -> list[str]:
    return [_name(word) for word in _words(text)]


def _people(text: str) -> dict[str, list[str]]:
    """Read ``alice:engineering+security bob:engineering`` as roles with their members."""
    roles: dict[str, list[str]] = {}
    for word in _words(text):
        person, _, held = word.partition(":")
        for role in held.split("+"):
            members = roles.setdefault(_name(role), [])
            if person in members:
                raise ArgumentTypeError(f"expected each person once in a role, got {word} again")
            members.append(_name(person))
    return roles


def _quorum(text: str) -> dict[str, int]:
    """Read ``engineering=2 security=1``."""
    counts: dict[str, int] = {}
    for word in _words(text):
        role, _, count = word.partition("=")
        if not (count.isascii() and count.isdigit()) or role in counts:
            raise ArgumentTypeError(f"expected ROLE=COUNT, each role once, got {word}")
        counts[_name(role)] = int(count[:6])
    return counts


def _window(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _given(value: _Value | None, otherwise: _Value) -> _Value:
    return otherwise if value is None else value


def _listen(text: str) -> str:
    if not _LISTEN.fullmatch(text):
        raise ArgumentTypeError(f"expected HOST:PORT, got {text}")
    return text


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATOR.split(text) if word]


VERBS = {
    "init": Command("make an organisation on this machine", _add_init_arguments, init, init.__doc__ or "")
}
