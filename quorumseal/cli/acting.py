# SPDX-License-Identifier: Apache-2.0
"""How somebody acts in a ceremony: settle what was signed before, show, ask, open the key, sign, send."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from quorumseal.ceremony.statements import CeremonyAct
from quorumseal.cli.desk import Desk, add_ceremony
from signer_agent.cli.opening import add_passphrase, open_key
from signer_agent.cli.verdict import Person, somebody
from signer_agent.deciding import look
from signer_agent.drafting import Draft
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.signing import send, settle, sign_and_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What was signed and is in the log, and the ceremony as it was before."""

    review: Review
    stored: Stored
    again: bool = False
    """It was signed before, and only sent now."""


def add_act(parser: ArgumentParser) -> None:
    """Describe what every act takes."""
    add_ceremony(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    add_passphrase(parser)


def act(
    desk: Desk,
    arguments: Namespace,
    kind: type[CeremonyAct],
    *,
    write: Callable[[Review], Draft],
    ask: Callable[[Review, Draft], str],
) -> Acted:
    """Act in the ceremony that the arguments name; an act of this kind without a receipt is only sent."""
    found = desk.look(arguments.ceremony)
    review = look(desk.agent, found.chain.id, policy=found.newest)
    if review.pending is not None:
        stored = settle(desk.agent, review.pending, review.observation)
        if isinstance(stored.statement, kind):
            return Acted(review=review, stored=stored, again=True)
        review = look(desk.agent, found.chain.id, policy=found.newest)
    draft = write(review)
    Person(ask=somebody(), yes=arguments.yes).confirm(f"{desk.agent.name}: {ask(review, draft)}")
    policy = review.observation.policy
    key = open_key(desk.settings, arguments.passphrase_fd, policy)
    return Acted(
        review=review, stored=send(desk.agent, sign_and_store(desk.agent, draft, key, policy), policy)
    )
