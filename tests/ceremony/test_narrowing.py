# SPDX-License-Identifier: Apache-2.0
"""A member, a deputy or a key is removed by a later policy while a ceremony is open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, replay_chain
from quorumseal.ceremony.commands import Begin, Cancel, Narrow, Record
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.narrowing import Narrowing, narrowing
from tests.burning import BURNING, delegation
from tests.changing import next_version
from tests.organisation import NOW, ROLES, Organisation

MINUTE = timedelta(minutes=1)
ACME = Organisation()


def without(organisation: Organisation, role: str, person: str) -> Narrowing:
    """Return what a version takes away in which a person is no longer in a role."""
    roles = {
        r: tuple(p for p in people if (r, p) != (role, person)) for r, people in organisation.roles.items()
    }
    taken = narrowing(organisation.policy.policy, next_version(organisation, roles=roles).policy)
    assert taken is not None
    return taken


ERIN = without(ACME, "engineering", "erin")
BOB = without(ACME, "security", "bob")


def narrowed(chain: Chain, taken: Narrowing, minute: int) -> tuple[Chain, Entry]:
    chain, entries = extend(chain, Narrow(taken), at=NOW + minute * MINUTE)
    (entry,) = entries
    return chain, entry


def decide(chain: Chain, signer: str, minute: int, **fields: object) -> Chain:
    at = NOW + minute * MINUTE
    decision = ACME.decision(signer, chain.ceremony.request, at=at, **fields)  # type: ignore[arg-type] # the caller's
    return extend(chain, Record(ACME.sign_decision(decision)), at=at)[0]


def test_what_a_version_takes_away_is_read_off_both() -> None:
    erin = ACME.policy.policy.signers["erin"].keys[0].key.key_id
    assert replace(ERIN, policy=BOB.policy) == Narrowing(
        policy=BOB.policy, keys=frozenset({erin}), members=frozenset({("engineering", "erin")})
    )
    assert BOB.members == {("security", "bob")}
    assert not BOB.keys
    assert narrowing(ACME.policy.policy, next_version(ACME).policy) is None
    more = next_version(ACME, roles={**ROLES, "engineering": ("alice", "bob", "erin", "zoe")})
    assert narrowing(ACME.policy.policy, more.policy) is None


def test_a_key_that_was_removed_hands_in_nothing_any_more() -> None:
    chain, _ = narrowed(ACME.run()[0], ERIN, 1)
    with pytest.raises(errors.RemovedSinceError, match="expected a key that policy version 2 still lists"):
        decide(chain, "erin", 2)
    assert decide(chain, "alice", 2).ceremony.decisions.keys() == {"alice"}


def test_a_member_who_was_removed_from_one_role_decides_in_the_other() -> None:
    chain, _ = narrowed(ACME.run()[0], BOB, 1)
    with pytest.raises(errors.RemovedSinceError, match="expected a member of security"):
        decide(chain, "bob", 2)
    longer = decide(chain, "bob", 2, roles=["engineering"])
    assert longer.ceremony.consents(at=NOW + 3 * MINUTE) == {"bob": {"engineering"}}


def test_what_was_logged_before_counts_and_nobody_waits_for_who_was_removed() -> None:
    before, _ = ACME.run("erin")
    chain, _ = narrowed(before, ERIN, 2)
    for minute, signer in enumerate(("alice", "carol", "rita"), start=3):
        awaited = {person for need in chain.ceremony.needs for person in need.members}
        assert "erin" in awaited
        chain = decide(chain, signer, minute)
    assert chain.ceremony.state is State.APPROVED
    later, _ = narrowed(ACME.run()[0], ERIN, 1)
    assert all("erin" not in need.members for need in later.ceremony.needs)


def test_the_entry_replays_once_and_in_order() -> None:
    chain, entries = ACME.run("alice")
    chain, entry = narrowed(chain, ERIN, 2)
    assert entry.type is EntryType.NARROWED
    payloads = [each.payload for each in (*entries, entry)]
    assert replay_chain(payloads, ACME.policy) == chain
    for version in (1, 2):
        stale = replace(BOB, policy=replace(BOB.policy, version=version))
        with pytest.raises(errors.NarrowedBeforeError):
            narrowed(chain, stale, 3)
    third = replace(BOB, policy=replace(BOB.policy, version=3))
    longer, entry = narrowed(chain, third, 3)
    assert replay_chain([*payloads, entry.payload], ACME.policy) == longer
    assert sorted(longer.ceremony.narrowed) == [2, 3]


def test_what_has_ended_is_not_narrowed() -> None:
    chain, _ = ACME.run("alice", "erin", "carol", "rita")
    with pytest.raises(errors.IllegalTransitionError):
        narrowed(chain, BOB, 9)


def test_an_act_with_a_removed_key_is_refused_too() -> None:
    request = ACME.sign_request(ACME.request(requester="rita"))
    chain, _ = narrowed(ACME.run(request=request)[0], _gone("mallory"), 1)
    cancellation = ACME.sign_cancellation(ACME.cancellation("mallory", chain, at=NOW + 2 * MINUTE))
    with pytest.raises(errors.RemovedSinceError):
        extend(chain, Cancel(cancellation), at=NOW + 2 * MINUTE)


def _gone(person: str) -> Narrowing:
    roles = {role: tuple(p for p in people if p != person) for role, people in ROLES.items()}
    taken = narrowing(ACME.policy.policy, next_version(ACME, roles=roles).policy)
    assert taken is not None
    return taken


@pytest.mark.parametrize("gone", ["alice", "frank"])
def test_a_delegation_ends_with_the_member_or_the_deputy(gone: str) -> None:
    handed = BURNING.sign(delegation("alice", "engineering", "frank"))
    chain, _ = extend(BURNING.run()[0], Begin(handed), at=NOW + MINUTE)
    assert chain.ceremony.delegations
    taken = frozenset({("engineering", gone)})
    as_member = gone == "alice"
    chain, _ = narrowed(
        chain,
        Narrowing(
            policy=BOB.policy,
            members=taken if as_member else frozenset(),
            deputies=frozenset() if as_member else taken,
        ),
        2,
    )
    assert not chain.ceremony.delegations


def test_deputies_that_are_no_longer_listed_are_taken_away() -> None:
    fewer = next_version(BURNING, deputies={})
    taken = narrowing(BURNING.policy.policy, fewer.policy)
    assert taken is not None
    assert ("engineering", "frank") in taken.deputies
