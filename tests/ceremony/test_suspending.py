# SPDX-License-Identifier: Apache-2.0
"""Two guardians suspend somebody else, for thirty days at most; it ends by its date alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import StandingAct, Suspension
from quorumseal.ceremony.suspending import read_suspended
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from tests.burning import DAY, absence
from tests.losing import LOSING, by_guardian, suspends, suspension
from tests.organisation import NOW, changed

POLICY = LOSING.policy.policy


def after(*acts: Signed[StandingAct], at: datetime = NOW, begin: Standing | None = None) -> Standing:
    standing = begin or Standing()
    for act in acts:
        standing = stand(standing, act, POLICY, at=at)
    return standing


def out(guardian: str, days: int, *, number: int = 1, person: str = "alice") -> Signed[Suspension]:
    return suspends(guardian, person, until=NOW + days * DAY, number=number)


def days(standing: Standing, person: str = "alice") -> int:
    return (standing.suspended[person].until - NOW).days if person in standing.suspended else 0


COURSES: dict[str, tuple[Sequence[Signed[Suspension]], int]] = {
    "one guardian waits": ([out("bob", 5)], 0),
    "two, until the end that both said": ([out("bob", 5), out("carol", 3)], 3),
    "in either order": ([out("carol", 3), out("bob", 5)], 3),
    "the one who said earlier follows": ([out("bob", 5), out("carol", 3), out("carol", 5, number=2)], 5),
    "a third who says later changes nothing alone": ([out("bob", 3), out("carol", 3), out("dan", 9)], 3),
    "and with another it does": (
        [out("bob", 3), out("carol", 3), out("dan", 9), out("bob", 7, number=2)],
        7,
    ),
}


@pytest.mark.parametrize(
    ("guardians", "says"),
    [
        ({"security"}, "ask two of: bob, carol, dan"),
        ({"release"}, r"`quorumseal policy edit` \(who guards besides alice: rita\)"),
        (set(), r"`quorumseal policy edit` \(who guards besides alice: nobody\)"),
    ],
)
def test_whoever_may_not_suspend_is_told_whom_to_ask_or_how_somebody_comes_to_guard(
    guardians: set[str], says: str
) -> None:
    roles = {**LOSING.roles, "release": ("rita", "alice")}
    acme = changed(LOSING, roles=roles, guardians=frozenset(guardians), emergency=None)
    act = acme.sign(replace(suspension("erin", "alice"), context=acme.context("erin")))
    with pytest.raises(errors.SuspensionSignerError) as refused:
        stand(Standing(), act, acme.policy.policy, at=NOW)
    assert re.search(says, refused.value.hint)


@pytest.mark.parametrize(("acts", "expected"), COURSES.values(), ids=COURSES)
def test_a_suspension_lasts_until_what_two_guardians_said(
    acts: Sequence[Signed[Suspension]], expected: int
) -> None:
    standing = after(*acts)
    assert days(standing) == expected
    if expected:
        end = NOW + expected * DAY
        assert standing.is_suspended("alice", at=end - timedelta(milliseconds=1))
        assert not standing.is_suspended("alice", at=end)
        suspended = standing.suspended["alice"]
        assert read_suspended(suspended.envelopes, [LOSING.policy]) == suspended
    assert not standing.is_suspended("bob", at=NOW)


REFUSED: dict[str, tuple[Sequence[Signed[StandingAct]], type[Refusal]]] = {
    "by the person": ([out("bob", 5, person="bob")], errors.SuspensionSignerError),
    "by somebody who does not guard": ([out("erin", 5)], errors.SuspensionSignerError),
    "of nobody": ([out("bob", 5, person="nobody")], errors.UnknownSignerError),
    "an end that has passed": ([out("bob", 0)], errors.StandingTimeError),
    "an end too far ahead": ([out("bob", 31)], errors.StandingTimeError),
    "an earlier end": (
        [out("bob", 5), out("carol", 5), out("carol", 4, number=2)],
        errors.SuspensionShorterError,
    ),
    "the end that it has": ([out("bob", 5), out("carol", 5), out("dan", 5)], errors.SuspensionShorterError),
    "what one waits for, ended earlier": (
        [out("bob", 5), out("bob", 4, number=2)],
        errors.SuspensionShorterError,
    ),
    "anything by somebody who is suspended": (
        [
            out("bob", 5, person="carol"),
            out("dan", 5, person="carol"),
            LOSING.sign(absence("carol", acme=LOSING, until=NOW + DAY)),
        ],
        errors.SignerSuspendedError,
    ),
}


@pytest.mark.parametrize(("acts", "refusal"), REFUSED.values(), ids=REFUSED)
def test_a_suspension_that_may_not_be_is_refused_and_nothing_changed(
    acts: Sequence[Signed[StandingAct]], refusal: type[Refusal]
) -> None:
    standing = after(*acts[:-1])
    with pytest.raises(refusal) as refused:
        after(acts[-1], begin=standing)
    assert refused.value.hint
    assert standing == after(*acts[:-1])


def test_what_one_guardian_said_of_a_time_that_is_over_suspends_nobody_later() -> None:
    standing = after(out("bob", 5), out("carol", 5))
    again = suspends("dan", "alice", until=NOW + 20 * DAY, at=NOW + 10 * DAY)
    standing = after(again, begin=standing, at=NOW + 10 * DAY)
    assert not standing.is_suspended("alice", at=NOW + 10 * DAY)
    second = suspends("bob", "alice", until=NOW + 15 * DAY, at=NOW + 10 * DAY, number=2)
    standing = after(second, begin=standing, at=NOW + 10 * DAY)
    assert days(standing) == 15


def test_thirty_days_are_the_longest() -> None:
    assert days(after(out("bob", 30), out("carol", 30))) == 30


MAKERS: dict[str, tuple[Sequence[Envelope], str]] = {
    "one guardian": ([out("bob", 5).envelope], "suspension.signer"),
    "of two people": ([out("bob", 5).envelope, out("carol", 5, person="erin").envelope], "suspension.signer"),
    "by somebody who does not guard": (
        [out("bob", 5).envelope, out("erin", 5).envelope],
        "suspension.signer",
    ),
    "a revocation": ([by_guardian("bob", "alice").envelope, out("carol", 5).envelope], "statement.format"),
}


@pytest.mark.parametrize(("envelopes", "code"), MAKERS.values(), ids=MAKERS)
def test_envelopes_that_make_no_suspension_are_refused(envelopes: Sequence[Envelope], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_suspended(envelopes, [LOSING.policy])
    assert refused.value.code == code


def test_one_under_another_policy_is_taken_at_the_logs_word() -> None:
    other = changed(LOSING, clock_skew=timedelta(minutes=1))
    envelopes = [other.seal(suspension(name, "alice", acme=other)) for name in ("bob", "carol")]
    unsigned = [replace(envelope, signature=b"") for envelope in envelopes]
    assert read_suspended(unsigned, [LOSING.policy]).person == "alice"
    with pytest.raises(errors.StatementSignatureError):
        read_suspended(unsigned, [other.policy])
