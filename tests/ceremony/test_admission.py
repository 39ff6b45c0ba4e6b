# SPDX-License-Identifier: Apache-2.0
"""One version is one set of bytes: which request may open a ceremony beside the earlier ones."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.admission import Existing, Known, Open, admit, identity, sorted_subjects
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import PolicyReference, Request, Subject
from tests.burning import BURNING, revocation
from tests.forging import verdict
from tests.organisation import NOW, SUBJECTS, Organisation, ceremony_number

ACME = Organisation()
OTHER_BYTES = (Subject(name="widget.tar.gz", digest="sha256:" + "1" * 64),)
TWO = (*SUBJECTS, Subject(name="a.txt", digest="sha256:" + "2" * 64))
ENDED_WITHOUT = (State.REJECTED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED)


def known(signed: Signed[Request], state: State) -> Known:
    request = signed.statement
    return Known(
        ceremony=request.ceremony,
        identity=identity(request),
        request=signed.digest,
        state=state,
        subjects=request.subjects,
    )


FIRST = ACME.sign_request(ACME.request(number=1))
OTHER = ACME.sign_request(ACME.request(number=2, subjects=OTHER_BYTES))


def again(**fields: object) -> Signed[Request]:
    return ACME.sign_request(replace(ACME.request(number=9), **fields))  # type: ignore[arg-type] # by the caller


def test_the_first_request_opens_a_ceremony() -> None:
    assert admit(FIRST, []) == Open()


@pytest.mark.parametrize("state", [State.OPEN, State.APPROVED])
def test_the_same_request_again_is_the_same_ceremony(state: State) -> None:
    assert admit(again(), [known(FIRST, state)]) == Existing(ceremony_number(1))
    later = again(deadline=NOW + timedelta(hours=2), ticket="T-2", ceremony=ceremony_number(5))
    assert admit(later, [known(FIRST, state)]) == Existing(ceremony_number(1))


@pytest.mark.parametrize("state", ENDED_WITHOUT)
def test_the_same_request_again_opens_anew_once_the_first_has_ended_without_approval(state: State) -> None:
    assert admit(again(), [known(FIRST, state)]) == Open()


@pytest.mark.parametrize("state", ENDED_WITHOUT)
def test_other_bytes_under_a_version_that_was_asked_for_must_say_so(state: State) -> None:
    assert verdict(lambda: admit(OTHER, [known(FIRST, state)])) == "request.must_supersede"
    superseding = again(subjects=OTHER_BYTES, supersedes=FIRST.digest)
    assert admit(superseding, [known(FIRST, state)]) == Open()


def test_an_open_ceremony_is_ended_by_the_request_that_supersedes_it() -> None:
    superseding = again(subjects=OTHER_BYTES, supersedes=FIRST.digest)
    assert admit(superseding, [known(FIRST, State.OPEN)]) == Open(ceremony_number(1))


def test_the_same_bytes_may_supersede_too() -> None:
    mine = ACME.sign_request(replace(ACME.request(number=9, requester="rita"), supersedes=FIRST.digest))
    assert admit(mine, [known(FIRST, State.OPEN)]) == Open(ceremony_number(1))


ADMISSION: dict[str, tuple[Signed[Request], list[Known], str]] = {
    "other bytes while one is open": (OTHER, [known(FIRST, State.OPEN)], "request.open_exists"),
    "another requester while one is open": (
        ACME.sign_request(ACME.request(number=9, requester="rita")),
        [known(FIRST, State.OPEN)],
        "request.open_exists",
    ),
    "other bytes after an approval": (OTHER, [known(FIRST, State.APPROVED)], "request.already_approved"),
    "the same bytes by another requester after an approval": (
        ACME.sign_request(ACME.request(number=9, requester="rita")),
        [known(FIRST, State.APPROVED)],
        "request.already_approved",
    ),
    "superseding what was approved": (
        again(subjects=OTHER_BYTES, supersedes=FIRST.digest),
        [known(FIRST, State.APPROVED)],
        "request.already_approved",
    ),
    "superseding nothing": (again(supersedes=FIRST.digest), [], "request.supersedes"),
    "superseding something else": (
        again(subjects=OTHER_BYTES, supersedes="sha256:" + "0" * 64),
        [known(FIRST, State.OPEN)],
        "request.supersedes",
    ),
    "superseding an earlier one than the latest": (
        again(supersedes=FIRST.digest),
        [known(FIRST, State.SUPERSEDED), known(OTHER, State.OPEN)],
        "request.supersedes",
    ),
    "the first bytes again after others": (
        again(),
        [known(FIRST, State.EXPIRED), known(OTHER, State.EXPIRED)],
        "request.must_supersede",
    ),
    "one artifact more": (again(subjects=TWO), [known(FIRST, State.EXPIRED)], "request.must_supersede"),
    "the same artifacts in another order": (
        again(subjects=TWO[::-1]),
        [known(ACME.sign_request(ACME.request(subjects=TWO)), State.EXPIRED)],
        "accepted",
    ),
    "what is open, behind what has ended": (
        OTHER,
        [known(FIRST, State.EXPIRED), known(OTHER, State.OPEN)],
        "accepted",
    ),
}


@pytest.mark.parametrize("case", ADMISSION)
def test_a_request_is_admitted_or_refused_with_its_own_code(case: str) -> None:
    request, before, code = ADMISSION[case]
    assert verdict(lambda: admit(request, before)) == code


SAME: dict[str, Request] = {
    "another ceremony id": replace(ACME.request(), ceremony=ceremony_number(7)),
    "another time and deadline": ACME.request(at=NOW + timedelta(hours=1)),
    "another ticket": replace(ACME.request(), ticket="T-1"),
    "another predecessor": replace(ACME.request(), supersedes=FIRST.digest),
}
OTHERS: dict[str, Request] = {
    "another product": ACME.request(product="gadget"),
    "another version": ACME.request(version="1.1"),
    "another requester": ACME.request(requester="rita"),
    "other bytes": ACME.request(subjects=OTHER_BYTES),
    "another name": ACME.request(subjects=(replace(SUBJECTS[0], name="gadget.tar.gz"),)),
    "another policy": replace(
        ACME.request(),
        context=replace(
            ACME.request().context, policy=PolicyReference(version=1, digest="sha256:" + "0" * 64)
        ),
    ),
    "another organisation": replace(
        ACME.request(), context=replace(ACME.request().context, organisation="other.example")
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_only_says_when_and_why_is_no_other_request(case: str) -> None:
    assert identity(SAME[case]) == identity(ACME.request())


@pytest.mark.parametrize("case", OTHERS)
def test_what_says_who_and_which_bytes_is_another_request(case: str) -> None:
    assert identity(OTHERS[case]) != identity(ACME.request())


def test_artifacts_have_one_order_whatever_the_order_in_which_they_were_given() -> None:
    assert sorted_subjects(TWO) == sorted_subjects(TWO[::-1])
    assert identity(ACME.request(subjects=TWO)) == identity(ACME.request(subjects=TWO[::-1]))


def test_two_releases_of_one_version_are_revoked_each_by_itself() -> None:
    """A provisional one with other bytes may have come before the regular one."""
    first, second = (
        BURNING.sign_request(revocation("sha256:" + digit * 64, number=number))
        for number, digit in ((21, "1"), (22, "2"))
    )
    for state in State:
        assert admit(second, [known(first, state)]) == Open()
    again = BURNING.sign_request(revocation("sha256:" + "1" * 64, number=23))
    assert admit(again, [known(first, State.APPROVED), known(second, State.OPEN)]) == Existing(
        ceremony_number(21)
    )
    assert admit(again, [known(first, State.REJECTED), known(second, State.APPROVED)]) == Open()
