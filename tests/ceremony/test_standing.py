# SPDX-License-Identifier: Apache-2.0
"""Absences and delegations outside any ceremony: the newest counts, and none leads in a circle."""

from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import StandingAct
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, HOUR, MINUTE, absence, delegation, withdrawal
from tests.organisation import NOW, changed

POLICY = BURNING.policy.policy


def after(*acts: StandingAct, at: datetime = NOW) -> Standing:
    standing = Standing()
    for act in acts:
        signed: Signed[StandingAct] = BURNING.sign(act)
        standing = stand(standing, signed, POLICY, at=at)
    return standing


def test_an_absence_lasts_from_its_beginning_to_before_its_end() -> None:
    standing = after(absence("alice", since=NOW + HOUR, until=NOW + DAY))
    assert [standing.away("alice", at=NOW + HOUR * h) for h in (0, 1, 23, 24)] == [False, True, True, False]
    assert not standing.away("bob", at=NOW + HOUR)


def test_the_newest_absence_counts() -> None:
    standing = after(absence("alice", until=NOW + DAY), absence("alice", number=2, until=NOW + HOUR))
    assert not standing.away("alice", at=NOW + HOUR * 2)
    assert standing.next_number("alice", "absence") == 3


def test_whoever_withdraws_their_absence_is_back_and_may_be_away_again() -> None:
    gone, back = absence("alice", until=NOW + DAY), withdrawal("alice", None)
    assert not after(gone, back).away("alice", at=NOW)
    assert after(gone, back, absence("alice", number=3, until=NOW + DAY)).away("alice", at=NOW)


def test_an_absence_and_a_delegation_are_withdrawn_apart() -> None:
    both = absence("alice", until=NOW + DAY), delegation("alice", "engineering", "frank")
    back = after(*both, withdrawal("alice", None))
    assert (back.away("alice", at=NOW), len(back.live(at=NOW))) == (False, 1)


def test_a_delegation_is_live_until_its_end_or_its_withdrawal() -> None:
    given = delegation("alice", "engineering", "frank", until=NOW + DAY)
    assert [d.signer for d in after(given).live(at=NOW)] == ["alice"]
    assert after(given).live(at=NOW + DAY) == ()
    assert after(given, withdrawal("alice", "engineering")).live(at=NOW) == ()


def test_roles_are_counted_apart() -> None:
    both = after(
        delegation("bob", "engineering", "frank"),
        delegation("bob", "security", "alice"),
        absence("bob", until=NOW + DAY),
    )
    assert len(both.live(at=NOW)) == 2


def test_the_same_act_again_changes_nothing() -> None:
    signed: Signed[StandingAct] = BURNING.sign(absence("alice", until=NOW + DAY))
    standing = stand(Standing(), signed, POLICY, at=NOW)
    assert stand(standing, signed, POLICY, at=NOW + DAY * 2) is standing


A_DAY = NOW + DAY
REFUSED: dict[str, tuple[list[StandingAct], type[Refusal]]] = {
    "a number that was used": (
        [absence("alice", until=A_DAY), absence("alice", until=A_DAY + HOUR)],
        errors.StandingOrderError,
    ),
    "a delegation withdrawn and played again with its number": (
        [
            delegation("alice", "engineering", "frank", number=1),
            withdrawal("alice", "engineering"),
            delegation("alice", "engineering", "carol", number=1),
        ],
        errors.StandingOrderError,
    ),
    "an absence that is over": (
        [absence("alice", since=NOW - DAY, until=NOW)],
        errors.StandingTimeError,
    ),
    "a delegation to oneself": (
        [delegation("alice", "engineering", "alice")],
        errors.DelegationNotAllowedError,
    ),
    "a delegation to somebody who is not listed": (
        [delegation("alice", "engineering", "dan")],
        errors.DelegationNotAllowedError,
    ),
    "a delegation of a role that one does not hold": (
        [delegation("carol", "engineering", "frank")],
        errors.DelegationNotAllowedError,
    ),
    "a delegation of a role that nobody knows": (
        [delegation("carol", "marketing", "frank")],
        errors.DelegationNotAllowedError,
    ),
    "a circle": (
        [delegation("alice", "engineering", "carol"), delegation("carol", "security", "alice")],
        errors.DelegationNotAllowedError,
    ),
    "a withdrawal of an absence that is none": ([withdrawal("alice", None)], errors.AbsenceMissingError),
    "a withdrawal of nothing": ([withdrawal("alice", "engineering")], errors.DelegationMissingError),
}


@pytest.mark.parametrize(("acts", "refusal"), REFUSED.values(), ids=REFUSED)
def test_an_act_that_may_not_stand_is_refused(acts: list[StandingAct], refusal: type[Refusal]) -> None:
    standing = after(*acts[:-1])
    signed: Signed[StandingAct] = BURNING.sign(acts[-1])
    with pytest.raises(refusal):
        stand(standing, signed, POLICY, at=NOW)


def test_delegations_at_different_times_are_no_circle() -> None:
    standing = after(
        delegation("alice", "engineering", "carol", until=NOW + HOUR),
        delegation("carol", "security", "alice", since=NOW + HOUR, until=NOW + HOUR * 2),
    )
    assert len(standing.live(at=NOW)) == 2


def test_an_act_from_the_future_is_refused() -> None:
    act = absence("alice", until=NOW + DAY)
    early = replace(act, context=BURNING.context("alice", at=NOW + MINUTE * 3))
    with pytest.raises(errors.StandingTimeError, match="signed by now"):
        after(early)


def test_an_act_by_a_key_that_ran_out_is_refused() -> None:
    acme = changed(BURNING, valid_until={"alice": NOW + HOUR})
    signed: Signed[StandingAct] = acme.sign(absence("alice", acme=acme, until=NOW + DAY))
    with pytest.raises(errors.KeyNotValidError):
        stand(Standing(), signed, acme.policy.policy, at=NOW + HOUR)


def test_a_machine_is_nobodys_deputy() -> None:
    acme = changed(BURNING, deputies={"engineering": ("ci",)})
    signed: Signed[StandingAct] = acme.sign(delegation("alice", "engineering", "ci", acme=acme))
    with pytest.raises(errors.DelegationNotAllowedError):
        stand(Standing(), signed, acme.policy.policy, at=NOW)
