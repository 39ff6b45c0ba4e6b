# SPDX-License-Identifier: Apache-2.0
"""How did the rules change, who approved it, and what does it permit that was refused before?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted
from quorumseal.audit.changes import Change, changes_in
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.statements import Choice

QUESTION = "How did the rules change, who approved it, and what became weaker?"


def ask(population: Population, period: Period) -> Answer:
    """Tell every version that came into force in the period, with both of its quorums."""
    changes = changes_in(population, period)
    weaker = [each for each in changes if each.weakens]
    exhibits = tuple(exhibit for each in changes for exhibit in _told(each, population))
    versions = sum(begin >= population.complete_from for begin in population.begins)
    return Answer(
        question=QUESTION,
        says=f"{counted(len(changes), 'policy version')} came into force"
        + (
            f"; {counted(len(weaker), 'of them permits', 'of them permit')} what the one before refused"
            if weaker
            else "; none permits what the one before refused"
            if changes
            else ""
        ),
        exhibits=exhibits,
        looked_at=(("policy versions", max(versions, len(changes))), ("changes", len(changes))),
        limits=("Whether a change was right: ask those who approved it.",),
        next=("audit", "ask", "access"),
    )


def _told(change: Change, population: Population) -> Iterator[Exhibit]:
    policy = change.policy.policy
    by = "; ".join(_approvals(change, population)) or f"founded by {', '.join(change.policy.signers)}"
    yield _exhibit(change, f"version {policy.version}: {by}")
    for each in change.differences:
        says = f"version {policy.version}: {each.where} {each.says}"
        yield _exhibit(change, says + (" (weaker)" if each.weakens else ""), exception=each.weakens)


def _approvals(change: Change, population: Population) -> Iterator[str]:
    """Say who approved on either side."""
    for ceremony in change.policy.ceremonies or ():
        audited = population.named(ceremony)
        if audited is None:  # it was before this copy begins
            yield f"ceremony {ceremony}, which this copy does not hold"
            continue
        approved = sorted(
            signer
            for signer, decision in audited.ceremony.decisions.items()
            if decision.statement.choice is Choice.APPROVAL
        )
        yield f"{audited.request.kind} approved by {', '.join(approved)} (ceremony {ceremony})"


def _exhibit(change: Change, says: str, *, exception: bool = False) -> Exhibit:
    return Exhibit(
        says=says,
        at=change.entry.entry.at,
        entries=(change.entry.index,),
        exception=exception,
        digests=(change.policy.digest,),
    )
