# SPDX-License-Identifier: Apache-2.0
"""A key is revoked by another one of its owner or by two guardians, and only ever earlier."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.revoking import owner_of, read_revoked
from quorumseal.ceremony.seconding import is_guardian
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import KeyRevocation, StandingAct
from quorumseal.ceremony.values import instant_text
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from tests.burning import DAY, HOUR, MINUTE, absence, delegation
from tests.losing import LOSING, by_guardian, by_owner, key_id, key_revocation, suspends
from tests.organisation import NOW, changed

POLICY = LOSING.policy.policy
ALICE = key_id("alice")
LATER = NOW + HOUR


def after(*acts: Signed[StandingAct], at: datetime = LATER, begin: Standing | None = None) -> Standing:
    standing = begin or Standing()
    for act in acts:
        standing = stand(standing, act, POLICY, at=at)
    return standing


def since(standing: Standing, key: str = ALICE) -> str:
    return instant_text(standing.revoked[key].since)[11:16] if key in standing.revoked else "never"


def guards(guardian: str, minute: int, *, number: int = 1, owner: str = "alice") -> Signed[KeyRevocation]:
    at = NOW + minute * MINUTE
    return by_guardian(guardian, owner, since=at, at=LATER, number=number)


def owns(minute: int, *, number: int = 1) -> Signed[KeyRevocation]:
    return by_owner("alice", since=NOW + minute * MINUTE, at=LATER, number=number)


COURSES: dict[str, tuple[Sequence[Signed[KeyRevocation]], str]] = {
    "another key of the owner": ([owns(10)], "14:10"),
    "one guardian waits": ([guards("bob", 10)], "never"),
    "two guardians, since what both said": ([guards("bob", 10), guards("carol", 20)], "14:20"),
    "in either order": ([guards("carol", 20), guards("bob", 10)], "14:20"),
    "the one who said later follows": (
        [guards("bob", 10), guards("carol", 20), guards("carol", 10, number=2)],
        "14:10",
    ),
    "a third who says earlier changes nothing alone": (
        [guards("bob", 20), guards("carol", 20), guards("dan", 5)],
        "14:20",
    ),
    "and with another it does": (
        [guards("bob", 20), guards("carol", 20), guards("dan", 5), guards("bob", 10, number=2)],
        "14:10",
    ),
    "the owner after one guardian": ([guards("bob", 10), owns(20)], "14:20"),
    "a guardian who waits, then the owner, then another guardian": (
        [guards("bob", 10), owns(20), guards("carol", 5)],
        "14:10",
    ),
    "the owner says earlier": ([owns(20), owns(10, number=2)], "14:10"),
}


@pytest.mark.parametrize(("acts", "expected"), COURSES.values(), ids=COURSES)
def test_a_key_is_revoked_since_what_its_owner_or_two_guardians_said(
    acts: Sequence[Signed[KeyRevocation]], expected: str
) -> None:
    standing = after(*acts)
    assert since(standing) == expected
    if expected != "never":
        revoked = standing.revoked[ALICE]
        assert read_revoked(revoked.envelopes, [LOSING.policy], closed=True) == revoked


REFUSED: dict[str, tuple[Sequence[Signed[StandingAct]], type[Refusal]]] = {
    "a later instant": ([owns(10), owns(20, number=2)], errors.RevocationLaterError),
    "the same instant again": ([owns(10), owns(10, number=2)], errors.RevocationLaterError),
    "later than what two guardians said": (
        [guards("bob", 10), guards("carol", 10), owns(20)],
        errors.RevocationLaterError,
    ),
    "later than what stands, by a third guardian": (
        [guards("bob", 10), guards("carol", 10), guards("dan", 11)],
        errors.RevocationLaterError,
    ),
    "a guardian who waits and says later": (
        [guards("bob", 10), guards("bob", 20, number=2)],
        errors.RevocationLaterError,
    ),
    "an instant to come": (
        [by_owner("alice", since=LATER, at=LATER - MINUTE)],
        errors.StandingTimeError,
    ),
    "by the key itself": (
        [LOSING.sign(key_revocation("alice", "alice", at=LATER))],
        errors.RevocationSignerError,
    ),
    "by somebody who does not guard": ([guards("erin", 10)], errors.RevocationSignerError),
    "of a key that nobody knows": (
        [LOSING.sign(replace(key_revocation("bob", "alice"), key="sha256:" + "0" * 64))],
        errors.KeyUnknownError,
    ),
    "by a key that is revoked itself": (
        [guards("carol", 10, owner="bob"), guards("dan", 10, owner="bob"), guards("bob", 10)],
        errors.KeyRevokedError,
    ),
    "an absence by a revoked key": (
        [owns(10), LOSING.sign(absence("alice", acme=LOSING, until=NOW + DAY))],
        errors.KeyRevokedError,
    ),
}


@pytest.mark.parametrize(("acts", "refusal"), REFUSED.values(), ids=REFUSED)
def test_a_revocation_that_may_not_be_is_refused_and_nothing_changed(
    acts: Sequence[Signed[StandingAct]], refusal: type[Refusal]
) -> None:
    standing = after(*acts[:-1])
    with pytest.raises(refusal) as refused:
        after(acts[-1], begin=standing)
    assert refused.value.hint
    assert standing == after(*acts[:-1])


def test_the_other_key_still_signs() -> None:
    away = absence("alice", acme=LOSING, until=NOW + DAY)
    standing = after(owns(10), LOSING.sign(away, key=LOSING.spare_key("alice")))
    assert standing.away("alice", at=LATER)


def test_a_delegation_ends_with_the_key_that_made_it() -> None:
    given = LOSING.sign(delegation("alice", "engineering", "frank", acme=LOSING))
    assert len(after(given).live(at=LATER)) == 1
    assert after(given, owns(10)).live(at=LATER) == ()


def test_a_guardian_whose_key_was_revoked_or_who_is_suspended_is_not_seconded() -> None:
    waits = guards("bob", 10)
    key_gone = after(waits, guards("carol", 10, owner="bob"), guards("dan", 10, owner="bob"))
    assert since(after(guards("dan", 10), begin=key_gone)) == "never"
    out = after(waits, suspends("carol", "bob"), suspends("dan", "bob"))
    assert since(after(guards("dan", 10), begin=out)) == "never"
    assert since(after(guards("dan", 10), begin=out, at=NOW + DAY)) == "14:10"


def test_who_waited_under_an_older_policy_signs_again() -> None:
    second = changed(LOSING, version=2, previous=LOSING.policy.digest)
    waiting = after(guards("bob", 10))

    def guard(name: str, minute: int, number: int) -> Signed[KeyRevocation]:
        return by_guardian(name, "alice", acme=second, since=NOW + minute * MINUTE, at=LATER, number=number)

    one = stand(waiting, guard("carol", 10, 1), second.policy.policy, at=LATER, earlier=[POLICY])
    assert since(one) == "never"
    two = stand(one, guard("bob", 10, 2), second.policy.policy, at=LATER, earlier=[POLICY])
    assert since(two) == "14:10"


def test_a_key_that_left_the_policy_can_still_be_revoked() -> None:
    roles = {**LOSING.roles, "engineering": ("bob", "erin")}
    gone = changed(LOSING, version=2, previous=LOSING.policy.digest, roles=roles, spare=frozenset())
    both = [by_guardian(name, "alice", acme=gone, since=NOW, at=LATER) for name in ("bob", "carol")]
    standing = Standing()
    for act in both:
        with pytest.raises(errors.KeyUnknownError):
            stand(standing, act, gone.policy.policy, at=LATER)
        standing = stand(standing, act, gone.policy.policy, at=LATER, earlier=[POLICY])
    revoked = standing.revoked[ALICE]
    assert read_revoked(revoked.envelopes, [LOSING.policy, gone.policy], closed=True) == revoked
    assert owner_of(ALICE, [POLICY, gone.policy.policy]) == "alice"


MAKERS: dict[str, tuple[Sequence[Envelope], Sequence[SignedPolicy], str]] = {
    "one guardian alone": ([guards("bob", 10).envelope], [LOSING.policy], "revocation.signer"),
    "the owner with a guardian": (
        [owns(10).envelope, guards("bob", 10).envelope],
        [LOSING.policy],
        "revocation.signer",
    ),
    "two of the owner": ([owns(10).envelope, owns(9).envelope], [LOSING.policy], "statement.format"),
    "nobody": ([], [LOSING.policy], "statement.format"),
    "three": ([guards(g, 10).envelope for g in ("bob", "carol", "dan")], [LOSING.policy], "statement.format"),
    "of two keys": (
        [guards("bob", 10).envelope, guards("carol", 10, owner="erin").envelope],
        [LOSING.policy],
        "revocation.signer",
    ),
    "a suspension": ([suspends("bob", "alice").envelope], [LOSING.policy], "statement.format"),
    "under no policy that is there": ([owns(10).envelope], [], "statement.policy"),
    "under another policy": (
        [owns(10).envelope],
        [changed(LOSING, clock_skew=MINUTE).policy],
        "statement.policy",
    ),
    "under two policies": (
        [
            guards("bob", 10).envelope,
            by_guardian("carol", "alice", acme=changed(LOSING, clock_skew=MINUTE)).envelope,
        ],
        [LOSING.policy],
        "statement.policy",
    ),
    "of another organisation": (
        [owns(10).envelope],
        [changed(LOSING, name="other.example").policy],
        "statement.organisation",
    ),
    "of another log": (
        [owns(10).envelope],
        [changed(LOSING, origin="log.other.example").policy],
        "statement.log",
    ),
    "with a signature that nobody made": (
        [replace(owns(10).envelope, signature=b"\0" * 64)],
        [LOSING.policy],
        "statement.signature",
    ),
}


@pytest.mark.parametrize(("envelopes", "policies", "code"), MAKERS.values(), ids=MAKERS)
def test_envelopes_that_make_no_revocation_are_refused(
    envelopes: Sequence[Envelope], policies: Sequence[SignedPolicy], code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        read_revoked(envelopes, policies, closed=True)
    assert refused.value.code == code


def test_only_people_in_a_role_that_guards_are_guardians() -> None:
    machine = changed(LOSING, machines=frozenset({"ci", "dan"})).policy.policy
    who = ("bob", "carol", "dan", "alice", "nobody")
    assert [is_guardian(machine, name) for name in who] == [True, True, False, False, False]
