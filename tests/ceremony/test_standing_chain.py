# SPDX-License-Identifier: Apache-2.0
"""The chain of entries that belong to no ceremony, and what they mean for the open ceremonies."""

from dataclasses import replace

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Begin, End
from quorumseal.ceremony.delegating import handed_on, live_for
from quorumseal.ceremony.entries import Entry, EntryType, policy_entry, write_entry
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy, write_policy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import StandingChain, replay_standing, stand_on
from quorumseal.ceremony.statements import StandingAct
from quorumseal.strict_json import InvalidFieldError, JsonValue
from tests.burning import BURNING, DAY, MINUTE, absence, delegation, withdrawal
from tests.organisation import NOW, ceremony_number

FOUNDED = policy_entry(BURNING.policy, at=NOW, seq=0, prev=None)
AWAY = BURNING.sign(absence("carol", until=NOW + DAY))
HANDED = BURNING.sign(delegation("alice", "engineering", "frank"))
BACK = BURNING.sign(withdrawal("alice", "engineering"))


def run(*acts: Signed[StandingAct]) -> tuple[StandingChain, list[Entry]]:
    chain, entries = replay_standing([FOUNDED.payload]), [FOUNDED]
    for minute, act in enumerate(acts, start=1):
        chain, entry = stand_on(chain, act, at=NOW + minute * MINUTE)
        entries.append(entry)
    return chain, entries


def replayed(entries: list[Entry]) -> StandingChain:
    return replay_standing(entry.payload for entry in entries)


def test_what_stands_is_what_the_entries_amount_to() -> None:
    chain, entries = run(AWAY, HANDED, BACK)
    assert replayed(entries) == chain
    assert [entry.type for entry in entries] == ["policy", "absent", "delegated", "withdrawn"]
    assert chain.statements == {AWAY.digest: 1, HANDED.digest: 2, BACK.digest: 3}
    assert chain.standing.away("carol", at=NOW + MINUTE)
    assert not chain.standing.delegations


def _later_policy(version: int) -> SignedPolicy:
    first = BURNING.policy
    payload = write_policy(replace(first.policy, version=version, previous=first.digest))
    return adopted_policy(payload, (ceremony_number(1), ceremony_number(2)))


def _second_policy() -> SignedPolicy:
    return _later_policy(version=2)


def test_a_policy_follows_the_one_before_and_acts_are_under_the_newest() -> None:
    chain, entries = run(AWAY)
    second = policy_entry(_second_policy(), at=chain.last_at, seq=2, prev=chain.hashes[-1])
    longer = replayed([*entries, second])
    assert [policy.policy.version for policy in longer.policies] == [1, 2]
    under_the_first = write_entry(
        EntryType.DELEGATED,
        {"envelope": HANDED.envelope.to_json()},
        at=longer.last_at,
        ceremony=None,
        seq=3,
        prev=longer.hashes[-1],
    )
    with pytest.raises(errors.OtherPolicyError):
        replayed([*entries, second, under_the_first])


def test_the_first_policy_is_founded_and_a_later_one_is_not() -> None:
    chain, entries = run()
    first = policy_entry(_second_policy(), at=NOW, seq=0, prev=None)
    with pytest.raises(errors.ChainBrokenError, match="signed by its founders, got a later one"):
        replayed([first])
    founded = BURNING.sign_policy(replace(BURNING.policy.policy, version=2, previous=BURNING.policy.digest))
    again = policy_entry(founded, at=NOW, seq=1, prev=chain.hashes[-1])
    with pytest.raises(errors.ChainBrokenError, match="that ceremonies approved, got one signed by founders"):
        replayed([*entries, again])


