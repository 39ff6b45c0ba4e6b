# SPDX-License-Identifier: Apache-2.0
"""Who stood in for whom, and was it delegated in time?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.chain import delegations_in
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.statements import Decision, Delegation
from quorumseal.ceremony.values import digest_of, instant_text

QUESTION = "Who stood in for whom, and was it delegated beforehand?"


def ask(population: Population, period: Period) -> Answer:
    """Find the delegation of every decision that was made in somebody's place."""
    touching = population.within(period).ceremonies
    exhibits = tuple(exhibit for each in touching for exhibit in _stood_in(each))
    bad = sum(each.exception for each in exhibits)
    return Answer(
        question=QUESTION,
        says=f"{counted(len(exhibits), 'decision')} in somebody's place; "
        + (f"{bad} without a delegation that held" if bad else "each with a delegation that held"),
        exhibits=exhibits,
        looked_at=(("ceremonies", len(touching)),),
        limits=("Whether whoever delegated was really away.",),
        next=lead_on(exhibits, "audit", "ask", "outsiders"),
    )


def _stood_in(audited: Audited) -> Iterator[Exhibit]:
    known: dict[str, tuple[Delegation, int]] = {}
    opening = audited.entries[0]
    for signed in delegations_in(opening.entry, audited.policy):
        known[signed.digest] = signed.statement, opening.index
    for entry, statement in audited.statements:
        if entry.entry.type is EntryType.DELEGATED and isinstance(statement, Delegation):
            known[digest_of(entry.entry.envelope.payload)] = statement, entry.index
        if not isinstance(statement, Decision) or statement.delegation is None:
            continue
        deputy, found = statement.context.signer, known.get(statement.delegation)
        if found is None:
            says = f"{deputy} decided in somebody's place, by a delegation that is not there"
            yield exhibit_of(audited, says, entry, exception=True, digests=(statement.delegation,))
            continue
        delegation, index = found
        held = delegation.deputy == deputy and delegation.since <= entry.entry.at < delegation.until
        says = (
            f"{deputy} decided for {delegation.context.signer} as {delegation.role}, delegated "
            f"{instant_text(delegation.since)} to {instant_text(delegation.until)} (entry {index})"
        )
        yield exhibit_of(audited, says, entry, exception=not held, digests=(statement.delegation,))
