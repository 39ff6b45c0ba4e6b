# SPDX-License-Identifier: Apache-2.0
"""A ratification is of exactly one emergency, a revocation of exactly one release."""

from dataclasses import replace
from typing import Any

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.admission import Known
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Concluded, Request
from quorumseal.ceremony.succeeding import check_alone, check_proposed, check_ratification, check_revocation
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    joins,
    open_emergency,
    ratification,
    reports,
    revocation,
    run_emergency,
)
from tests.changing import next_version, policy_request
from tests.organisation import NOW

EMERGENCY = run_emergency("alice", "carol")[0]
RELEASE = BURNING.run("alice", "bob", "carol", "rita")[0]
DIGEST = "sha256:" + "a" * 64


def judge(request: Request, emergency: Chain = EMERGENCY) -> None:
    assert request.ratified is not None
    check_ratification(request, request.ratified, emergency.ceremony, emergency.hashes[-1])


def test_a_ratification_needs_the_quorum_of_a_release() -> None:
    request = BURNING.sign_request(ratification(EMERGENCY))
    judge(request.statement)
    chain, _ = open_chain(BURNING.policy, request, at=NOW + HOUR)
    for signer in ("alice", "bob", "carol", "dan"):
        at = NOW + HOUR
        chain, _ = extend(chain, joins(chain, signer, at=at), at=at)
    assert chain.ceremony.state is State.APPROVED


def test_whoever_broke_the_glass_does_not_ratify() -> None:
    request = BURNING.sign_request(ratification(EMERGENCY))
    assert request.statement.requesters == {"mallory", "rita"}
    chain, _ = open_chain(BURNING.policy, request, at=NOW + HOUR)
    with pytest.raises(errors.RequesterDecidesError):
        extend(chain, joins(chain, "mallory", at=NOW + HOUR, roles=("release",)), at=NOW + HOUR)


OTHER: dict[str, dict[str, Any]] = {
    "another ceremony": {"ceremony": RELEASE.id[:-1] + "f"},
    "another request": {"request": DIGEST},
    "another conclusion": {"conclusion": DIGEST},
    "fewer requesters": {"requesters": frozenset({"rita"})},
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_a_ratification_of_something_else_is_refused(change: dict[str, Any]) -> None:
    request = ratification(EMERGENCY)
    assert request.ratified is not None
    fields = {name: getattr(request.ratified, name) for name in Concluded.__slots__}
    with pytest.raises(request_errors.RatificationError):
        judge(replace(request, ratified=Concluded(**{**fields, **change})))


@pytest.mark.parametrize("change", [{"version": "1.1"}, {"product": "gadget"}, {"subjects": ()}], ids=str)
def test_a_ratification_of_other_bytes_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(request_errors.RatificationError):
        judge(replace(ratification(EMERGENCY), **change))


def test_what_was_not_released_cannot_be_ratified() -> None:
    with pytest.raises(request_errors.RatificationError, match="open"):
        judge(ratification(EMERGENCY), open_emergency())


def test_a_ratification_ends_before_the_emergency_lapses() -> None:
    judge(ratification(EMERGENCY, at=NOW + HOUR * 48, length=DAY))
    with pytest.raises(request_errors.RatificationError, match="ends by"):
        judge(ratification(EMERGENCY, at=NOW + HOUR * 49, length=DAY))


REVOKED: list[tuple[str, Chain, dict[str, Any], bool]] = [
    ("an approved release", RELEASE, {}, True),
    ("a provisional one", EMERGENCY, {}, True),
    ("one that is open", open_emergency(), {}, False),
    ("another product", RELEASE, {"product": "gadget"}, False),
    ("another version", RELEASE, {"version": "2.0"}, False),
]


@pytest.mark.parametrize(
    ("chain", "change", "allowed"), [row[1:] for row in REVOKED], ids=[row[0] for row in REVOKED]
)
def test_a_revocation_is_of_what_was_released(chain: Chain, change: dict[str, Any], allowed: bool) -> None:
    revoked = chain.ceremony.request
    request = replace(revocation(revoked.digest), **change)
    if allowed:
        check_revocation(request, revoked, chain.ceremony.state)
    else:
        with pytest.raises(request_errors.RevocationError):
            check_revocation(request, revoked, chain.ceremony.state)


def test_a_revocation_of_another_request_is_refused() -> None:
    with pytest.raises(request_errors.RevocationError, match="one of sha256:aaa"):
        check_revocation(revocation(DIGEST), RELEASE.ceremony.request, State.APPROVED)


def test_a_revocation_is_decided_like_a_release_about_the_request_alone() -> None:
    request = BURNING.sign_request(revocation(RELEASE.ceremony.request.digest))
    chain, _ = open_chain(BURNING.policy, request, at=NOW + HOUR)
    for signer in ("alice", "bob", "carol", "rita"):
        chain, _ = extend(chain, joins(chain, signer, at=NOW + HOUR), at=NOW + HOUR)
    assert chain.ceremony.state is State.APPROVED
    approved = chain.ceremony.decisions["alice"].statement
    assert [(s.name, s.digest) for s in approved.subjects] == [("request", RELEASE.ceremony.request.digest)]


def test_a_version_is_released_or_ratified_and_never_both() -> None:
    for kind, other in ((Kind.RELEASE, Kind.RATIFICATION), (Kind.RATIFICATION, Kind.RELEASE)):
        request = BURNING.request() if kind is Kind.RELEASE else ratification(EMERGENCY)
        earlier = Known(
            ceremony=RELEASE.id, identity=DIGEST, request=DIGEST, state=State.EXPIRED, subjects=()
        )
        check_alone(request, [earlier])
        with pytest.raises(request_errors.AlreadyApprovedError):
            check_alone(request, [earlier, replace(earlier, state=State.APPROVED)])
        with pytest.raises(request_errors.OpenCeremonyExistsError, match=f"no open {other}"):
            check_alone(request, [earlier, replace(earlier, state=State.OPEN)])


def test_a_report_is_owed_until_somebody_filed_it() -> None:
    ceremony = EMERGENCY.ceremony
    assert ceremony.emergency is not None
    assert ceremony.ended_at is not None
    assert ceremony.report_due == ceremony.ended_at + ceremony.emergency.report
    reported, _ = extend(EMERGENCY, reports(EMERGENCY, "dan", at=ceremony.ended_at), at=ceremony.ended_at)
    assert reported.ceremony.report_due is None
    assert RELEASE.ceremony.report_due is None


def test_the_conclusion_is_known_by_its_hash() -> None:
    assert EMERGENCY.conclusion == EMERGENCY.hashes[-1]
    at = NOW + DAY
    reported, _ = extend(EMERGENCY, reports(EMERGENCY, "dan", at=at), at=at)
    assert reported.conclusion == EMERGENCY.hashes[-1] != reported.hashes[-1]


@pytest.mark.parametrize("state", State)
def test_only_a_policy_that_is_proposed_still_is_accepted(state: State) -> None:
    new = next_version(BURNING)
    taken = policy_request(Kind.POLICY_ACCEPTANCE, new, new, number=2, requester="alice")
    change = Known(ceremony="", identity=DIGEST, request=DIGEST, state=state, subjects=taken.subjects)
    with pytest.raises(request_errors.ProposalError):
        check_proposed(taken, [])
    with pytest.raises(request_errors.ProposalError):
        check_proposed(taken, [replace(change, subjects=())])
    if state in (State.OPEN, State.APPROVED):
        check_proposed(taken, [change])
    else:
        with pytest.raises(request_errors.ProposalError):
            check_proposed(taken, [change])
