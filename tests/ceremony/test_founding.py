# SPDX-License-Identifier: Apache-2.0
"""The first policy has the keys that people enrolled, and is signed only where its founders can."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.enrolment import Enrolment
from quorumseal.ceremony.errors import CeremonyError, PolicyError
from quorumseal.ceremony.founding import first_policy, unenrolled
from quorumseal.ceremony.policy_document import read_policy
from quorumseal.strict_json import StrictJsonError
from tests.ceremony.test_policy_source import EXPECTED, SOURCE
from tests.newcomer import Newcomer

DRAFT = re.sub(r"\[\[signers\.\w+\.keys\]\]\n(?:\w+ = .*\n)+", "", SOURCE)
PEOPLE = tuple(sorted(EXPECTED.signers))
ENROLLED: dict[str, Enrolment] = {name: Newcomer(name=name).enrolment for name in PEOPLE}


def test_whose_keys_are_missing_is_named() -> None:
    assert unenrolled(DRAFT, ()) == PEOPLE
    assert unenrolled(DRAFT, PEOPLE[1:]) == PEOPLE[:1]
    assert unenrolled(SOURCE, ()) == ()
    with pytest.raises(CeremonyError, match=f"got none of {PEOPLE[0]}$") as refused:
        first_policy(DRAFT, {n: e for n, e in ENROLLED.items() if n != PEOPLE[0]}, PEOPLE)
    assert refused.value.code == "founding.not_enrolled"


def test_the_first_policy_has_the_keys_that_people_enrolled() -> None:
    policy = read_policy(first_policy(DRAFT, ENROLLED, PEOPLE))
    for name, signer in policy.signers.items():
        (key,) = signer.keys
        assert (key.key, signer.witness) == (ENROLLED[name].key, ENROLLED[name].witness)
        assert (key.valid_from, key.valid_until - key.valid_from) == (
            ENROLLED[name].signed_at,
            timedelta(days=365),
        )
    assert replace(policy, signers=EXPECTED.signers) == EXPECTED


def test_how_long_keys_are_valid_is_said_in_the_file() -> None:
    source = DRAFT.replace("format = 0", 'format = 0\nkeys_valid = "90d"')
    policy = read_policy(first_policy(source, ENROLLED, PEOPLE))
    (key,) = policy.signers[PEOPLE[0]].keys
    assert key.valid_until - key.valid_from == timedelta(days=90)


def test_the_same_enrolments_make_the_same_bytes() -> None:
    backwards = dict(reversed(ENROLLED.items()))
    assert first_policy(DRAFT, ENROLLED, PEOPLE) == first_policy(DRAFT, backwards, PEOPLE[::-1])


def test_founders_who_could_never_sign_it_are_told_so_before_anybody_does() -> None:
    with pytest.raises(CeremonyError, match="governance quorum") as refused:
        first_policy(DRAFT, ENROLLED, ["alice", "rita"])
    assert refused.value.code == "founding.founders_short"
    assert first_policy(DRAFT, ENROLLED, ["alice", "carol"])


def test_only_version_1_is_founded() -> None:
    later = DRAFT.replace("version = 1", f'version = 2\nprevious = "sha256:{"ab" * 32}"')
    with pytest.raises(PolicyError, match="expected version 1"):
        first_policy(later, ENROLLED, PEOPLE)


def test_whoever_enrols_has_no_other_keys_in_the_file() -> None:
    with pytest.raises(StrictJsonError, match="keys"):
        first_policy(SOURCE, ENROLLED, PEOPLE)
