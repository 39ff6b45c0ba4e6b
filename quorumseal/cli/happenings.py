# SPDX-License-Identifier: Apache-2.0
"""What happened between two looks at a ceremony, in sentences."""

from collections.abc import Iterator
from datetime import datetime

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.falling import losses
from quorumseal.ceremony.lifecycle import State
from quorumseal.cli.ceremony_screen import release_name
from quorumseal.terminal import instant_text
from signer_agent.observing import Observation
from signer_agent.screen import ended_text


def happenings(before: Observation, after: Observation) -> Iterator[str]:
    """Yield a sentence for each thing that happened between two looks at a ceremony."""
    old, new = before.chain.ceremony, after.chain.ceremony
    for signer, decision in new.decisions.items():
        if signer not in old.decisions or old.decisions[signer].digest != decision.digest:
            statement = decision.statement
            roles = ", ".join(sorted(statement.roles))
            who, when = known_as(new, signer), instant_text(statement.context.signed_at)
            yield f"{when}  {statement.choice} by {who} as {roles}"
    for extension in new.extensions[len(old.extensions) :]:
        moved, when = extension.statement, instant_text(extension.statement.context.signed_at)
        yield f"{when}  {extension.signer} moved the deadline to {instant_text(moved.deadline)}"
    for key, delegation in new.delegations.items():
        if old.delegations.get(key) != delegation:
            given, when = delegation.statement, instant_text(delegation.statement.context.signed_at)
            yield f"{when}  {given.deputy} may stand in for {delegation.signer} as {given.role}"
    said = losses(old, at=after.chain.last_at, say=instant_text)
    for sentence in losses(new, at=after.chain.last_at, say=instant_text):
        if sentence not in said:
            yield f"{instant_text(after.chain.last_at)}  {sentence}"
    if new.window_ends != old.window_ends and new.state is State.OPEN:
        yield _window(new.window_ends)
    if new.state is not old.state and new.ended_at:
        yield f"{instant_text(new.ended_at)}  {release_name(new)} {ended_text(new)}"


def _window(ends: datetime | None) -> str:
    if ends is None:
        return "its quorum no longer stands: the veto window is closed, and begins anew when it does"
    return f"its quorum is met: it can be vetoed until {instant_text(ends)}"
