# SPDX-License-Identifier: Apache-2.0
"""Who approves for whom: pairs that always meet are worth a question."""

from collections import Counter
from collections.abc import Sequence

from quorumseal.audit.answer import counted, listed
from quorumseal.audit.effectiveness.measure import Grid, Measure
from quorumseal.audit.population import Audited
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import GOVERNED
from quorumseal.ceremony.statements import Choice

_MET = frozenset({State.APPROVED, State.PROVISIONAL})


def pairs(ended: Sequence[Audited]) -> Measure:
    """Count how often each approver was counted for each requester; about a policy everybody decides."""
    met: Counter[tuple[str, str]] = Counter()
    asked: Counter[str] = Counter()
    for audited in ended:
        if audited.state not in _MET or audited.request.kind in GOVERNED:
            continue
        asking = audited.request.on_behalf_of or audited.signed.signer
        asked[asking] += 1
        for person, decision in audited.ceremony.decisions.items():
            if decision.statement.choice is Choice.APPROVAL:
                met[asking, person] += 1
    requesters = tuple(sorted(asked))
    approvers = tuple(sorted({person for _, person in met}))
    said = "Nothing was approved in this period."
    if met:
        most = max(met.values())
        often = [
            f"{person} for {asking} ({most} of {asked[asking]})"
            for (asking, person), count in sorted(met.items())
            if count == most
        ]
        said = (
            f"{counted(len(requesters), 'requester')} and {counted(len(approvers), 'approver')}; "
            f"the most approvals came from {listed(often, most=3)}."
        )
    return Measure(
        name="pairs",
        title="Who approved for whom",
        said=said,
        columns=("requester", "approver", "approvals", "share of what was asked"),
        rows=tuple(
            (asking, person, str(count), f"{count / asked[asking]:.0%}")
            for (asking, person), count in sorted(met.items(), key=lambda item: (-item[1], item[0]))
        ),
        picture=Grid(
            requesters,
            approvers,
            tuple(tuple(met[asking, person] for person in approvers) for asking in requesters),
        ),
    )
