# SPDX-License-Identifier: Apache-2.0
"""Stop an emergency that is held in files: sign a veto, which names the one entry that everybody has."""

from argparse import Namespace

from quorumseal.ceremony.statements import Veto
from quorumseal.cli.output import screen
from signer_agent.agent import Agent
from signer_agent.cli.opening import open_key
from signer_agent.cli.verdict import Person, somebody
from signer_agent.draft_screen import draw_act
from signer_agent.emergencies import write_veto
from signer_agent.offline import signed_before
from signer_agent.review import Review
from signer_agent.screen import draw_review, release_of
from signer_agent.settings import Settings
from signer_agent.signing import sign_and_store


def veto(agent: Agent, settings: Settings, review: Review, arguments: Namespace) -> bool:
    """Sign it; return whether one had been signed before, and nothing was signed now."""
    signed = signed_before(agent, review.request.statement.ceremony)
    if any(isinstance(stored.statement, Veto) for stored in signed):
        return True
    draft = write_veto(agent, review, arguments.reason)
    if not arguments.json:
        drawn = screen()
        draw_review(drawn, review)
        draw_act(drawn, review, draft, "It ends the emergency, unless its veto window was over before.")
        drawn.line()
    person = Person(ask=somebody(), yes=arguments.yes)
    person.confirm(f"{agent.name}: veto of {release_of(review)}.")
    policy = review.observation.policy
    key = open_key(settings, arguments.passphrase_fd, policy)
    sign_and_store(agent, draft, key, policy)
    return False
