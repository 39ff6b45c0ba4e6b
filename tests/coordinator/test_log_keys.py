# SPDX-License-Identifier: Apache-2.0
"""A coordinator signs with the key that the policy names for the size, or not at all."""

from dataclasses import replace

import pytest

from coordinator.errors import LogKeyError
from coordinator.log_keys import LogKeys
from quorumseal.ceremony.policy import LogKey
from quorumseal.ceremony.values import digest_of
from tests.organisation import Organisation, key_of

ACME = Organisation()
FIRST, NEXT = ACME.log_key, key_of("the next log key")
BEFORE = ACME.policy.policy.log
AFTER = replace(
    BEFORE, keys=(*BEFORE.keys, LogKey(key=NEXT.public, from_size=9, from_root=digest_of(b"root")))
)


@pytest.mark.parametrize(("size", "key"), [(1, FIRST), (8, FIRST), (9, NEXT), (10, NEXT)])
def test_the_size_says_which_key_signs(size: int, key: object) -> None:
    assert LogKeys(FIRST, NEXT).at(AFTER, size) is key
    assert LogKeys(FIRST, NEXT).at(BEFORE, size) is FIRST


@pytest.mark.parametrize(("keys", "size"), [(LogKeys(FIRST), 9), (LogKeys(NEXT), 8)])
def test_no_other_key_signs_instead(keys: LogKeys, size: int) -> None:
    with pytest.raises(LogKeyError, match=f"at size {size}"):
        keys.at(AFTER, size)


def test_a_next_key_must_be_here_before_a_policy_may_name_it() -> None:
    LogKeys(FIRST, NEXT).check_next(AFTER)
    with pytest.raises(LogKeyError, match="a next log key that this coordinator holds"):
        LogKeys(FIRST).check_next(AFTER)
