# SPDX-License-Identifier: Apache-2.0
"""Say what a policy changes, in words: people, keys, roles, rules, products, governance, log, calendar.

Marked with ! is what weakens: it permits what the old policy refused.  Each of the two is a policy.toml, the
bytes compiled from one, or the number of a version, looked up from the home.  Of one policy the other side is
the one in force; of none, the new one is ./policy.toml.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_differences import Difference, differences
from quorumseal.cli.desk import add_home, open_desk
from quorumseal.cli.errors import UsageError
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.files import read_any
from quorumseal.cli.policy.versions import versions_of
from quorumseal.terminal import Mark
from signer_agent.differences_screen import counted, differences_json, draw_differences

_WEAKENS = 12
_IN_FORCE = "in force"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy diff`` takes."""
    parser.add_argument(
        "policies", nargs="*", metavar="POLICY", help="[OLD] NEW: a file, or a version (default: policy.toml)"
    )
    parser.add_argument("--strict", action="store_true", help="exit 12 where anything weakens")
    add_home(parser)
    parser.epilog = "examples:\n  quorumseal policy diff\n  quorumseal policy diff 1 policy.toml --strict"


def run(arguments: Namespace) -> int:
    """Compare."""
    old_name, new_name = _named(arguments.policies)
    old, new = _policies(arguments, (old_name, new_name))
    found = differences(old, new)
    if arguments.json:
        print_json({"old": old.version, "new": new.version, "differences": differences_json(found)})
    else:
        _draw(new_name, old, new, found)
    return _WEAKENS if arguments.strict and any(difference.weakens for difference in found) else 0


def _named(given: Sequence[str]) -> tuple[str, str]:
    match given:
        case []:
            return _IN_FORCE, "policy.toml"
        case [new]:
            return _IN_FORCE, new
        case [old, new]:
            return old, new
    raise UsageError(f"expected at most two policies, got {len(given)}")


def _policies(arguments: Namespace, names: Sequence[str]) -> list[Policy]:
    """Return the named policies; the home is opened only where a name leads to it."""
    if not any(_is_version(name) for name in names):
        return [read_any(Path(name)) for name in names]
    with open_desk(arguments) as desk:
        versions = versions_of(desk)
    return [
        (versions.newest if name == _IN_FORCE else versions.numbered(int(name))).policy
        if _is_version(name)
        else read_any(Path(name))
        for name in names
    ]


def _is_version(name: str) -> bool:
    return name == _IN_FORCE or (name.isdecimal() and not Path(name).exists())


def _draw(name: str, old: Policy, new: Policy, found: Sequence[Difference]) -> None:
    drawn = screen()
    mark = Mark.WARNING if any(difference.weakens for difference in found) else Mark.DONE
    what = f"version {new.version}" if _is_version(name) else f"{name}, version {new.version},"
    drawn.answer(mark, f"{what} changes {counted(found)}, after version {old.version}")
    draw_differences(drawn, found)
    if Path(name).suffix == ".toml":
        drawn.next("See what it is short of", ["quorumseal", "policy", "lint", name])
