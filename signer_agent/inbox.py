# SPDX-License-Identifier: Apache-2.0
"""What waits for this signer: every open ceremony, each one verified before a line of it is shown.

The coordinator's list only says where to look.  What this agent knows to be open is looked at even when the
list leaves it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from quorumseal.ceremony.expiring import Expiring, Expiry, expiries
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import ceremony_id
from quorumseal.refusal import Refusal
from signer_agent.agent import Agent
from signer_agent.deciding import look
from signer_agent.errors import ForkError
from signer_agent.observing import observe_head, observe_policy
from signer_agent.review import Review, Standing

URGENT = (Standing.UNSENT, Standing.AWAITED, Standing.CONFLICT, Standing.OVERDUE)
_MOST_PAGES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A ceremony that does not verify."""

    ceremony: str
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """All open ceremonies, the most urgent first."""

    reviews: tuple[Review, ...]
    unreadable: tuple[Unreadable, ...] = ()
    ending: tuple[Expiry, ...] = ()
    """What ends within sixty days: this signer's keys, and the policy."""

    @property
    def waiting(self) -> tuple[Review, ...]:
        """What needs something from this signer."""
        return tuple(review for review in self.reviews if review.standing in URGENT)

    @property
    def emergencies(self) -> tuple[Review, ...]:
        """The open emergencies: everybody may have to do something about one, if only to veto it."""
        return tuple(review for review in self.reviews if review.ceremony.emergency is not None)

    @property
    def rest(self) -> tuple[Review, ...]:
        """What is open and needs nothing from this signer."""
        return tuple(review for review in self.reviews if review.standing not in URGENT)


def open_inbox(agent: Agent) -> Inbox:
    """Look at every open ceremony."""
    policy = observe_policy(agent)
    observe_head(agent, policy)
    reviews: list[Review] = []
    unreadable: list[Unreadable] = []
    for ceremony in dict.fromkeys((*_listed(agent), *agent.journal.open_ceremonies())):
        try:
            review = look(agent, ceremony, policy=policy)
        except ForkError:
            raise
        except Refusal as refusal:
            unreadable.append(Unreadable(ceremony=ceremony, refusal=refusal))
        else:
            if review.ceremony.state is State.OPEN:
                reviews.append(review)
    return Inbox(
        reviews=tuple(sorted(reviews, key=_urgency)),
        unreadable=tuple(unreadable),
        ending=tuple(
            each
            for each in expiries(policy.policy, at=agent.now())
            if each.what is Expiring.POLICY or each.name == agent.name
        ),
    )


def _listed(agent: Agent) -> Iterator[str]:
    token = ""
    for _ in range(_MOST_PAGES):
        page = agent.connection.list_ceremonies(states=[State.OPEN], page_token=token)
        yield from (ceremony_id(summary.ceremony) for summary in page.ceremonies)
        token = page.next_token
        if not token:
            return


def _urgency(review: Review) -> tuple[bool, int, str, str]:
    order = URGENT.index(review.standing) if review.standing in URGENT else len(URGENT)
    request = review.request.statement
    ordinary = review.ceremony.emergency is None
    return ordinary, order, review.ceremony.deadline.isoformat(), request.ceremony
