# SPDX-License-Identifier: Apache-2.0
"""Say which people and keys should be asked about: by the policy, and by who decided what in the log.

People who decided in none of the last ceremonies that they could decide in, keys in use for a year, keys that
end, roles of which nobody may be missing, and machines or groups in the place of people.  Everything is
verified on this machine.  Exit code 0: nothing to ask about; 12: something.
"""

from argparse import ArgumentParser, Namespace
from itertools import islice

from quorumseal.ceremony.activity import Attended, report
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.values import ceremony_id
from quorumseal.cli.desk import add_home, command, open_desk
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.parsing import at_least_one
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import draw_findings, findings_json
from quorumseal.verifier.outcomes import Outcome
from signer_agent.agent import Agent
from signer_agent.background import listed
from signer_agent.observing import Observation, observe, observe_policy

LOOKED_AT, LAST = 50, 5


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org report`` takes."""
    parser.add_argument(
        "--ceremonies",
        type=at_least_one,
        default=LOOKED_AT,
        metavar="N",
        help="how many of the newest to look at (default: 50)",
    )
    parser.add_argument(
        "--last",
        type=at_least_one,
        default=LAST,
        metavar="N",
        help="inactive is who decided in none of the last N that they could (default: 5)",
    )
    add_home(parser)


def run(arguments: Namespace) -> int:
    """Report."""
    with open_desk(arguments) as desk:
        policy = observe_policy(desk.agent).policy
        attended = look_back(desk.agent, most=arguments.ceremonies)
        at = desk.agent.now()
    findings = report(policy, attended, at=at, last=arguments.last)
    if arguments.json:
        found = [dict(each) for each in findings_json(findings)]
        print_json({"policy": policy.version, "ceremonies": len(attended), "findings": found})
        return Outcome.WARNINGS if findings else 0
    shown = screen()
    looked = f"policy version {policy.version}, {len(attended)} ceremonies that ended"
    if findings:
        shown.answer(Mark.WARNING, f"{len(findings)} to ask about in {policy.organisation} ({looked})")
        draw_findings(shown, findings)
        shown.next("What a policy can bear", command(arguments, "policy", "show"))
    else:
        shown.answer(Mark.DONE, f"nothing to ask about in {policy.organisation} ({looked})")
        shown.next("What there was", command(arguments, "list"))
    return Outcome.WARNINGS if findings else 0


def look_back(agent: Agent, *, most: int) -> tuple[Attended, ...]:
    """Verify the newest ceremonies that ended, newest first, and say who attended."""
    ids = (summary.ceremony for summary in listed(agent) if summary.state != State.OPEN)
    seen = (observe(agent, ceremony_id(each)) for each in islice(ids, most))
    return tuple(attended(each) for each in seen)


def attended(seen: Observation) -> Attended:
    """Say who could decide in a ceremony, and who did."""
    ceremony = seen.chain.ceremony
    policy: Policy = ceremony.policy
    request = ceremony.request.statement
    able = {name for need in ceremony.rule.quorum for name in policy.roles[need.role].members}
    asked = {request.context.signer, *([request.on_behalf_of] if request.on_behalf_of else [])}
    decided = {each.context.signer: each.context.signed_at for each in seen.signed(Decision)}
    return Attended(opened_at=request.opened_at, able=frozenset(able - asked), decided=decided)
