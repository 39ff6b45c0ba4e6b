# SPDX-License-Identifier: Apache-2.0
"""``policy``: the rules, as people read, write and sign them."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.files import write_new
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.policy_files import read_source
from quorumseal.cli.policy_screen import draw_policy, policy_json
from quorumseal.cli.table import Command, Verb
from quorumseal.terminal import Mark


def _add_check_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="POLICY.TOML", help="the policy as people write it")


def check(arguments: Namespace) -> int:
    """Say what a policy.toml means, or why it cannot be a policy."""
    policy = read_source(arguments.source)
    digest = digest_of(write_policy(policy))
    if arguments.json:
        print_json({"digest": digest, "policy": policy_json(policy)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"{arguments.source} is a policy: {policy.organisation} version {policy.version}")
    drawn.facts([("  digest", digest)])
    draw_policy(drawn, policy, at=datetime.now(UTC))
    compiled = f"policy-{policy.version}.json"
    drawn.next(
        "Write the bytes to be signed",
        ["quorumseal", "policy", "compile", str(arguments.source), "--out", compiled],
    )
    return 0


def _add_compile_arguments(parser: ArgumentParser) -> None:
    _add_check_arguments(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the bytes go")


def compile_(arguments: Namespace) -> int:
    """Write the exact bytes of a policy that are to be signed."""
    policy = read_source(arguments.source)
    payload = write_policy(policy)
    write_new(arguments.out, payload)
    if arguments.json:
        print_json({"digest": digest_of(payload), "file": str(arguments.out)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote {policy.organisation} version {policy.version} to {arguments.out}")
    drawn.facts([("  digest", digest_of(payload)), ("  signed", "no; these are the bytes to sign")])
    return 0


def _add_show_arguments(parser: ArgumentParser) -> None:
    from quorumseal.cli.desk import add_home

    parser.add_argument(
        "version",
        nargs="?",
        type=int,
        metavar="VERSION",
        help="which one (default: the one in force)",
    )
    add_home(parser)


def show(arguments: Namespace) -> int:
    """Show the policy in force, or another version, verified from the home's trust file."""
    from quorumseal.cli.desk import open_desk
    from quorumseal.cli.policy_versions import versions_of

    with open_desk(arguments) as desk:
        versions = versions_of(desk)
    policy = versions.numbered(arguments.version or versions.newest.policy.version)
    if arguments.json:
        print_json({"digest": policy.digest, "signers": policy.signers, "policy": policy_json(policy.policy)})
        return 0
    drawn, version = screen(), policy.policy.version
    if policy.digest == versions.newest.digest:
        drawn.answer(Mark.DONE, f"{policy.policy.organisation} is under policy version {version}")
    else:
        drawn.answer(Mark.WAITING, f"policy version {version}, which holds no more")
    drawn.facts([("  digest", policy.digest), ("  signed by", ", ".join(policy.signers))])
    draw_policy(drawn, policy.policy, at=datetime.now(UTC))
    return 0


VERBS: dict[str, Command | Verb] = {
    "show": Command(
        "show the policy in force or an earlier one, verified", _add_show_arguments, show, show.__doc__ or ""
    ),
    "check": Command("say what a policy.toml means", _add_check_arguments, check, check.__doc__ or ""),
    "compile": Command(
        "write the bytes to be signed", _add_compile_arguments, compile_, compile_.__doc__ or ""
    ),
    "edit": Verb("quorumseal.cli.policy_edit", "edit the next version as commented TOML"),
    "diff": Verb("quorumseal.cli.policy_diff", "say what a new policy changes, and what of it weakens"),
    "simulate": Verb(
        "quorumseal.cli.policy_simulate", "say what the last ceremonies would have become under another"
    ),
    "propose": Verb("quorumseal.cli.policy_propose", "ask both sides for a policy change", "agent"),
    "lint": Verb("quorumseal.cli.policy_lint", "say whose absence stops a release, and what runs out"),
    "log": Verb("quorumseal.cli.policy_log", "list every version, who approved it, what it changed"),
    "schema": Verb("quorumseal.cli.policy_schema", "write the JSON Schema of policy.toml, for editors", ""),
    "holidays": Verb(
        "quorumseal.cli.policy_holidays", "draft a country's holidays for policy.toml", "holidays"
    ),
}
