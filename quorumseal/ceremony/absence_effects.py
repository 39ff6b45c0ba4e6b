# SPDX-License-Identifier: Apache-2.0
"""What becomes of each quorum while some people are away."""

from collections.abc import Collection
from dataclasses import dataclass

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.quorum import shortage
from quorumseal.ceremony.quorum_standings import Asked, every_quorum
from quorumseal.ceremony.resilience import bears


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One quorum without them."""

    name: str
    met_by: str
    """Who may still ask for it and get an answer: ``everybody``, ``some`` or ``nobody``."""
    says: str


def effects_of(policy: Policy, absent: Collection[str]) -> tuple[Effect, ...]:
    """Return what becomes of every quorum, governance included."""
    for person in absent:
        policy.signer(person)
    return tuple(_effect(asked) for asked in every_quorum(policy, absent=absent))


def _effect(asked: Asked) -> Effect:
    if not asked.askers:
        return Effect(name=asked.name, met_by="nobody", says="nobody is left who may ask")
    short = shortage(asked.needs)
    if short:
        return Effect(name=asked.name, met_by="nobody", says=f"cannot be met: {short}")
    unanswered = asked.unanswered
    if not unanswered:
        spare = bears(asked.groups, asked.worst).spare
        says = f"any {spare} more may be away" if spare else "nobody else may be away"
        return Effect(name=asked.name, met_by="everybody", says=says)
    whom = _named(unanswered[0])
    more = len(unanswered) - 1
    others = f" (and {more} more who may ask)" if more else ""
    met_by = "nobody" if len(unanswered) == len(asked.askers) else "some"
    return Effect(name=asked.name, met_by=met_by, says=f"cannot be met when {whom} asks{others}")


def _named(asking: Collection[str]) -> str:
    return " and ".join(sorted(asking))
