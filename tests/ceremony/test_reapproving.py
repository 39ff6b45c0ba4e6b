# SPDX-License-Identifier: Apache-2.0
"""A re-approval is of exactly one approved release, by the rule of a release, and there may be several."""

from dataclasses import replace
from typing import Any

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.admission import Existing, Known, Open, admit, identity
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Concluded, Request, Subject
from quorumseal.ceremony.succeeding import check_not_taken_back, check_reapproval
from tests.burning import (
    BURNING,
    DAY,
    joins,
    open_emergency,
    ratification,
    reapproval,
    run_emergency,
)
from tests.organisation import NOW, changed

EMERGENCY = run_emergency("alice", "carol")[0]
RELEASE = BURNING.run("alice", "bob", "carol", "rita")[0]
QUORUM = ("alice", "bob", "carol", "dan")
DIGEST = "sha256:" + "a" * 64


def decided(request: Request, *signers: str) -> Chain:
    """Run a ceremony at the time of its request."""
    at = request.opened_at
    chain, _ = open_chain(BURNING.policy, BURNING.sign_request(request), at=at)
    for signer in signers:
        chain, _ = extend(chain, joins(chain, signer, at=at), at=at)
    return chain


RATIFIED = decided(ratification(EMERGENCY), *QUORUM)
AGAIN = decided(reapproval(RELEASE), *QUORUM)


def judge(request: Request, release: Chain = RELEASE) -> None:
    assert request.reapproved is not None
    check_reapproval(request, request.reapproved, release.ceremony, release.hashes[-1])


@pytest.mark.parametrize("release", [RELEASE, RATIFIED], ids=["regular", "ratified"])
def test_what_was_released_for_good_is_approved_anew_by_the_quorum_of_a_release(release: Chain) -> None:
    request = reapproval(release)
    judge(request, release)
    assert decided(request, *QUORUM[:3]).ceremony.state is State.OPEN
    assert decided(request, *QUORUM).ceremony.state is State.APPROVED


def test_whoever_asked_then_or_now_does_not_decide_again() -> None:
    assert reapproval(RELEASE).requesters == {"mallory", "rita"}
    assert reapproval(RATIFIED, requester="ci").requesters == {"mallory", "rita", "ci"}
    chain = decided(reapproval(RELEASE))
    for asked in ("mallory", "rita"):
        with pytest.raises(errors.RequesterDecidesError):
            extend(chain, joins(chain, asked, at=NOW + DAY, roles=("release",)), at=NOW + DAY)


NOT_RELEASED: dict[str, Chain] = {
    "an open release": decided(BURNING.request()),
    "an open emergency": open_emergency(),
    "a provisional emergency": EMERGENCY,
    "an open ratification": decided(ratification(EMERGENCY)),
    "a re-approval": AGAIN,
}


@pytest.mark.parametrize("earlier", NOT_RELEASED.values(), ids=NOT_RELEASED)
def test_what_was_not_released_for_good_cannot_be_approved_anew(earlier: Chain) -> None:
    with pytest.raises(request_errors.ReApprovalError, match="released for good"):
        judge(reapproval(earlier), earlier)


def test_a_drill_is_never_approved_anew() -> None:
    drill = changed(BURNING, drill=True)
    release = drill.run("alice", "bob", "carol", "rita")[0]
    with pytest.raises(request_errors.ReApprovalError, match="got a drill"):
        judge(reapproval(release, drill), release)


OTHER: dict[str, dict[str, Any]] = {
    "ceremony": {"ceremony": AGAIN.id},
    "request": {"request": DIGEST},
    "conclusion": {"conclusion": RELEASE.hashes[0]},
    "requesters": {"requesters": frozenset({"rita"})},
}


@pytest.mark.parametrize("what", OTHER)
def test_a_reapproval_of_something_else_is_refused(what: str) -> None:
    request = reapproval(RELEASE)
    assert request.reapproved is not None
    fields = {name: getattr(request.reapproved, name) for name in Concluded.__slots__}
    with pytest.raises(request_errors.ReApprovalError, match=f"another {what}"):
        judge(replace(request, reapproved=Concluded(**{**fields, **OTHER[what]})))


BYTES: dict[str, dict[str, Any]] = {
    "version": {"version": "1.1"},
    "product": {"product": "gadget"},
    "subjects": {"subjects": (Subject(name="widget.tar.gz", digest=DIGEST),)},
}


@pytest.mark.parametrize("what", BYTES)
def test_a_reapproval_of_other_bytes_is_refused(what: str) -> None:
    with pytest.raises(request_errors.ReApprovalError, match=f"another {what}"):
        judge(replace(reapproval(RELEASE), **BYTES[what]))


def test_a_reapproval_is_never_under_an_older_policy() -> None:
    release, request = RELEASE.ceremony.request.statement, reapproval(RELEASE)
    newer = replace(release.context, policy=replace(release.context.policy, version=2))
    later = replace(RELEASE.ceremony.request, statement=replace(release, context=newer))
    ceremony = replace(RELEASE.ceremony, request=later)
    assert request.reapproved is not None
    with pytest.raises(request_errors.ReApprovalError, match="version 2"):
        check_reapproval(request, request.reapproved, ceremony, RELEASE.hashes[-1])
    newest = replace(request, context=replace(newer, signer="rita"))
    check_reapproval(newest, request.reapproved, ceremony, RELEASE.hashes[-1])


@pytest.mark.parametrize(
    ("release", "revoked"),
    [(RELEASE, RELEASE), (RATIFIED, RATIFIED), (RATIFIED, EMERGENCY)],
    ids=["the release", "the ratification", "the emergency that was ratified"],
)
def test_what_was_taken_back_is_not_approved_anew(release: Chain, revoked: Chain) -> None:
    taken = known(State.APPROVED, subjects=(Subject(name="request", digest=revoked.ceremony.request.digest),))
    with pytest.raises(request_errors.ReApprovalError, match="taken back"):
        check_not_taken_back(release.ceremony, [taken])
    check_not_taken_back(release.ceremony, [replace(taken, state=State.REJECTED)])
    other = replace(taken, subjects=(Subject(name="request", digest=DIGEST),))
    check_not_taken_back(release.ceremony, [other])


# One open at a time, several in a row


def known(state: State, *, subjects: tuple[Subject, ...] | None = None, of: Request | None = None) -> Known:
    request = of or reapproval(RELEASE, number=5)
    return Known(
        ceremony=request.ceremony,
        identity=identity(request),
        request=DIGEST,
        state=state,
        subjects=request.subjects if subjects is None else subjects,
    )


def test_one_approved_before_is_no_reason_against_another() -> None:
    request = BURNING.sign_request(reapproval(RELEASE))
    assert admit(request, [known(State.APPROVED)]) == Open()
    assert admit(request, [known(State.APPROVED), known(State.EXPIRED)]) == Open()


def test_one_is_open_at_a_time() -> None:
    request = BURNING.sign_request(reapproval(RELEASE))
    other = known(State.OPEN, of=reapproval(RELEASE, number=5, requester="ci"))
    with pytest.raises(request_errors.OpenCeremonyExistsError):
        admit(request, [known(State.APPROVED), other])
    assert admit(request, [known(State.OPEN)]) == Existing(reapproval(RELEASE, number=5).ceremony)


def test_the_kind_is_decided_by_the_rule_of_a_release() -> None:
    ceremony: Ceremony = AGAIN.ceremony
    assert ceremony.rule == BURNING.policy.policy.rule_for("widget", Kind.RELEASE)
    assert ceremony.ended_at == NOW + DAY
