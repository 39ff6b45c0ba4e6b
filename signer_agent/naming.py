# SPDX-License-Identifier: Apache-2.0
"""Which ceremony a person means: by its id, as PRODUCT@VERSION, or the only one that waits."""

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import ceremony_id
from signer_agent.agent import Agent
from signer_agent.errors import OtherAnswerError, UsageError
from signer_agent.inbox import open_inbox
from signer_agent.review import Review


def find_ceremony(agent: Agent, named: str | None) -> str:
    """Return the id of the ceremony that is meant; whoever uses it sees that it is the one."""
    if named is None:
        return _only_waiting(agent)
    product, at, version = named.partition("@")
    return _latest(agent, product, version) if at else ceremony_id(named)


def require_meant(review: Review, named: str | None) -> None:
    """Refuse a ceremony that is not the one that was meant: the coordinator only said where to look."""
    request = review.request.statement
    if named is not None and "@" in named and named != f"{request.product}@{request.version}":
        raise OtherAnswerError(
            f"expected a ceremony about {named}, got one about {request.product}@{request.version}",
            hint="the coordinator's list is wrong: name the ceremony by its id, and tell its operator",
        )


def _latest(agent: Agent, product: str, version: str) -> str:
    """Return the open ceremony of a release, or the latest where none is."""
    found = agent.connection.list_ceremonies(product=product, version=version).ceremonies
    still_open = [summary for summary in found if summary.state == State.OPEN]
    if not found:
        raise UsageError(
            f"expected a ceremony about {product}@{version}, found none",
            hint="`quorumseal inbox --all` lists what is open",
        )
    return ceremony_id((still_open or found)[0].ceremony)


def _only_waiting(agent: Agent) -> str:
    waiting = open_inbox(agent).waiting
    if len(waiting) != 1:
        raise UsageError(
            f"expected the name of a ceremony, since {len(waiting) or 'none'} wait for {agent.name}",
            hint="`quorumseal inbox` lists them; name one by its id or as PRODUCT@VERSION",
        )
    return waiting[0].request.statement.ceremony
