# SPDX-License-Identifier: Apache-2.0
"""From an enrolment to the policy that lists somebody new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.enrolment_errors import NewcomerKeyError, NewcomerUnknownError
from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.newcomers import chosen, explaining, with_newcomer
from tests.newcomer import Newcomer
from tests.organisation import NOW, Organisation, key_of

ACME = Organisation()
YEAR = timedelta(days=365)
DANA = Newcomer(name="dana").enrolment
AGAIN = replace(DANA, key=key_of("another of dana").public)
OTHER = Newcomer(name="zoe").enrolment


def digits(key_id: str) -> str:
    return key_id.removeprefix("sha256:")


def test_the_one_key_that_somebody_enrolled_is_theirs() -> None:
    assert chosen("dana", [OTHER, DANA]) == DANA
    assert chosen("dana", [DANA, DANA]) == DANA


def test_of_two_keys_one_is_named_and_never_guessed() -> None:
    both = [DANA, AGAIN]
    for key in ("", digits(DANA.key.key_id)[:7], "f" * 12):
        with pytest.raises(NewcomerKeyError) as refused:
            chosen("dana", both, key=key)
        assert "--key" in refused.value.hint
    assert chosen("dana", both, key=digits(AGAIN.key.key_id)[:8]) == AGAIN
    assert chosen("dana", both, key=digits(DANA.key.key_id)) == DANA


def test_who_never_enrolled_is_invited_first() -> None:
    with pytest.raises(NewcomerUnknownError) as refused:
        chosen("dana", [OTHER])
    assert "org invite dana" in refused.value.hint


def test_the_next_policy_lists_them_in_their_roles() -> None:
    policy = with_newcomer(ACME.policy, DANA, ["security", "release"], at=NOW, until=NOW + YEAR)
    assert (policy.version, policy.previous) == (2, ACME.policy.digest)
    (key,) = policy.signers["dana"].keys
    assert (key.key, key.valid_until) == (DANA.key, NOW + YEAR)
    assert policy.signers["dana"].witness == DANA.witness
    assert {name for name, role in policy.roles.items() if "dana" in role.members} == {"security", "release"}


def test_nobody_is_added_twice_nor_to_a_role_that_is_not_there() -> None:
    alice = Newcomer(name="alice").enrolment
    with pytest.raises(PolicyError, match="expected somebody new, got alice") as refused:
        with_newcomer(ACME.policy, alice, ["security"], at=NOW, until=NOW + YEAR)
    assert "key rotate" in refused.value.hint
    with pytest.raises(PolicyError, match="got auditing"):
        with_newcomer(ACME.policy, DANA, ["auditing"], at=NOW, until=NOW + YEAR)


def test_what_shows_a_new_key_is_the_enrolment_of_that_very_key() -> None:
    policy = with_newcomer(ACME.policy, DANA, ["security"], at=NOW, until=NOW + YEAR)
    known = [(OTHER, b"zoe"), (AGAIN, b"again"), (DANA, b"dana")]
    assert explaining(policy, {"dana"}, known) == ((DANA, b"dana"),)
    assert explaining(policy, set(), known) == ()
