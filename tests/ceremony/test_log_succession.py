# SPDX-License-Identifier: Apache-2.0
"""The log stays; a new key of it begins at a checkpoint that its proposer has verified."""

from dataclasses import dataclass, replace

import pytest

from quorumseal.ceremony.log_succession import check_log_follows, new_log_key
from quorumseal.ceremony.policy import Log, LogKey
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.ceremony.values import digest_of
from tests.forging import verdict
from tests.organisation import Organisation, key_of

ACME = Organisation()
OLD = ACME.policy.policy.log
ROOT, OTHER = digest_of(b"the tree of nine entries"), digest_of(b"another")
SEEN = SeenCheckpoint(size=9, root=ROOT)


def successor(number: int = 2, *, size: int = 9, root: str = ROOT) -> LogKey:
    return LogKey(key=key_of(f"log {number}").public, from_size=size, from_root=root)


@dataclass(frozen=True)
class Row:
    """The log of the next policy, and what comes of it."""

    log: Log
    code: str = "policy.log_succession"


SUCCESSIONS = {
    "the same": Row(OLD, "accepted"),
    "a key from what its proposer verified on": Row(replace(OLD, keys=(*OLD.keys, successor())), "accepted"),
    "a key from earlier on": Row(replace(OLD, keys=(*OLD.keys, successor(size=4))), "accepted"),
    "a key from later on": Row(replace(OLD, keys=(*OLD.keys, successor(size=10)))),
    "a key over another tree": Row(replace(OLD, keys=(*OLD.keys, successor(root=OTHER)))),
    "two keys at once": Row(replace(OLD, keys=(*OLD.keys, successor(size=4), successor(3)))),
    "another log": Row(replace(OLD, origin="another.example/log")),
    "the first key gone": Row(
        replace(OLD, keys=(LogKey(key=key_of("log 2").public, from_size=0),)),
    ),
}


@pytest.mark.parametrize("case", SUCCESSIONS)
def test_the_next_log_follows_the_one_before(case: str) -> None:
    row = SUCCESSIONS[case]
    assert verdict(lambda: check_log_follows(OLD, row.log, SEEN)) == row.code


def test_a_key_that_was_listed_before_keeps_its_place() -> None:
    two = replace(OLD, keys=(*OLD.keys, successor(size=4)))
    moved = replace(OLD, keys=(*OLD.keys, successor(size=5)))
    assert verdict(lambda: new_log_key(two, moved)) == "policy.log_succession"
    assert verdict(lambda: new_log_key(two, OLD)) == "policy.log_succession"
    assert new_log_key(two, two) is None
    assert new_log_key(two, replace(two, keys=(*two.keys, successor(3)))) == successor(3)
