# SPDX-License-Identifier: Apache-2.0
"""The search for an order finds one where there is one, and none where something was lost, late or double."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Expire, Record
from quorumseal.ceremony.statements import Choice
from tests.durability.history import Call, Look, Operation, Passing, explain, show
from tests.organisation import Organisation

ACME = Organisation()
CHAIN, _ = ACME.run("alice", "erin", "carol")
"""One approval is missing: rita's or dan's."""
NOON = CHAIN.last_at
DEADLINE = CHAIN.ceremony.request.statement.deadline
ENDED = "ceremony.ended"


def decision(signer: str, choice: Choice = Choice.APPROVAL) -> Record:
    return Record(ACME.sign_decision(ACME.decision(signer, CHAIN.ceremony.request, choice, at=NOON)))


RITA, DAN, BOB = decision("rita"), decision("dan"), decision("bob")
VETO = decision("bob", Choice.REJECTION)
CANCEL = Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", CHAIN, at=NOON)))


def after(*operations: Operation | Expire) -> str:
    """Say what a look shows when these were done, the expiry at the deadline and the rest before it."""
    chain: Chain = CHAIN
    for operation in operations:
        assert not isinstance(operation, Look)
        chain, _ = extend(chain, operation, at=DEADLINE if isinstance(operation, Expire) else NOON)
    return show(chain)


def history(rows: Iterable[tuple[int, int, Operation, str]]) -> list[Call]:
    return [
        Call(called=called, answered=answered, operation=operation, answer=answer)
        for called, answered, operation, answer in rows
    ]


def passing(called: int, answered: int) -> Passing:
    return Passing(before=NOON, after=DEADLINE + timedelta(seconds=1), called=called, answered=answered)


QUIET, BELL = passing(1000, 1001), passing(3, 4)
"""The deadline is far away; or comes between the moments 3 and 4."""
EXPLAINED = [
    ("nothing happened", [], QUIET),
    (
        "of two last approvals at once the first counts",
        [(1, 9, RITA, "approved"), (2, 8, DAN, ENDED)],
        QUIET,
    ),
    ("or the second", [(1, 9, RITA, ENDED), (2, 8, DAN, "approved")], QUIET),
    ("a look in between sees what is before", [(1, 9, RITA, "approved"), (2, 3, Look(), after())], QUIET),
    ("or what is after", [(1, 9, RITA, "approved"), (2, 3, Look(), after(RITA))], QUIET),
    ("the same decision again", [(1, 2, BOB, "open"), (3, 4, BOB, "open")], QUIET),
    ("the same cancellation again", [(1, 2, CANCEL, "cancelled"), (3, 4, CANCEL, "cancelled")], QUIET),
    ("an approval before the deadline", [(1, 2, RITA, "approved")], BELL),
    ("one after it", [(5, 6, RITA, "expired")], BELL),
    ("one at it, counted", [(1, 9, RITA, "approved")], BELL),
    ("one at it, late", [(1, 9, RITA, "expired")], BELL),
    (
        "one that was decided before the deadline and stored after it",
        [(1, 9, RITA, "approved"), (5, 6, Look(), after())],
        BELL,
    ),
    ("a ceremony that expires though nobody asks", [(5, 6, Look(), after(Expire()))], BELL),
    (
        "a cancellation after the deadline",
        [(5, 6, CANCEL, ENDED), (7, 8, Look(), after(Expire()))],
        BELL,
    ),
]
UNEXPLAINED = [
    ("an acknowledged decision is lost", [(1, 2, BOB, "open"), (3, 4, Look(), after())], QUIET),
    ("a decision was there before it was made", [(1, 2, Look(), after(BOB)), (3, 4, BOB, "open")], QUIET),
    ("a ceremony ends twice", [(1, 9, RITA, "approved"), (2, 8, DAN, "approved")], QUIET),
    ("it is approved and cancelled", [(1, 9, RITA, "approved"), (2, 8, CANCEL, "cancelled")], QUIET),
    ("it is approved and vetoed", [(1, 9, RITA, "approved"), (2, 8, VETO, "rejected")], QUIET),
    ("nothing ended it", [(1, 2, RITA, ENDED)], QUIET),
    ("a decision counts after the end", [(1, 2, CANCEL, "cancelled"), (3, 4, BOB, "open")], QUIET),
    ("an approval counts after the deadline", [(5, 6, RITA, "approved")], BELL),
    ("one before the deadline is late", [(1, 2, RITA, "expired")], BELL),
    ("it expires before its deadline", [(1, 2, Look(), after(Expire()))], BELL),
    ("it is open again", [(5, 6, Look(), after(Expire())), (7, 8, Look(), after())], BELL),
    (
        "it is approved once it has expired",
        [(5, 6, Look(), after(Expire())), (1, 9, RITA, "approved")],
        BELL,
    ),
    (
        "two looks disagree on the order",
        [(1, 9, BOB, "open"), (2, 3, Look(), after(BOB)), (4, 5, Look(), after())],
        QUIET,
    ),
    (
        "a cancellation is refused the second time",
        [(1, 2, CANCEL, "cancelled"), (3, 4, CANCEL, ENDED)],
        QUIET,
    ),
    ("a repetition is refused", [(1, 2, RITA, "approved"), (3, 4, RITA, ENDED)], QUIET),
]
Rows = list[tuple[int, int, Operation, str]]


@pytest.mark.parametrize(("_", "rows", "clock"), EXPLAINED, ids=[row[0] for row in EXPLAINED])
def test_an_order_is_found_where_there_is_one(_: str, rows: Rows, clock: Passing) -> None:
    calls = history(rows)
    order = explain(calls, CHAIN, clock)
    assert order is not None
    assert sorted(order, key=id) == sorted(calls, key=id)


@pytest.mark.parametrize(("_", "rows", "clock"), UNEXPLAINED, ids=[row[0] for row in UNEXPLAINED])
def test_no_order_is_found_where_there_is_none(_: str, rows: Rows, clock: Passing) -> None:
    assert explain(history(rows), CHAIN, clock) is None
