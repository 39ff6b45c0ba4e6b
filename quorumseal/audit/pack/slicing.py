# SPDX-License-Identifier: Apache-2.0
"""Which part of a log a period needs: everything from its first entry on, and what that rests on.

Entries from before the period belong to it where the rules look back on them: policies and standing acts with
the ceremonies that made policies, ceremonies that were open, other ceremonies for the same version, what a
ratification or a re-approval is about, and every emergency, because there is a limit on them.  So does the
last entry before the period, with its ceremony: it shows that the period was not cut short at its beginning.
"""

from collections.abc import Iterator
from dataclasses import replace

from quorumseal.audit.log_copy import LogCopy, cut
from quorumseal.audit.population import Audited, Period, PlacedEntry, Population
from quorumseal.ceremony.policy import GOVERNED


def slice_of(copy: LogCopy, population: Population, period: Period) -> LogCopy:
    """Return the copy that a period needs, of one that begins with the log."""
    within = (each.index for each in _entries(population) if each.entry.at >= period.begin)
    first = min(within, default=copy.size)
    inside = {each.id for each in population.within(period).ceremonies}
    annexes = {ceremony: texts for ceremony, texts in copy.annexes.items() if ceremony in inside}
    return replace(cut(copy, first, _kept(population, first)), annexes=annexes, held=())


def _entries(population: Population) -> Iterator[PlacedEntry]:
    yield from population.standing_entries
    for audited in population.ceremonies:
        yield from audited.entries


def _kept(population: Population, first: int) -> Iterator[int]:
    yield from (each.index for each in population.standing_entries)
    needed = {_version(each) for each in population.ceremonies if _looked_back_on(each, first)}
    needed |= {_version(each) for each in population.ceremonies if _has(each, first - 1)}
    for audited in population.ceremonies:
        if _version(audited) in needed:
            yield from (each.index for each in audited.entries)


def _looked_back_on(audited: Audited, first: int) -> bool:
    request = audited.request
    return audited.entries[-1].index >= first or request.kind in GOVERNED or request.emergency is not None


def _has(audited: Audited, index: int) -> bool:
    return any(each.index == index for each in audited.entries)


def _version(audited: Audited) -> tuple[str, str]:
    return audited.request.product, audited.request.version
