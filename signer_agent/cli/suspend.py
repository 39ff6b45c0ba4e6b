# SPDX-License-Identifier: Apache-2.0
"""Let somebody not count for a while: two guardians say so, neither of them that person.

It begins with the second signature, lasts to the earlier of the two ends, 30 days at most, and ends by its
date alone.  What the person decided in open ceremonies falls; afterwards they decide again.
"""

from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Suspension, SuspensionReason
from quorumseal.ceremony.values import instant_text, whole_milliseconds
from quorumseal.terminal import instant_text as plain
from signer_agent.cli.opening import opened, print_json, screen
from signer_agent.cli.taking_out import add_signing, looked, report, sign
from signer_agent.cli.times import moment_argument
from signer_agent.deadlines import moment
from signer_agent.key_screen import draw_suspension
from signer_agent.taking_out import guardians_beside, write_suspension


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``org suspend`` takes."""
    parser.add_argument("person", metavar="PERSON", help="who is not to count")
    parser.add_argument(
        "--until",
        required=True,
        type=moment_argument,
        metavar="TIME",
        help="until then: a day such as 2026-12-24, an instant, or how long (5bd, 2w); 30 days at most",
    )
    parser.add_argument(
        "--reason", required=True, choices=[str(reason) for reason in SuspensionReason], help="why"
    )
    add_signing(parser)


def run(arguments: Namespace) -> int:
    """Suspend somebody, or be the first of two who do."""
    with opened(arguments) as (agent, settings):
        seen, at, person = looked(agent), agent.now(), arguments.person
        until = whole_milliseconds(moment(arguments.until, seen.policy.policy.calendar, at=at))
        reason = SuspensionReason(arguments.reason)
        draft = write_suspension(agent, seen, person, until=until, reason=reason)
        assert isinstance(draft.statement, Suspension)  # noqa: S101 - what was written
        if not arguments.json:
            shown = screen()
            draw_suspension(shown, draft.statement)
            shown.line()
        then = sign(agent, settings, seen, draft, arguments, what=f"suspend {person}")
        suspended = then.standing.suspended.get(person)
        effective = suspended is not None and suspended.envelopes[-1].payload == draft.payload
        if arguments.json:
            print_json(
                {
                    "signed": draft.digest,
                    "effective": effective,
                    "person": person,
                    "until": instant_text(suspended.until if effective and suspended else until),
                }
            )
            return 0
        report(
            arguments,
            effective=f"{person} does not count until {plain(suspended.until)}"
            if effective and suspended
            else "",
            waiting=f"Your suspension of {person} waits for a second guardian",
            others=guardians_beside(then.policy.policy, person, agent.name),
            again=[
                *("quorumseal", "org", "suspend", person),
                *("--until", instant_text(until), "--reason", arguments.reason),
            ],
            after=("The keys of everybody, and who is suspended", ["key", "list"]),
        )
        return 0
