# SPDX-License-Identifier: Apache-2.0
"""Which policies held during a period, from which entry on."""

from dataclasses import dataclass
from datetime import datetime

from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A policy version, and from when on it held."""

    signed: SignedPolicy
    index: int
    """The entry that brought it."""
    at: datetime

    @property
    def policy(self) -> Policy:
        """What it says."""
        return self.signed.policy


def held(population: Population) -> tuple[Held, ...]:
    """Return every version, oldest first."""
    times = {each.index: each.entry.at for each in population.standing_entries}
    return tuple(
        Held(signed=signed, index=begin, at=times[begin])
        for signed, begin in zip(population.policies, population.begins, strict=True)
    )


def held_in(population: Population, period: Period) -> tuple[Held, ...]:
    """Return the versions that held at some instant of a period, oldest first."""
    begun = [each for each in held(population) if each.at < period.end]
    before = [each for each in begun if each.at <= period.begin]
    return tuple(begun[max(len(before) - 1, 0) :])
