# SPDX-License-Identifier: Apache-2.0
"""Which checks people said had passed, and which they waived, or did not know of."""

from collections import Counter
from collections.abc import Sequence

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure, decisions
from quorumseal.audit.population import Audited, Period
from quorumseal.ceremony.statements import CheckOutcome, Choice


def waivers(ceremonies: Sequence[Audited], period: Period) -> Measure:
    """Count what came of each check in approvals."""
    outcomes: dict[str, Counter[CheckOutcome]] = {}
    people: dict[str, set[str]] = {}
    for _, _, decision in decisions(ceremonies, period):
        if decision.choice is not Choice.APPROVAL:
            continue
        for check in decision.checks:
            outcomes.setdefault(check.name, Counter())[check.outcome] += 1
            if check.outcome is CheckOutcome.WAIVED:
                people.setdefault(check.name, set()).add(decision.context.signer)
    waived = sum(counts[CheckOutcome.WAIVED] for counts in outcomes.values())
    said = "No approval of this period says what came of a check."
    if outcomes:
        total = sum(counts.total() for counts in outcomes.values())
        said = f"{counted(total, 'outcome')} of {counted(len(outcomes), 'check')}; {waived or 'none'} waived."
    return Measure(
        name="waivers",
        title="Checks that were waived",
        said=said,
        columns=("check", "passed", "waived", "failed", "unknown", "waived by"),
        rows=tuple(
            (
                name,
                *(str(counts[outcome]) for outcome in (CheckOutcome.PASS, CheckOutcome.WAIVED)),
                *(str(counts[outcome]) for outcome in (CheckOutcome.FAIL, CheckOutcome.UNKNOWN)),
                ", ".join(sorted(people.get(name, ()))) or "nobody",
            )
            for name, counts in sorted(outcomes.items())
        ),
        picture=Bars(
            tuple(
                Bar(name, counts[CheckOutcome.WAIVED], _said(counts), notable=counts[CheckOutcome.WAIVED] > 0)
                for name, counts in sorted(outcomes.items())
            )
        ),
    )


def _said(counts: Counter[CheckOutcome]) -> str:
    return f"{counts[CheckOutcome.WAIVED]} of {counts.total()} waived"
