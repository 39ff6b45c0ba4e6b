# SPDX-License-Identifier: Apache-2.0
"""Was anything approved after a no, and if so, were it the same bytes?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.exceptional import exceptions_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind

QUESTION = "Was anything approved after a rejection, a veto or an expiry?"
_APPROVED = frozenset({State.APPROVED, State.PROVISIONAL})
_NO = frozenset({State.REJECTED, State.EXPIRED})


def ask(population: Population, period: Period) -> Answer:
    """Look at every release that was approved in the period, for earlier ceremonies about it."""
    approved = [
        each
        for each in population.within(period).ceremonies
        if each.request.kind is Kind.RELEASE and each.state in _APPROVED
    ]
    exhibits = tuple(exhibit for each in approved for exhibit in _before(each, population))
    same = [each for each in exhibits if each.exception]
    return Answer(
        question=QUESTION,
        says=f"{counted(len(exhibits), 'time')} of {counted(len(approved), 'approved release')}; "
        + (f"{len(same)} with the very bytes that were refused" if same else "none with the same bytes"),
        exhibits=exhibits,
        looked_at=(("approved releases", len(approved)),),
        limits=(
            "What changed between two attempts: the log has digests, not sources.",
            "The same bytes under another version's number: compare the digests that `complete` lists.",
        ),
        next=lead_on(exhibits, "audit", "ask", "checks"),
    )


def _before(audited: Audited, population: Population) -> Iterator[Exhibit]:
    request = audited.request
    release, bytes_now = (request.product, request.version), {s.digest for s in request.subjects}
    for other in population.ceremonies:
        asked = other.request
        earlier = other.entries[0].index < audited.entries[0].index
        if not earlier or (asked.product, asked.version) != release or other.state not in _NO:
            continue
        same = bytes_now == {subject.digest for subject in asked.subjects}
        what = "the same bytes" if same else "other bytes"
        ended = [other.concluded] if other.concluded else []
        yield exhibit_of(
            audited,
            f"{audited.state} after {what} were {other.state} in ceremony {other.id}",
            audited.entries[0],
            *ended,
            exception=same,
            digests=(other.signed.digest,),
            texts=[text for each in exceptions_of(other) for text in each.texts],
        )
