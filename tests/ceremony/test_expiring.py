# SPDX-License-Identifier: Apache-2.0
"""What ends by itself is said sixty, thirty and seven days before, and not of keys that have a successor."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.expiring import Expiring, Expiry, expiries, warned
from quorumseal.ceremony.policy import Policy, SignerKey
from tests.organisation import NOW, Organisation, key_of

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (61 * DAY, None),
        (60 * DAY + SECOND, None),
        (60 * DAY, 60),
        (30 * DAY + SECOND, 60),
        (30 * DAY, 30),
        (7 * DAY + SECOND, 30),
        (7 * DAY, 7),
        (SECOND, 7),
        (timedelta(0), None),
        (-DAY, None),
    ],
)
def test_the_last_warning_that_is_due_is_said(left: timedelta, said: int | None) -> None:
    assert warned(NOW + left, at=NOW) == (None if said is None else timedelta(days=said))


def policy_of(*keys: tuple[str, int, int]) -> Policy:
    """Return a policy in which alice has keys of these seeds, valid from and until days from now."""
    policy = Organisation().policy.policy
    signers = {
        name: replace(signer, keys=tuple(map(_far, signer.keys))) for name, signer in policy.signers.items()
    }
    if keys:
        made = tuple(
            SignerKey(key=key_of(seed).public, valid_from=NOW + start * DAY, valid_until=NOW + end * DAY)
            for seed, start, end in keys
        )
        signers["alice"] = replace(signers["alice"], keys=made)
    return replace(policy, signers=signers, expires=NOW + 999 * DAY)


def _far(key: SignerKey) -> SignerKey:
    return replace(key, valid_until=NOW + 999 * DAY)


@pytest.mark.parametrize(
    ("keys", "ending"),
    [
        ([("one", -9, 61)], []),
        ([("one", -9, 60)], [60]),
        ([("one", -9, -2)], [-2]),
        ([("one", -9, 5), ("two", -1, 61)], []),
        ([("one", -9, 5), ("two", 1, 99)], [5]),
        ([("one", -9, 5), ("two", -1, 50)], [5, 50]),
    ],
    ids=["far", "near", "over", "succeeded", "successor not yet valid", "both near"],
)
def test_a_key_is_named_unless_another_of_its_holder_outlives_the_warnings(
    keys: list[tuple[str, int, int]], ending: list[int]
) -> None:
    found = expiries(policy_of(*keys), at=NOW)
    assert [(each.what, each.name, each.ends) for each in found] == [
        (Expiring.KEY, "alice", NOW + days * DAY) for days in ending
    ]


def test_a_policy_that_ends_is_named_before_what_ends_later() -> None:
    policy = replace(policy_of(("one", -9, 20)), expires=NOW + 8 * DAY)
    first, second = expiries(policy, at=NOW)
    assert first == Expiry(what=Expiring.POLICY, name=str(policy.version), ends=NOW + 8 * DAY)
    assert (second.what, second.key_id) == (Expiring.KEY, key_of("one").public.key_id)
