# SPDX-License-Identifier: Apache-2.0
"""From what happened to observations: pure, without Prometheus, without a clock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from coordinator.metrics.catalogue import (
    BREAKGLASS_NOTICE_FAILURES,
    NOTIFICATION_FAILURES,
    ROLE_RESPONSE,
    TIME_TO_QUORUM,
    Metric,
)
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.lifecycle import Ceremony

_QUORUM_MET = frozenset({EntryType.APPROVED, EntryType.WINDOW_OPENED})


@dataclass(frozen=True, slots=True)
class Observation:
    """One number for a metric: an increment of a counter, a sample of a histogram, a gauge's value."""

    metric: Metric
    value: float = 1.0
    label: str = ""


Observe: TypeAlias = Callable[[Observation], None]


def unobserved(_: Observation) -> None:
    """Take no note."""


def observations_of(
    before: Ceremony | None, ceremony: Ceremony, entries: Iterable[Entry]
) -> list[Observation]:
    """Return what a ceremony's newest entries say, as it stood before them and stands after them."""
    found: list[Observation] = []
    for entry in entries:
        if entry.type is EntryType.DECIDED:
            first = ceremony.counts.keys() - (before.counts.keys() if before else ())
            found += [each for signer in sorted(first) for each in _responses(ceremony, signer, entry.at)]
        elif entry.type in _QUORUM_MET:
            request = ceremony.request.statement
            found.append(
                Observation(TIME_TO_QUORUM, _seconds(request.opened_at, entry.at), str(request.mode))
            )
    return found


def observations_of_failure(channel: str, *, urgent: bool) -> list[Observation]:
    """Return what an attempt to deliver a notice says that failed."""
    failure = Observation(NOTIFICATION_FAILURES, label=channel)
    return [failure, Observation(BREAKGLASS_NOTICE_FAILURES)] if urgent else [failure]


def _responses(ceremony: Ceremony, signer: str, at: datetime) -> list[Observation]:
    """Return how long each role waited for somebody who decides for the first time."""
    return [
        Observation(ROLE_RESPONSE, _seconds(_turn(ceremony, role, signer), at), role)
        for role in sorted(ceremony.counting[signer])
    ]


def _turn(ceremony: Ceremony, role: str, signer: str) -> datetime:
    """Return when a role's turn came: at the opening, or with the last decision of the stages before it."""
    stages = () if ceremony.emergency is not None else ceremony.rule.stages
    stage = next((number for number, those in enumerate(stages) if role in those), 0)
    before = frozenset[str]().union(*stages[:stage])
    signed = (
        decision.statement.context.signed_at
        for other, decision in ceremony.decisions.items()
        if other != signer and ceremony.counting[other] & before
    )
    return max(signed, default=ceremony.request.statement.opened_at)


def _seconds(since: datetime, until: datetime) -> float:
    """Return how long something took; two clocks may disagree about which was first."""
    return max(0.0, (until - since).total_seconds())
