# SPDX-License-Identifier: Apache-2.0
"""Did everybody who approved look at what the rule demands, and did they take their time?"""

from collections.abc import Iterator

from quorumseal.audit.answer import Answer, Exhibit, counted
from quorumseal.audit.exceptional import ExceptionKind, exceptions_of
from quorumseal.audit.in_force import Held, held_in
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.statements import Choice, Decision

QUESTION = "Were approvals given without the checks, or in haste?"
_KINDS = frozenset({ExceptionKind.UNCHECKED, ExceptionKind.HASTY})


def ask(population: Population, period: Period) -> Answer:
    """Look at what every approval says that it checked, and how long it took."""
    touching = population.within(period).ceremonies
    found = tuple(
        exhibit
        for each in touching
        for exhibit in exceptions_of(each)
        if exhibit.kind in _KINDS and exhibit.at in period
    )
    approvals = sum(
        isinstance(statement, Decision) and statement.choice is Choice.APPROVAL
        for each in touching
        for _, statement in each.statements
    )
    unchecked = sum(each.kind == ExceptionKind.UNCHECKED for each in found)
    hasty = len(found) - unchecked
    demands = tuple(exhibit for each in held_in(population, period) for exhibit in _demands(each))
    return Answer(
        question=QUESTION,
        says=f"of {counted(approvals, 'approval')}: {counted(unchecked, 'check')} not passed, "
        f"{counted(hasty, 'approval')} within a minute of the opening",
        exhibits=(*found, *demands),
        looked_at=(("approvals", approvals), ("ceremonies", len(touching))),
        limits=(
            "How well somebody looked: a check is what its signer says of it.",
            "When somebody began to look: the time is from the opening to the entry of the approval.",
        ),
        next=lead_on(found, "audit", "ask", "own-requests"),
    )


def _demands(version: Held) -> Iterator[Exhibit]:
    for rule in version.policy.rules.values():
        checks = ", ".join(sorted(rule.checks)) or "no check at all"
        yield Exhibit(
            says=f"policy version {version.policy.version}, rule {rule.name}: demands {checks}",
            at=version.at,
            entries=(version.index,),
            digests=(version.signed.digest,),
        )
