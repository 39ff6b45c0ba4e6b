# SPDX-License-Identifier: Apache-2.0
"""A sample that anybody can draw again: every exception, and so many of the rest as a seed orders them.

Each ceremony is ranked by the SHA-256 of the seed, a line feed and its id; the lowest are the sample.  The
rank of one depends on no other, so what is added to the population moves nobody, and with ``sha256sum`` it
is done by hand.  A seed that was known before the ceremonies were opened would let a requester choose ids.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from quorumseal.audit.answer import name_of
from quorumseal.audit.exceptional import HASTY, exceptions_of
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One ceremony of a sample, and why it is in it."""

    audited: Audited
    rank: str
    exceptions: tuple[str, ...]
    """The kinds of its exceptions; none where the seed drew it."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "ceremony": self.audited.id,
            "release": name_of(self.audited),
            "state": str(self.audited.state),
            "opened_at": instant_text(self.audited.opened_at),
            "entries": [each.index for each in self.audited.entries],
            "rank": self.rank,
            "exceptions": [*self.exceptions],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What to look at, of how much."""

    seed: str
    exceptional: tuple[Drawn, ...]
    """All of them, in the order of the log."""
    ordinary: tuple[Drawn, ...]
    """Those that the seed drew, the lowest rank first."""
    ordinary_in_all: int

    @property
    def population(self) -> int:
        """How many ceremonies it was drawn from."""
        return self.ordinary_in_all + len(self.exceptional)

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "seed": self.seed,
            "population": self.population,
            "ordinary": self.ordinary_in_all,
            "exceptional": [each.to_json() for each in self.exceptional],
            "drawn": [each.to_json() for each in self.ordinary],
        }


def rank_of(seed: str, ceremony: str) -> str:
    """Return where a seed ranks a ceremony."""
    return sha256(f"{seed}\n{ceremony}".encode()).hexdigest()


def draw(population: Population, period: Period, *, seed: str, n: int, hasty: timedelta = HASTY) -> Sample:
    """Draw ``n`` of the ordinary ceremonies of a period, and take every other one."""
    found = [
        Drawn(
            audited=each,
            rank=rank_of(seed, each.id),
            exceptions=_kinds(each, period, hasty),
        )
        for each in population.within(period).ceremonies
    ]
    ordinary = sorted((each for each in found if not each.exceptions), key=lambda each: each.rank)
    return Sample(
        seed=seed,
        exceptional=tuple(each for each in found if each.exceptions),
        ordinary=tuple(ordinary[:n]),
        ordinary_in_all=len(ordinary),
    )


def _kinds(audited: Audited, period: Period, hasty: timedelta) -> tuple[str, ...]:
    kinds: Collection[str] = {each.kind for each in exceptions_of(audited, hasty=hasty) if each.at in period}
    return tuple(sorted(kinds))
