# SPDX-License-Identifier: Apache-2.0
"""How many emergencies there may be, and what an earlier one costs the next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import request_errors
from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.emergencies import QUARTER, PastEmergency, admit_emergency, past_emergency
from quorumseal.ceremony.lifecycle import State
from quorumseal.refusal import Refusal
from tests.burning import DAY, MINUTE, emergency_request, open_emergency, run_emergency, vetoes
from tests.organisation import NOW

PAST = PastEmergency(
    ceremony="01934000-0000-7000-8000-000000000001",
    product="widget",
    version="0.9",
    state=State.PROVISIONAL,
    opened_at=NOW - DAY,
)
VETOED = replace(PAST, version="1.0", state=State.REJECTED, vetoed_by="erin")


def admits(*past: PastEmergency, people: int = 2) -> frozenset[str]:
    request = emergency_request(people=people)
    assert request.emergency is not None
    return admit_emergency(request, request.emergency, past, at=NOW)


ADMITTED: dict[str, tuple[list[PastEmergency], int]] = {
    "the first": ([], 2),
    "the second in a quarter": ([PAST], 2),
    "two of another product": ([replace(PAST, product="gadget")] * 2, 2),
    "two before this quarter": ([replace(PAST, opened_at=NOW - QUARTER)] * 2, 2),
    "any number that came to nothing": ([replace(PAST, state=State.EXPIRED)] * 5, 2),
    "a veto on another version": ([replace(VETOED, version="1.1")], 2),
    "three people after a veto": ([VETOED], 3),
    "a report that is not due yet": ([replace(PAST, report_due=NOW + MINUTE)], 2),
    "three people while a report is owed": ([replace(PAST, report_due=NOW)], 3),
}


@pytest.mark.parametrize(("past", "people"), ADMITTED.values(), ids=ADMITTED)
def test_an_emergency_within_the_limits(past: list[PastEmergency], people: int) -> None:
    assert admits(*past, people=people) <= {"erin"}


REFUSED: dict[str, tuple[list[PastEmergency], int, type[Refusal]]] = {
    "while another is open": ([replace(PAST, state=State.OPEN)], 3, request_errors.EmergencyLimitError),
    "while another product's is open": (
        [replace(PAST, state=State.OPEN, product="gadget")],
        3,
        request_errors.EmergencyLimitError,
    ),
    "the third in a quarter": ([PAST, PAST], 3, request_errors.EmergencyLimitError),
    "one short of a quarter later": (
        [PAST, replace(PAST, opened_at=NOW - QUARTER + timedelta(milliseconds=1))],
        3,
        request_errors.EmergencyLimitError,
    ),
    "two people after a veto": ([VETOED], 2, request_errors.EmergencyPeopleError),
    "two people while a report is owed": (
        [replace(PAST, report_due=NOW)],
        2,
        request_errors.EmergencyPeopleError,
    ),
}


@pytest.mark.parametrize(("past", "people", "refusal"), REFUSED.values(), ids=REFUSED)
def test_an_emergency_past_the_limits_is_refused(
    past: list[PastEmergency], people: int, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        admits(*past, people=people)


def test_whoever_vetoed_this_release_is_named() -> None:
    both = admits(
        VETOED, replace(VETOED, vetoed_by="alice"), replace(VETOED, version="2.0", vetoed_by="bob"), people=3
    )
    assert both == {"alice", "erin"}


def test_what_the_limits_ask_is_read_from_an_emergencys_chain() -> None:
    released = run_emergency("alice", "carol")[0]
    past = past_emergency(released)
    assert (past.ceremony, past.product, past.version) == (released.id, "widget", "1.0")
    assert (past.state, past.vetoed_by) == (State.PROVISIONAL, None)
    assert past.report_due == released.ceremony.report_due is not None
    chain = open_emergency()
    stopped = past_emergency(extend(chain, vetoes(chain, "erin"), at=NOW)[0])
    assert (stopped.state, stopped.vetoed_by, stopped.report_due) == (State.REJECTED, "erin", None)
