# SPDX-License-Identifier: Apache-2.0
"""What ``org init`` takes: people and roles as somebody writes them on one line, and where things listen."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from quorumseal.ceremony.values import name
from quorumseal.refusal import Refusal
from quorumseal.terminal import parse_duration

PEOPLE = "alice:engineering,bob:engineering,carol:security,dan:release,rita:managers"
QUORUM = "engineering=2,security=1,release=1"
EMERGENCY = "engineering=1 security=1"
GUARDIANS = "security"
LOCAL_LISTEN = "127.0.0.1:7443"
ACROSS_LISTEN = "0.0.0.0:7443"
ENROL_PORT = 7445
_SEPARATOR = re.compile(r"[,\s]+")
_LISTEN = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}")
EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104 - no address by which anybody is reached
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:]+\]")


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org init`` takes."""
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
        "--quorum", type=quorum, default=QUORUM, help=f"how many of which role (default: {QUORUM})"
    )
    parser.add_argument(
        "--requesters",
        type=names,
        default="managers",
        metavar="ROLES",
        help="roles whose members start ceremonies, and do not count (default: managers)",
    )
    parser.add_argument("--products", type=names, default="widget", help="what is released (default: widget)")
    parser.add_argument(
        "--rejection",
        choices=["veto", "count"],
        default="veto",
        help="whether one rejection ends a ceremony, or too many (default: veto)",
    )
    parser.add_argument(
        "--machines",
        type=names,
        default="",
        metavar="NAMES",
        help="which of them are programs, such as ci: they ask on behalf of a person",
    )
    parser.add_argument(
        "--break-glass",
        type=quorum,
        metavar="QUORUM",
        help=f"how many of which role release in an emergency (default: none; with --drill {EMERGENCY})",
    )
    parser.add_argument(
        "--guardians",
        type=names,
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
        type=names,
        default="",
        metavar="PEOPLE",
        help="who also gets a second key, spare.key.pem; a person counts once all the same",
    )
    parser.add_argument(
        "--listen",
        type=_listen,
        metavar="HOST:PORT",
        help=f"where the coordinator listens (default: {ACROSS_LISTEN}; with --local {LOCAL_LISTEN})",
    )
    parser.add_argument(
        "--address",
        type=_host,
        metavar="HOST",
        help="the name or address by which other machines reach it (default: the host of --listen)",
    )
    parser.add_argument(
        "--enrol-port",
        type=_port,
        default=ENROL_PORT,
        metavar="PORT",
        help=f"where it answers people who have an invitation (default: {ENROL_PORT})",
    )
    passphrase = parser.add_mutually_exclusive_group()
    passphrase.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="with --local: read the first passphrase of all keys here",
    )
    passphrase.add_argument(
        "--passphrase-fd", type=int, metavar="N", help="read it from this file descriptor"
    )
    parser.epilog = (
        "examples:\n"
        "  quorumseal org init acme --address coordinator.acme.example\n"
        "  quorumseal org init --local acme --products widget,gadget"
    )


def _name(text: str) -> str:
    try:
        return name(text)
    except Refusal as refusal:
        raise ArgumentTypeError(str(refusal)) from None


def names(text: str) -> list[str]:
    """Read ``alice, bob`` as names."""
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


def quorum(text: str) -> dict[str, int]:
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


def _listen(text: str) -> str:
    if not _LISTEN.fullmatch(text):
        raise ArgumentTypeError(f"expected HOST:PORT, got {text}")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ArgumentTypeError(f"expected a host's name or address without a port, got {text}")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 1 << 16):
        raise ArgumentTypeError(f"expected a port from 0 to 65535, got {text}")
    return int(text)


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATOR.split(text) if word]
