# SPDX-License-Identifier: Apache-2.0
"""How well the rule works: each measure a table, a picture and a sentence that says what both show.

What no log can tell is said where it matters: it has when somebody decided, never for how long they looked.
"""

from datetime import datetime

from quorumseal.audit.effectiveness.break_glass import break_glass
from quorumseal.audit.effectiveness.drift import policy_drift
from quorumseal.audit.effectiveness.key_ages import key_ages
from quorumseal.audit.effectiveness.load import bus_factors, load
from quorumseal.audit.effectiveness.measure import Bar, Bars, Grid, Measure
from quorumseal.audit.effectiveness.pairs import pairs
from quorumseal.audit.effectiveness.quorum_time import quorum_time
from quorumseal.audit.effectiveness.review_time import review_time
from quorumseal.audit.effectiveness.waivers import waivers
from quorumseal.audit.population import Period, Population

__all__ = ["Bar", "Bars", "Grid", "Measure", "measures"]


def measures(population: Population, period: Period, *, at: datetime) -> tuple[Measure, ...]:
    """Return every measure of a period, in the order in which a reader wants them."""
    ended = tuple(
        each
        for each in population.ceremonies
        if each.ended_at is not None and each.ended_at in period and not each.ceremony.policy.drill
    )
    touching = tuple(each for each in population.ceremonies if each.touches(period))
    return (
        quorum_time(ended),
        review_time(touching, period),
        load(touching, period),
        bus_factors(population.policies[-1].policy),
        pairs(ended),
        break_glass(population.ceremonies, period),
        policy_drift(population, period),
        waivers(touching, period),
        key_ages(population.policies[-1].policy, population.standing.standing, at=at),
    )
