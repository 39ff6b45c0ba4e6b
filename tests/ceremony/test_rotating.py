# SPDX-License-Identifier: Apache-2.0
"""A key rotates with an overlap, and no role changes hands in one step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.errors import KeyRotationError, RotationTooFastError
from quorumseal.ceremony.policy import Policy, Role, Signer, SignerKey, SignerKind
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.rotating import check_rotation, rotate_key, succeed
from quorumseal.signatures import PublicKey
from tests.burning import BURNING
from tests.forging import verdict
from tests.organisation import NOW, Organisation, changed, key_of

ACME = Organisation()
OLD = ACME.policy.policy
DAY = timedelta(days=1)
UNTIL = NOW + 7 * DAY
Change = Callable[[Policy], Policy]


def fresh(name: str, number: int = 2) -> PublicKey:
    return key_of(f"{name} {number}").public


def keys(policy: Policy, signer: str) -> list[tuple[PublicKey, timedelta, timedelta]]:
    return [(k.key, k.valid_from - NOW, k.valid_until - NOW) for k in policy.signers[signer].keys]


def test_a_rotated_key_joins_the_old_one_which_ends_after_the_overlap() -> None:
    alice = ACME.key("alice").public
    after = rotate_key(ACME.policy, "alice", alice, fresh("alice"), at=NOW)
    assert keys(after, "alice") == [
        (alice, -30 * DAY, 14 * DAY),
        (fresh("alice"), timedelta(), 395 * DAY),
    ]
    assert (after.version, after.previous) == (2, ACME.policy.digest)
    assert replace(after, signers=OLD.signers, version=1, previous=OLD.previous) == OLD


def test_an_overlap_never_makes_the_old_key_live_longer() -> None:
    acme = changed(ACME, valid_until={"alice": NOW + 3 * DAY})
    after = rotate_key(acme.policy, "alice", acme.key("alice").public, fresh("alice"), at=NOW)
    assert [until for _, _, until in keys(after, "alice")] == [3 * DAY, 33 * DAY]


def test_two_rotations_in_a_row_leave_two_keys_on_their_way_out() -> None:
    first = rotate_key(ACME.policy, "alice", ACME.key("alice").public, fresh("alice"), at=NOW)
    signed = ACME.sign_policy(first)
    second = rotate_key(signed, "alice", fresh("alice"), fresh("alice", 3), at=NOW + 2 * DAY)
    assert [until for _, _, until in keys(second, "alice")] == [14 * DAY, 16 * DAY, 397 * DAY]
    check_rotation(first, second, at=NOW + 2 * DAY, until=NOW + 9 * DAY)


@pytest.mark.parametrize("late", [False, True], ids=["of somebody else", "that has ended"])
def test_only_a_key_of_the_signer_that_is_valid_rotates(late: bool) -> None:
    at, old = (NOW + 400 * DAY, "alice") if late else (NOW, "bob")
    with pytest.raises(KeyRotationError):
        rotate_key(ACME.policy, "alice", ACME.key(old).public, fresh("alice"), at=at)


# How fast


def rekeyed(*signers: str, keep: timedelta | None = None) -> Change:
    """Give signers another key; keep the old one for a while, or not at all."""

    def change(policy: Policy) -> Policy:
        after = dict(policy.signers)
        for name in signers:
            old = after[name].keys[0]
            kept = () if keep is None else (replace(old, valid_until=NOW + keep),)
            after[name] = replace(after[name], keys=(*kept, valid(fresh(name))))
        return replace(policy, signers=after)

    return change


def valid(key: PublicKey) -> SignerKey:
    return SignerKey(key=key, valid_from=NOW, valid_until=NOW + 365 * DAY)


def staffed(role: str, *members: str) -> Change:
    """Put people into a role, with a key of their own where they are new."""

    def change(policy: Policy) -> Policy:
        new = {
            name: Signer(name=name, kind=SignerKind.PERSON, keys=(valid(fresh(name)),))
            for name in members
            if name not in policy.signers
        }
        roles = {**policy.roles, role: Role(name=role, members=frozenset(members))}
        return replace(policy, signers={**policy.signers, **new}, roles=roles)

    return change


def governed(**counts: int) -> Change:
    governance = tuple(Threshold(role=role, count=count) for role, count in counts.items())
    return lambda policy: replace(policy, governance=governance)


def needing(**counts: int) -> Change:
    quorum = tuple(Threshold(role=role, count=count) for role, count in counts.items())
    return lambda policy: replace(
        policy,
        rules={"standard": replace(policy.rules["standard"], quorum=quorum, veto=frozenset())},
    )


def of_another(policy: Policy) -> Policy:
    """Swap the keys of alice and erin: known keys, but not theirs."""
    alice, erin = policy.signers["alice"], policy.signers["erin"]
    swapped = {"alice": replace(alice, keys=erin.keys), "erin": replace(erin, keys=alice.keys)}
    return replace(policy, signers={**policy.signers, **swapped})


@dataclass(frozen=True)
class Row:
    """A change, and whether it is too fast."""

    changes: tuple[Change, ...]
    refused: str = ""


ENGINEERS = ("alice", "bob", "erin")
TOO_FAST = {
    "nothing": Row(()),
    "one of three engineers, of whom two are needed": Row((rekeyed("alice"),)),
    "two of three": Row((rekeyed("alice", "erin"),), "engineering"),
    "all, who keep their old keys past the deadline": Row((rekeyed(*ENGINEERS, keep=14 * DAY),)),
    "all, who keep their old keys until the deadline": Row((rekeyed(*ENGINEERS, keep=7 * DAY),)),
    "all, whose old keys end a day before it": Row((rekeyed(*ENGINEERS, keep=6 * DAY),), "engineering"),
    "the only member that is needed of a role of two": Row((staffed("release", "rita", "zoe"),)),
    "a role that goes to strangers": Row((staffed("release", "zoe", "yan"),)),
    "a role of whom one stays, with a new key": Row(
        (staffed("release", "rita", "zoe"), rekeyed("rita")), "release"
    ),
    "a role that goes to others of the roster": Row((staffed("release", "erin", "alice"),)),
    "a higher threshold that newcomers fill": Row(
        (staffed("engineering", "alice", "bob", "zoe"), needing(engineering=3, security=1, release=1))
    ),
    "a higher threshold, and only newcomers": Row(
        (
            staffed("engineering", "alice", "zoe", "yan", "xia"),
            needing(engineering=3, security=1, release=1),
        )
    ),
    "a lower threshold, filled by one who stays": Row(
        (
            staffed("engineering", "alice", "zoe"),
            needing(engineering=1, security=1, release=1),
        )
    ),
    "a role that no quorum asks for, of strangers": Row((staffed("managers", "zoe", "mallory"),)),
    "a role of strangers that no quorum asked for before": Row(
        (staffed("legal", "zoe"), needing(engineering=2, security=1, release=1, legal=1))
    ),
    "a role that no quorum asks for any more": Row(
        (staffed("release", "zoe"), needing(engineering=2, security=1))
    ),
    "the role of the governance alone": Row((needing(release=1), rekeyed("bob", "carol", "dan")), "security"),
    "keys that change their owners": Row((of_another,), "engineering"),
}


@pytest.mark.parametrize("case", TOO_FAST)
def test_a_role_keeps_as_many_known_keys_as_its_threshold(case: str) -> None:
    row, new = TOO_FAST[case], OLD
    for change in row.changes:
        new = change(new)
    judge = partial(check_rotation, OLD, new, at=NOW, until=UNTIL)
    assert verdict(judge) == ("policy.rotation_too_fast" if row.refused else "accepted")
    if row.refused:
        with pytest.raises(RotationTooFastError, match=f"role {row.refused}"):
            judge()


def test_the_threshold_of_an_emergency_counts_too() -> None:
    old = BURNING.policy.policy
    new = rekeyed("alice", "bob", "erin")(old)
    assert verdict(lambda: check_rotation(old, new, at=NOW, until=UNTIL)) == "policy.rotation_too_fast"


def test_keys_that_end_anyway_may_all_be_replaced_with_their_end_left_alone() -> None:
    acme = changed(ACME, valid_until=dict.fromkeys(ENGINEERS, NOW + DAY))
    old = acme.policy.policy
    new = rekeyed(*ENGINEERS, keep=DAY)(old)
    check_rotation(old, new, at=NOW, until=UNTIL)
    cut = rekeyed(*ENGINEERS, keep=DAY / 2)(old)
    assert verdict(lambda: check_rotation(old, cut, at=NOW, until=UNTIL)) == "policy.rotation_too_fast"


def test_keys_that_are_listed_from_later_on_are_not_kept() -> None:
    signers = dict(OLD.signers)
    for name in ENGINEERS:
        key = OLD.signers[name].keys[0]
        signers[name] = replace(OLD.signers[name], keys=(replace(key, valid_from=NOW + DAY),))
    new = replace(OLD, signers=signers)
    assert verdict(lambda: check_rotation(OLD, new, at=NOW, until=UNTIL)) == "policy.rotation_too_fast"


def test_a_policy_that_succeeds_another_names_it() -> None:
    after = succeed(ACME.policy, authorities=())
    assert (after.version, after.previous) == (2, ACME.policy.digest)
