# SPDX-License-Identifier: Apache-2.0
import pytest

from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.statements import Choice, Statement
from tests.burning import (
    BURNING,
    absence,
    delegation,
    emergency_request,
    extends,
    open_emergency,
    reports,
    revocation,
    run_emergency,
    vetoes,
)
from tests.organisation import NOW, REASON_DIGEST

CHAIN = open_emergency()
COMMITTED: dict[str, tuple[Statement, frozenset[str]]] = {
    "a request": (BURNING.request(), frozenset()),
    "an emergency": (emergency_request(), frozenset({REASON_DIGEST})),
    "a revocation": (revocation(f"sha256:{'1' * 64}"), frozenset({REASON_DIGEST})),
    "an approval": (BURNING.decision("alice", CHAIN.ceremony.request), frozenset()),
    "a rejection": (
        BURNING.decision("alice", CHAIN.ceremony.request, Choice.REJECTION),
        frozenset({REASON_DIGEST}),
    ),
    "a cancellation": (BURNING.cancellation("mallory", CHAIN), frozenset({REASON_DIGEST})),
    "a veto": (vetoes(CHAIN, "alice").veto.statement, frozenset({REASON_DIGEST})),
    "a report": (
        reports(run_emergency("alice", "carol")[0], "erin").report.statement,
        frozenset({REASON_DIGEST}),
    ),
    "an extension": (extends(CHAIN, "rita", NOW).extension.statement, frozenset()),
    "an absence": (absence("alice", until=NOW), frozenset()),
    "a delegation": (delegation("alice", "engineering", "frank"), frozenset()),
}


@pytest.mark.parametrize(("statement", "texts"), COMMITTED.values(), ids=COMMITTED.keys())
def test_a_statement_commits_to_its_texts_alone(statement: Statement, texts: frozenset[str]) -> None:
    assert commitments(statement) == texts
