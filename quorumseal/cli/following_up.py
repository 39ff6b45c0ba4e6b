# SPDX-License-Identifier: Apache-2.0
"""What ``ratify`` and ``release revoke`` share: they ask for a ceremony about an earlier one."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from quorumseal.cli.attachments import add_evidence, attach
from quorumseal.cli.desk import Desk, add_ceremony, open_desk
from quorumseal.cli.start import ask, show_draft, would_open
from signer_agent.cli.opening import add_passphrase
from signer_agent.cli.times import until_argument
from signer_agent.drafting import Draft
from signer_agent.naming import Among
from signer_agent.observing import Observation
from signer_agent.succeeding import Succession


def add_following(parser: ArgumentParser) -> None:
    """Describe what both take."""
    add_ceremony(parser)
    parser.add_argument(
        "--deadline",
        type=until_argument,
        metavar="TIME",
        help="3bd or 4bh (working time), 8h, 3d, or an instant with its zone (default: the rule's)",
    )
    parser.add_argument("--ticket", metavar="TEXT", help="where this is talked about")
    add_evidence(parser)
    parser.add_argument("--on-behalf-of", metavar="PERSON", help="for which person a machine asks")
    parser.add_argument(
        "--supersede", metavar="CEREMONY", help="take the place of an earlier request for the same"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be signed, and sign nothing")
    add_passphrase(parser)


def follow_up(
    arguments: Namespace, among: Among, write: Callable[[Desk, Observation, Succession], Draft]
) -> int:
    """Find what it is about, write the request, show it or send it."""
    evidence = [attach(text) for text in arguments.evidence]
    with open_desk(arguments) as desk:
        about = desk.look(arguments.ceremony, among)
        superseded = desk.look(arguments.supersede) if arguments.supersede else None
        draft = write(
            desk,
            about,
            Succession(
                deadline=arguments.deadline,
                on_behalf_of=arguments.on_behalf_of,
                ticket=arguments.ticket,
                evidence=[described for described, _ in evidence],
                supersedes=superseded.chain.ceremony.request.digest if superseded else None,
            ),
        )
        ceremony = would_open(desk.agent, about.newest, draft)
        if arguments.dry_run:
            return show_draft(draft, ceremony, about.newest, arguments)
        for _, data in evidence:
            desk.connection.put_evidence(data)
        return ask(desk, about.newest, draft, arguments)