def test_a_later_policy_names_its_change_and_its_acceptance() -> None:
    chain, entries = run()
    whole = policy_entry(_second_policy(), at=NOW, seq=1, prev=chain.hashes[-1])
    body: dict[str, JsonValue] = {**whole.body, "ceremonies": [ceremony_number(1)]}
    alone = write_entry(EntryType.POLICY, body, at=NOW, ceremony=None, seq=1, prev=chain.hashes[-1])
    assert len(replayed([*entries, whole]).policies) == 2
    with pytest.raises(InvalidFieldError, match="a change and its acceptance"):
        replayed([*entries, alone])


def _entry(kind: EntryType, act: Signed[StandingAct], chain: StandingChain) -> Entry:
    body = {"envelope": act.envelope.to_json()}
    at, seq, prev = chain.last_at, len(chain.hashes), chain.hashes[-1]
    return write_entry(kind, body, at=at, ceremony=None, seq=seq, prev=prev)


def test_any_other_tale_is_refused() -> None:
    chain, entries = run(AWAY, HANDED)
    founded, away, handed = entries
    gap = policy_entry(
        _later_policy(version=3),
        at=chain.last_at,
        seq=3,
        prev=chain.hashes[-1],
    )
    opening = open_chain(BURNING.policy, BURNING.sign_request(), at=NOW)[1]
    tales: dict[str, list[Entry]] = {
        "nothing": [],
        "no policy first": [away],
        "one left out": [founded, handed],
        "two exchanged": [founded, handed, away],
        "one twice": [founded, away, away],
        "the same act in two entries": [founded, away, _entry(EntryType.ABSENT, AWAY, run(AWAY)[0])],
        "an entry of a ceremony": [founded, opening],
        "an act under another type": [founded, _entry(EntryType.DELEGATED, AWAY, run()[0])],
        "a policy too far on": [*entries, gap],
        "a request under the type of an act": [
            founded,
            _entry(EntryType.ABSENT, BURNING.sign_request(), run()[0]),  # type: ignore[arg-type] # on purpose
        ],
    }
    for tale in tales.values():
        with pytest.raises(errors.ChainBrokenError):
            replayed(tale)


def test_time_does_not_run_back() -> None:
    chain, entries = run(AWAY)
    early = write_entry(
        EntryType.DELEGATED,
        {"envelope": HANDED.envelope.to_json()},
        at=NOW,
        ceremony=None,
        seq=2,
        prev=chain.hashes[-1],
    )
    with pytest.raises(errors.ChainTimeError):
        replayed([*entries, early])


def test_a_delegation_is_handed_on_to_the_open_ceremonies_that_it_touches() -> None:
    chain, _ = BURNING.run()
    ceremony = chain.ceremony
    assert handed_on(ceremony, HANDED) == Begin(HANDED)
    assert handed_on(ceremony, AWAY) is None
    assert handed_on(ceremony, BACK) is None, "nothing of theirs was handed on there"
    longer, _ = extend(chain, Begin(HANDED), at=NOW)
    assert handed_on(longer.ceremony, BACK) == End(BACK)
    of_rita = BURNING.sign_request(BURNING.request(requester="rita"))
    theirs, _ = open_chain(BURNING.policy, of_rita, at=NOW)
    by_rita = BURNING.sign(delegation("rita", "release", "frank"))
    assert (handed_on(ceremony, by_rita), handed_on(theirs.ceremony, by_rita)) == (Begin(by_rita), None)


def test_an_opening_holds_the_live_delegations_that_touch_it() -> None:
    request = BURNING.request()
    live = run(HANDED)[0].standing.live(at=NOW)
    assert live_for(request, BURNING.policy.policy, live) == live
    assert live_for(replace(request, on_behalf_of="frank"), BURNING.policy.policy, live) == ()
    chain, _ = open_chain(BURNING.policy, BURNING.sign_request(request), at=NOW, delegations=live)
    assert [*chain.ceremony.delegations] == [("alice", "engineering")]


def test_an_absence_has_an_end() -> None:
    chain, _ = run(AWAY)
    assert not chain.standing.away("carol", at=NOW + DAY)
