# SPDX-License-Identifier: Apache-2.0
"""When a signer hears next of what waits for them: worked out here, where nobody needs to be asked."""

from collections.abc import Iterable
from datetime import datetime

from quorumseal.ceremony.reminding import coming
from signer_agent.agent import Agent
from signer_agent.observing import observe_standing
from signer_agent.review import Review


def next_reminders(agent: Agent, reviews: Iterable[Review]) -> dict[str, datetime]:
    """Return when this signer is reminded next of each ceremony, for those where they will be."""
    open_ones = list(reviews)
    if not open_ones:
        return {}
    standing, found = observe_standing(agent).standing, dict[str, datetime]()
    for review in open_ones:
        ahead = coming(review.ceremony, standing, at=review.at)
        mine = next((reminder.at for reminder in ahead if reminder.person == agent.name), None)
        if mine is not None:
            found[review.request.statement.ceremony] = mine
    return found
