# SPDX-License-Identifier: Apache-2.0
"""List every version of the policy, verified from the home's trust file on: who approved it, what it changed.

Version 1 was signed by its founders; each later one was approved by the governance of the one before it and
by its own, in two ceremonies whose proof is walked here.
"""

from argparse import ArgumentParser, Namespace
from datetime import datetime

from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.policy_differences import Difference, differences
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.desk import add_home, command, now, open_desk
from quorumseal.cli.output import Json, print_json, screen
from quorumseal.terminal import Mark, distance_text, instant_text
from quorumseal.verifier.bundle import Adopted
from signer_agent.differences_screen import counted, differences_json
from signer_agent.history import History, observe_history


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``policy log`` takes."""
    add_home(parser)
    parser.epilog = "example:\n  quorumseal policy log"


def run(arguments: Namespace) -> int:
    """List them."""
    with open_desk(arguments) as desk:
        history = observe_history(desk.agent)
    if arguments.json:
        print_json({"versions": [_json(history, number) for number in range(len(history.policies))]})
        return 0
    drawn, newest = screen(), history.newest.policy
    drawn.answer(
        Mark.DONE, f"{newest.organisation} is under policy version {newest.version}, every link verified"
    )
    for number, policy in enumerate(history.policies):
        changed, since = _changed(history, number), _adopted_at(history, number)
        drawn.heading(f"Version {policy.policy.version}")
        facts = [
            ("  approved by", ", ".join(policy.signers)),
            ("  changes", "everything: it is the first" if changed is None else counted(changed)),
            ("  expires", instant_text(policy.policy.expires)),
        ]
        if since is not None:
            facts.insert(0, ("  since", f"{instant_text(since)}, {distance_text(since, now())}"))
        drawn.facts(facts)
        drawn.line(f"    {policy.digest}")
    version = str(newest.version)
    if len(history.policies) > 1:
        drawn.next("What the last one changed", _diff(arguments, newest.version))
    else:
        drawn.next("What it says", command(arguments, "policy", "show", version))
    return 0


def _diff(arguments: Namespace, version: int) -> list[str]:
    return command(arguments, "policy", "diff", str(version - 1), str(version))


def _adopted_at(history: History, number: int) -> datetime | None:
    """Return when the second of a version's two ceremonies concluded; nobody asked for the first version."""
    version = history.versions[number]
    if not isinstance(version, Adopted):
        return None
    return max(read_entry(part.entries[-1]).at for part in (version.change, version.acceptance))


def _changed(history: History, number: int) -> tuple[Difference, ...] | None:
    if number == 0:
        return None
    return differences(history.policies[number - 1].policy, history.policies[number].policy)


def _json(history: History, number: int) -> Json:
    signed: SignedPolicy = history.policies[number]
    since, changed = _adopted_at(history, number), _changed(history, number)
    return {
        "version": signed.policy.version,
        "digest": signed.digest,
        "since": exact(since) if since else None,
        "expires": exact(signed.policy.expires),
        "approved_by": [*signed.signers],
        "differences": None if changed is None else differences_json(changed),
    }
