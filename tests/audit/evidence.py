# SPDX-License-Identifier: Apache-2.0
"""Logs that questions are asked about, and logs as no coordinator could write them.

The rules let nobody decide who must not, so some findings can only be shown on a population that was altered
after the replay: the questions look again, and do not take the rules' word for it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from quorumseal.audit.answer import Answer
from quorumseal.audit.population import Audited, Population
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import (
    Request,
)
from tests.audit.stories import ACME, DAY, HOUR, QUORUM, Story
from tests.burning import delegation, ratification, reports
from tests.losing import key_revocation
from tests.organisation import Organisation

Doctor = Callable[[Audited], Audited]


def bad(answer: Answer) -> list[str]:
    """Return what somebody should look at."""
    return [each.says for each in answer.exceptions]


def good(answer: Answer) -> list[str]:
    """Return the rest of the evidence."""
    return [each.says for each in answer.exhibits if not each.exception]


def doctored(population: Population, doctor: Doctor) -> Population:
    """Alter every ceremony after the replay, as no log could have it."""
    return replace(population, ceremonies=tuple(doctor(each) for each in population.ceremonies))


def with_request(**fields: Any) -> Doctor:
    """Let somebody else have asked."""

    def doctor(audited: Audited) -> Audited:
        old = audited.signed
        request = replace(old.statement, **fields)
        signed: Signed[Request] = Signed(request, old.envelope, old.key, old.digest)
        ceremony = replace(audited.ceremony, request=signed)
        return replace(audited, chain=replace(audited.chain, ceremony=ceremony))

    return doctor


def under(organisation: Organisation) -> Doctor:
    """Let a ceremony have had another policy."""
    return lambda audited: replace(audited, policy=organisation.policy)


def stood_in() -> tuple[Story, str]:
    """Return a log in which frank decided for alice, and the ceremony."""
    story = Story()
    story.stands(delegation("alice", "engineering", "frank", acme=ACME))
    ceremony = story.asks()
    delegated = story.coordinator.chains[ceremony].ceremony.delegations["alice", "engineering"]
    decision = story.later(HOUR).decision("frank", ceremony, roles=["engineering"])
    story.sends(replace(decision, delegation=delegated.digest))
    return story, ceremony


def used(*, ratified: bool = False, reported: timedelta | None = None) -> Story:
    """Return a log with one emergency, and what came after it."""
    story = Story()
    ceremony = story.breaks_glass()
    story.join(ceremony)
    if ratified:
        request = ratification(story.coordinator.chains[ceremony], ACME, number=70, at=story.now)
        story.approves(story.asks(replace(request, version="1.0")), "bob", "erin", "carol", "dan")
    if reported is not None:
        story.later(reported)
        story.happens(ceremony, reports(story.coordinator.chains[ceremony], "erin", acme=ACME, at=story.now))
    return story


def revoked_later(*, since: datetime, joins: tuple[str, ...] = QUORUM, deadline: timedelta = DAY) -> Story:
    """Alice approves, and a day later her key is revoked."""
    story = Story()
    story.releases(*joins, deadline=deadline)
    story.stands(
        key_revocation("alice", "alice", acme=ACME, since=since, at=story.now), key=ACME.spare_key("alice")
    )
    return story
