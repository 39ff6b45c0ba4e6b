# SPDX-License-Identifier: Apache-2.0
"""Join an emergency: the review of every approval, under a banner, and an approval at its end.

Left out, CEREMONY is the only open emergency.  To say no, `reject` it; whoever rejects ends it.  To stop it
without a role of its quorum, `break-glass veto`.
"""

import sys
from argparse import ArgumentParser, Namespace

from quorumseal.ceremony.statements import Choice
from signer_agent.agent import Agent
from signer_agent.cli.approve import add_arguments as add_approval
from signer_agent.cli.looking import look_at
from signer_agent.cli.opening import open_key, opened
from signer_agent.cli.verdict import Person, decide
from signer_agent.emergencies import require_emergency
from signer_agent.errors import UsageError
from signer_agent.fork import require_unblocked
from signer_agent.inbox import open_inbox


def add_arguments(parser: ArgumentParser) -> None:
    """Describe what ``break-glass join`` takes."""
    add_approval(parser)


def run(arguments: Namespace) -> int:
    """Join."""
    ask = input if sys.stdin.isatty() and sys.stderr.isatty() else None
    with opened(arguments) as (agent, settings):
        require_unblocked(agent.home)
        arguments.ceremony = arguments.ceremony or only_emergency(agent)
        review = look_at(agent, settings, arguments)
        require_emergency(review)
        return decide(
            agent,
            Choice.APPROVAL,
            review,
            arguments,
            person=Person(ask=ask, yes=arguments.yes),
            key=lambda: open_key(settings, arguments.passphrase_fd, review.observation.policy),
        )


def only_emergency(agent: Agent) -> str:
    """Return the open emergency; the rules allow one at a time."""
    found = open_inbox(agent).emergencies
    if len(found) != 1:
        raise UsageError(
            f"expected one open emergency, got {len(found) or 'none'}",
            hint="`quorumseal list` shows what there is",
        )
    return found[0].request.statement.ceremony
