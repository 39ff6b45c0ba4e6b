# SPDX-License-Identifier: Apache-2.0
"""Whether a copy of a log reaches over a period; what it does not reach is said, never passed over."""

from collections.abc import Iterator

from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.values import instant_text


def every_entry(population: Population) -> Iterator[PlacedEntry]:
    """Give every entry that is here, in no order."""
    yield from population.standing_entries
    for each in population.ceremonies:
        yield from each.entries


def whole(population: Population) -> Period:
    """Return the period of everything that is here, up to just after its last entry."""
    times = [each.entry.at for each in every_entry(population)]
    return Period(begin=min(times), end=max(times).replace(microsecond=999_999))


def gaps(population: Population, period: Period) -> tuple[str, ...]:
    """Say what of a period is not here: what may have come before the first entry of the copy."""
    first = population.complete_from
    times = {each.index: each.entry.at for each in every_entry(population)}
    before = times.get(first - 1)
    if not first or (before is not None and before < period.begin):
        return ()
    begins = f" ({instant_text(times[first])})" if first in times else ""
    gap = (
        f"this copy has every entry from number {first} on{begins}; of what came before only what that "
        "refers to, so it cannot show that nothing else happened in the period before"
    )
    return (gap,)
