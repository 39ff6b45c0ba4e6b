# SPDX-License-Identifier: Apache-2.0
"""Edit the next version of the policy: the one in force as commented TOML, in your editor.

After saving it is compiled, linted and compared with the one in force.  What was written stays in its file
whatever happens: a mistake offers to edit it again, and the same command goes on with the file that is there.
"""

import os
import shlex
import subprocess
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from quorumseal.ceremony.newcomers import chosen, with_newcomer
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_differences import differences
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.policy_schema import SCHEMA_NAME, policy_schema
from quorumseal.ceremony.policy_source import KEYS_VALID
from quorumseal.ceremony.policy_writing import policy_text
from quorumseal.ceremony.request_errors import ProposalError
from quorumseal.cli.desk import Desk, add_home, command, now, open_desk
from quorumseal.cli.errors import SystemFailedError, UsageError
from quorumseal.cli.files import write_new, write_over
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy.files import read_source
from quorumseal.cli.policy.shortcomings import draw_shortcomings, shortcomings_json
from quorumseal.refusal import Refusal
from quorumseal.terminal import Mark
from signer_agent.differences_screen import counted, differences_json, draw_differences
from signer_agent.newcomers import enrolled
from signer_agent.observing import observe_policy

Ask = Callable[[str], str]


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy edit`` takes."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="what to edit (default: policy-VERSION.toml)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="only write the next version here, to edit it elsewhere"
    )
    parser.add_argument(
        "--add",
        type=_newcomer,
        metavar="PERSON:ROLE[+ROLE]",
        help="list somebody who enrolled by an invitation, in these roles",
    )
    parser.add_argument("--key", default="", metavar="ID", help="which of the keys that they enrolled")
    add_home(parser)
    parser.epilog = (
        "examples:\n  EDITOR=nano quorumseal policy edit\n"
        "  quorumseal policy edit --add erin:engineering --output next.toml"
    )


def run(arguments: Namespace) -> int:
    """Edit it."""
    with open_desk(arguments) as desk:
        current = observe_policy(desk.agent)
        draft = policy_text(_draft(desk, current, arguments))
    if arguments.output is not None:
        return _write_only(arguments, draft)
    file = arguments.file or Path(f"policy-{current.policy.version + 1}.toml")
    if not file.exists():
        write_new(file, draft.encode())
    _put_schema(file)
    edited = edit(file, current, editor=_editor(os.environ), ask=_somebody())
    return _report(arguments, file, current, edited)


def following(current: SignedPolicy) -> Policy:
    """Return the version after the one in force, which says the same."""
    return replace(current.policy, version=current.policy.version + 1, previous=current.digest)


def _draft(desk: Desk, current: SignedPolicy, arguments: Namespace) -> Policy:
    """Return what is edited: what is in force, with somebody new where one is named."""
    if arguments.add is None:
        return following(current)
    name, roles = arguments.add
    known = enrolled(desk.connection, current.policy.organisation)
    enrolment = chosen(name, (each for each, _ in known), key=arguments.key)
    at = now()
    return with_newcomer(current, enrolment, roles, at=at, until=at + KEYS_VALID)


def _newcomer(text: str) -> tuple[str, list[str]]:
    """Read ``erin:engineering+security``."""
    person, colon, roles = text.partition(":")
    if not colon or not person or not all(roles.split("+")):
        raise ArgumentTypeError(f"expected PERSON:ROLE or PERSON:ROLE+ROLE, got {text}")
    return person, roles.split("+")


def edit(file: Path, current: SignedPolicy, *, editor: list[str], ask: Ask | None) -> Policy:
    """Let somebody edit the file until it is a policy that follows, or until they give up."""
    while True:
        done = subprocess.run([*editor, str(file)], check=False)  # noqa: S603 - the person's own editor
        if done.returncode != 0:
            raise SystemFailedError(
                f"expected {editor[0]} to end well, got exit {done.returncode}",
                hint=f"what you wrote is in {file}",
            )
        try:
            return _checked(read_source(file), current)
        except Refusal as refusal:
            if ask is None:
                raise
            screen().refuse(str(refusal), code=refusal.code, hint=refusal.hint)
            if ask(f"Edit {file} again? Enter, or no to leave it as it is: ").strip().lower() in ("n", "no"):
                raise


def _checked(policy: Policy, current: SignedPolicy) -> Policy:
    """Return a policy that follows the one in force."""
    expected = following(current)
    for what, given, wanted in (
        ("organisation", policy.organisation, expected.organisation),
        ("version", policy.version, expected.version),
        ("previous", policy.previous, expected.previous),
    ):
        if given != wanted:
            raise ProposalError(
                f"expected {what} to be {wanted}, which follows the policy in force, got {given}",
                hint="leave organisation, version and previous as they were written",
            )
    return policy


def _write_only(arguments: Namespace, draft: str) -> int:
    write_new(arguments.output, draft.encode())
    _put_schema(arguments.output)
    if arguments.json:
        print_json({"file": str(arguments.output)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.output} is the next version; it says what the one in force says")
    drawn.next("When it is edited", command(arguments, "policy", "diff", str(arguments.output)))
    return 0


def _put_schema(file: Path) -> None:
    """Put the schema beside the file, where its first line tells editors to look."""
    write_over(file.with_name(SCHEMA_NAME), policy_schema())


def _report(arguments: Namespace, file: Path, current: SignedPolicy, edited: Policy) -> int:
    found = differences(current.policy, edited)
    if arguments.json:
        print_json(
            {
                "file": str(file),
                "version": edited.version,
                "differences": differences_json(found),
                "findings": shortcomings_json(edited, at=now()),
            }
        )
        return 0
    drawn = screen()
    mark = Mark.WARNING if any(difference.weakens for difference in found) else Mark.DONE
    drawn.answer(mark, f"{file} is a policy, and changes {counted(found)}")
    draw_differences(drawn, found)
    draw_shortcomings(drawn, edited, at=now())
    if found:
        drawn.next("Ask both sides for it", command(arguments, "policy", "propose", str(file)))
    else:
        drawn.next("Edit it again", command(arguments, "policy", "edit", str(file)))
    return 0


def _editor(environment: Mapping[str, str]) -> list[str]:
    for name in ("VISUAL", "EDITOR"):
        words = shlex.split(environment.get(name, ""))
        if words:
            return words
    raise UsageError(
        "expected your editor in $VISUAL or $EDITOR, got neither",
        hint="set one, or write the text with --output FILE and edit that",
    )


def _somebody() -> Ask | None:
    return input if sys.stdin.isatty() and sys.stderr.isatty() else None
