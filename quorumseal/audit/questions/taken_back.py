# SPDX-License-Identifier: Apache-2.0
"""Which releases were taken back, or approved anew?"""

from quorumseal.audit.answer import Answer, counted, exhibit_of
from quorumseal.audit.exceptional import texts_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind

QUESTION = "Which releases were taken back, and which were approved anew?"


def ask(population: Population, period: Period) -> Answer:
    """Tell every revocation and every re-approval, and what became of it."""
    touching = population.within(period).ceremonies
    revocations = [each for each in touching if each.request.kind is Kind.REVOCATION]
    again = [each for each in touching if each.request.kind is Kind.RE_APPROVAL]
    exhibits = tuple(
        exhibit_of(
            each,
            f"asked for by {each.request.context.signer}; it is {each.state}",
            *(each.entries[0], *([each.concluded] if each.concluded else [])),
            exception=each.request.kind is Kind.REVOCATION and each.state is State.APPROVED,
            digests=tuple(subject.digest for subject in each.request.subjects),
            texts=texts_of(each, (each.request.context.signer, each.request.why)),
        )
        for each in (*revocations, *again)
    )
    back = sum(each.exception for each in exhibits)
    anew = sum(each.state is State.APPROVED for each in again)
    return Answer(
        question=QUESTION,
        says=f"{counted(back, 'release')} taken back, {counted(anew, 'release')} approved anew",
        exhibits=exhibits,
        looked_at=(("ceremonies", len(touching)),),
        limits=("Who still has what was taken back: only those who verify with a status file hear of it.",),
        next=lead_on(exhibits, "audit", "ask", "revoked-keys"),
    )
