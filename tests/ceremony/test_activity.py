# SPDX-License-Identifier: Apache-2.0
"""Who is missed, what ages: each finding has its table, and nobody is judged by one ceremony alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.activity import Attended, report
from quorumseal.ceremony.policy import Policy, Role, SignerKind
from quorumseal.terminal import Mark
from tests.organisation import NOW, Organisation

DAY = timedelta(days=1)


def calm(**changes: object) -> Policy:
    """Return a policy about which there is nothing to ask."""
    policy = Organisation().policy.policy
    signers = {
        name: replace(
            each,
            keys=tuple(replace(key, valid_from=NOW - DAY, valid_until=NOW + 900 * DAY) for key in each.keys),
        )
        for name, each in policy.signers.items()
    }
    return replace(policy, signers=signers, expires=NOW + 900 * DAY, **changes)  # type: ignore[arg-type]


def found(policy: Policy, attended: Sequence[Attended] = (), last: int = 3) -> list[tuple[str, Mark]]:
    return [(each.about, each.mark) for each in report(policy, attended, at=NOW, last=last)]


def ceremonies(*deciders: str, able: str = "alice bob") -> list[Attended]:
    """Return ceremonies, newest first, a day apart, in each of which some of those who could decided."""
    return [
        Attended(
            opened_at=NOW - days * DAY,
            able=frozenset(able.split()),
            decided=dict.fromkeys(names.split(), NOW - days * DAY),
        )
        for days, names in enumerate(deciders, start=1)
    ]


def test_about_a_calm_policy_there_is_nothing_to_ask() -> None:
    assert found(calm()) == []


@pytest.mark.parametrize(
    ("attended", "inactive"),
    [
        ([], []),
        (ceremonies("alice bob"), []),
        (ceremonies("alice", "alice", "bob"), []),
        (ceremonies("alice", "alice", "alice", "bob"), ["bob"]),
        (ceremonies("alice"), ["bob"]),
        (ceremonies("alice", able="alice"), []),
        (ceremonies("", "", ""), ["alice", "bob"]),
        (ceremonies("", able="ci"), []),
    ],
    ids=[
        "no ceremony",
        "both decided",
        "one just so",
        "long ago",
        "the first ceremony",
        "could not have",
        "nobody at all",
        "a machine",
    ],
)
def test_inactive_is_who_decided_in_none_of_the_last_that_they_could(
    attended: list[Attended], inactive: list[str]
) -> None:
    assert found(calm(), attended) == [(name, Mark.WARNING) for name in inactive]


def test_who_is_inactive_is_told_with_their_last_decision() -> None:
    (bob,) = report(calm(), ceremonies("alice", "alice", "alice", "bob"), at=NOW, last=3)
    assert "none of the last 3 ceremonies that they could decide in" in bob.text
    assert bob.text.endswith("last decision: 4 days ago")
    (bob,) = report(calm(), ceremonies("alice"), at=NOW, last=3)
    assert "none of the last ceremony that they could decide in" in bob.text
    assert bob.text.endswith("last decision: never, as far as was looked")


@pytest.mark.parametrize(
    ("begun", "ends", "about"),
    [
        (-364, 900, []),
        (-365, 900, [("key of alice", Mark.WARNING)]),
        (-1, 60, [("key of alice", Mark.WARNING)]),
        (-2, -1, [("key of alice", Mark.FAILED)]),
    ],
    ids=["young", "a year old", "ends soon", "ended"],
)
def test_old_keys_and_those_that_end_are_named_with_their_holder(
    begun: int, ends: int, about: list[tuple[str, Mark]]
) -> None:
    policy = calm()
    alice = policy.signers["alice"]
    key = replace(alice.keys[0], valid_from=NOW + begun * DAY, valid_until=NOW + ends * DAY)
    signers = {**policy.signers, "alice": replace(alice, keys=(key,))}
    assert found(replace(policy, signers=signers)) == about


def test_a_policy_that_ends_is_named() -> None:
    assert found(replace(calm(), expires=NOW + 9 * DAY)) == [("policy", Mark.WARNING)]


def test_a_role_of_which_nobody_may_be_missing_is_named() -> None:
    policy = calm()
    roles = {**policy.roles, "security": Role(name="security", members=frozenset({"carol"}))}
    assert found(replace(policy, roles=roles)) == [("role security", Mark.WARNING)]


def test_machines_among_people_and_people_named_like_groups_are_named() -> None:
    policy = calm()
    signers = {
        name: replace(each, kind=SignerKind.MACHINE if name == "dan" else SignerKind.PERSON)
        for name, each in policy.signers.items()
    }
    assert found(replace(policy, signers=signers)) == [
        ("role release", Mark.WARNING),
        ("role security", Mark.WARNING),
        ("ci", Mark.WARNING),
    ]
