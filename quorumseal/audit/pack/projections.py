# SPDX-License-Identifier: Apache-2.0
"""Every file of a pack that follows from the log and the manifest: whoever verifies makes them again."""

from collections.abc import Iterator
from datetime import datetime

from quorumseal.audit.effectiveness import measures
from quorumseal.audit.pack.counting import count
from quorumseal.audit.pack.manifest import About
from quorumseal.audit.pack.summary import SUMMARY, summary_html
from quorumseal.audit.pack.tables import (
    CEREMONIES,
    DECISIONS,
    RECORDS,
    ceremonies_csv,
    ceremonies_jsonl,
    decisions_csv,
)
from quorumseal.audit.pack.texts import README, annex_text, readme
from quorumseal.audit.population import Population
from quorumseal.ceremony.policy_writing import policy_text

POLICIES, ANNEXES, LOG = "policies/", "annexes/", "log/"


def projections(population: Population, about: About) -> Iterator[tuple[str, bytes]]:
    """Give the name and the bytes of each."""
    within = population.within(about.period)
    rows = [(audited, audited.record()) for audited in within.ceremonies]
    counted = count(population, about.period)
    yield README, readme(about, counted)
    yield (
        SUMMARY,
        summary_html(
            about, within, counted, measures(population, about.period, at=_seen_until(population, about))
        ),
    )
    yield CEREMONIES, ceremonies_csv(rows)
    yield DECISIONS, decisions_csv(rows)
    yield RECORDS, ceremonies_jsonl(rows)
    for signed in population.policies:
        yield f"{POLICIES}{signed.policy.version}.json", signed.payload
        yield f"{POLICIES}{signed.policy.version}.txt", policy_text(signed.policy).encode()
    if about.annexes:
        for audited in within.ceremonies:
            if audited.texts:
                yield f"{ANNEXES}{audited.id}.txt", annex_text(audited)


def _seen_until(population: Population, about: About) -> datetime:
    """Return the end of the period, or that of the log where it comes first."""
    chains = (each.chain.last_at for each in population.ceremonies)
    return min(about.period.end, max(chains, default=population.standing.last_at))
