# SPDX-License-Identifier: Apache-2.0
"""What a coordinator's rules forbid, and what they demand, is found in its log though every chain holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.audit import replaying
from quorumseal.audit.examining import examine
from quorumseal.audit.log_copy import LogCopy, cut
from quorumseal.audit.replaying import Replay
from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.changing import policy_adopted_by
from quorumseal.ceremony.commands import Begin, Cancel, Command, Narrow, Record, Revoke, Supersede
from quorumseal.ceremony.entries import Entry, EntryType, policy_entry, write_entry
from quorumseal.ceremony.falling import handed_on
from quorumseal.ceremony.narrowing import narrowing
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.recovery import Extent, Recovery
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import StandingChain, adopt, recover, replay_standing, stand_on
from quorumseal.ceremony.statements import Request, StandingAct, Subject
from quorumseal.tlog import Checkpoint, Frontier, leaf_hash, sign_checkpoint
from tests.audit.copying import trust_in
from tests.burning import (
    BURNING,
    delegation,
    emergency_request,
    ratification,
    reapproval,
    revocation,
    run_emergency,
)
from tests.changing import Side, both_sides, decided, next_version, policy_request
from tests.losing import LOSING, by_owner
from tests.organisation import NOW, Organisation

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ACME = Organisation()
TWO = next_version(ACME, clock_skew=timedelta(minutes=4))


def founding(acme: Organisation = ACME) -> Entry:
    return policy_entry(acme.policy, at=NOW - DAY, seq=0, prev=None)


def replayed(*entries: Entry | bytes, acme: Organisation = ACME) -> Replay:
    replay = Replay(trust_in(acme))
    for index, entry in enumerate(entries):
        replay.take(index, entry if isinstance(entry, bytes) else entry.payload)
    replay.finish()
    return replay


def codes(*entries: Entry | bytes, acme: Organisation = ACME) -> list[str]:
    return [defect.refusal.code for defect in replayed(*entries, acme=acme).defects]


def opened(request: Request | None = None, acme: Organisation = ACME) -> tuple[Chain, Entry]:
    signed = acme.sign_request(request or acme.request())
    return open_chain(acme.policy, signed, at=signed.statement.opened_at)


def went_on(chain: Chain, *commands: Command) -> tuple[Chain, list[Entry]]:
    entries: list[Entry] = []
    for number, command in enumerate(commands, start=1):
        chain, more = extend(chain, command, at=chain.last_at + number * MINUTE)
        entries += more
    return chain, entries


def approval(chain: Chain, signer: str, acme: Organisation = ACME) -> Record:
    at = chain.last_at
    return Record(acme.sign_decision(acme.decision(signer, chain.ceremony.request, at=at)))


def approved(acme: Organisation = ACME, **fields: object) -> tuple[Chain, list[Entry]]:
    chain, first = opened(acme.request(**fields), acme)  # type: ignore[arg-type] # the caller's
    chain, more = went_on(
        chain, *(approval(chain, signer, acme) for signer in ("alice", "bob", "carol", "rita"))
    )
    return chain, [first, *more]


def forged(entry: Entry, kind: EntryType, **body: object) -> Entry:
    """Return an entry in the place of another."""
    return write_entry(
        kind,
        {**entry.body, **body} if body else {},  # type: ignore[dict-item] # the caller's
        at=entry.at,
        ceremony=entry.ceremony,
        seq=entry.seq,
        prev=entry.prev,
    )


def test_what_the_rules_make_is_accepted() -> None:
    chain, entries = approved()
    replay = replayed(founding(), *entries)
    assert (replay.defects, [each.id for each in replay.audited()]) == ([], [chain.id])


def test_a_log_begins_with_the_pinned_policy() -> None:
    assert codes() == ["chain.broken"]
    assert codes(opened()[1]) == ["chain.broken", "chain.broken"]
    assert codes(founding(BURNING)) == ["policy_chain.broken"]


def test_time_goes_on_across_ceremonies() -> None:
    later = opened(ACME.request(at=NOW + MINUTE))[1]
    earlier = opened(ACME.request(number=2, version="2.0"))[1]
    assert codes(founding(), later, earlier) == ["chain.time"]


def test_a_ceremony_begins_with_a_request() -> None:
    chain, first = opened()
    _, (decision, *_) = went_on(chain, approval(chain, "alice"))
    assert codes(founding(), decision) == ["chain.broken"]
    assert codes(founding(), forged(first, EntryType.OPENED, envelope=decision.body["envelope"])) == [
        "chain.broken"
    ]


def test_after_its_first_defect_a_ceremony_is_left_and_its_neighbours_go_on() -> None:
    chain, entries = approved()
    other, others = approved(number=2, version="2.0", at=NOW + DAY)
    replay = replayed(founding(), entries[0], *entries[2:], *others)
    assert [defect.ceremony for defect in replay.defects] == [chain.id]
    assert [each.id for each in replay.audited()] == [other.id]


def test_what_a_decision_makes_due_must_follow() -> None:
    _, entries = approved()
    assert codes(founding(), *entries[:-1]) == ["audit.entry_missing"]
    assert codes(founding(), *entries[:-1], forged(entries[-1], EntryType.REJECTED)) == [
        "audit.entry_unexpected"
    ]


def test_nothing_happens_twice_and_nothing_out_of_nothing() -> None:
    chain, first = opened()
    early = write_entry(
        EntryType.EXPIRED, {}, at=NOW + MINUTE, ceremony=chain.id, seq=1, prev=chain.hashes[-1]
    )
    assert codes(founding(), first, early) == ["ceremony.not_due"]
    longer, (decision,) = went_on(chain, approval(chain, "alice"))
    again = write_entry(
        EntryType.DECIDED, decision.body, at=decision.at, ceremony=chain.id, seq=2, prev=longer.hashes[-1]
    )
    assert codes(founding(), first, decision, again) == ["chain.broken"]


def test_one_request_opens_one_ceremony() -> None:
    first, same = opened()[1], opened(ACME.request(number=2))[1]
    assert codes(founding(), first, same) == ["request.ceremony_exists"]


def test_other_bytes_supersede_what_was_open() -> None:
    chain, first = opened()
    bytes_ = (Subject(name="widget.tar.gz", digest="sha256:" + "7" * 64),)
    again = ACME.request(number=2, subjects=bytes_, supersedes=chain.ceremony.request.digest)
    successor, opening = opened(again)
    _, (ended,) = went_on(chain, Supersede(successor.ceremony.request.digest))
    at = replace(again, context=replace(again.context, signed_at=ended.at))
    assert codes(founding(), first, opening) == ["audit.entry_missing"]
    later = opened(replace(at, deadline=ended.at + DAY, hard_stop=ended.at + DAY))[1]
    assert codes(founding(), first, ended, later) == []
    assert codes(founding(), first, opened(ACME.request(number=2, subjects=bytes_))[1]) == [
        "request.open_exists"
    ]


def test_nobody_asks_under_a_policy_that_does_not_hold() -> None:
    assert codes(founding(), opened(acme=TWO)[1]) == ["audit.policy_not_in_force"]
    _, acceptance = both_sides(ACME, TWO)
    assert codes(founding(), *acceptance.entries)[:1] == ["audit.policy_not_in_force"]


def standing(acme: Organisation = ACME) -> StandingChain:
    return replay_standing([founding(acme).payload])


def test_a_policy_follows_from_its_two_ceremonies_and_from_nothing_else() -> None:
    change, acceptance = both_sides(ACME, TWO)
    entries = in_order(change, acceptance)
    _, entry = adopt(standing(), adopted(change, acceptance), acceptance.chain.last_at)
    assert codes(founding(), *entries, entry) == []
    assert codes(founding(), *entries) == ["audit.entry_missing"]
    assert codes(founding(), entry) == ["audit.entry_unexpected"]
    assert codes(founding(), *change.entries) == []


def in_order(*sides: Side) -> list[Entry]:
    return sorted((entry for side in sides for entry in side.entries), key=lambda entry: entry.at)


def adopted(change: Side, acceptance: Side):  # type: ignore[no-untyped-def]

    policy = policy_adopted_by(change.chain.ceremony, acceptance.chain.ceremony)
    assert policy is not None
    return policy


def test_an_open_ceremony_hears_what_a_policy_takes_from_it() -> None:
    three = next_version(ACME, roles={**ACME.roles, "engineering": ("alice", "bob", "zoe")})
    waiting, first = opened(ACME.request(number=7, version="7.0"))
    change, acceptance = both_sides(ACME, three)
    policy = adopted(change, acceptance)
    _, entry = adopt(standing(), policy, acceptance.chain.last_at)
    taken = narrowing(ACME.policy.policy, policy)
    assert taken is not None
    _, narrowed = extend(waiting, Narrow(taken), at=acceptance.chain.last_at)
    log = [founding(), first, *in_order(change, acceptance), entry]
    assert codes(*log, *narrowed) == []
    assert codes(*log) == ["audit.entry_missing"]


def test_another_proposal_ends_with_the_adoption() -> None:
    other = next_version(ACME, clock_skew=timedelta(minutes=3))
    people = ["alice", "carol"]
    change = decided(Kind.POLICY_CHANGE, ACME, TWO, people, number=100)
    request = policy_request(
        Kind.POLICY_CHANGE, ACME, other, number=300, requester="alice", at=NOW + 5 * MINUTE
    )
    signed = ACME.sign_request(replace(request, supersedes=change.chain.ceremony.request.digest))
    rival, opening = open_chain(ACME.policy, signed, at=NOW + 5 * MINUTE, proposed=other.policy.payload)
    acceptance = decided(Kind.POLICY_ACCEPTANCE, TWO, TWO, people, number=101, at=NOW + 10 * MINUTE)
    at = acceptance.chain.last_at
    _, entry = adopt(standing(), adopted(change, acceptance), at)
    _, ended = extend(rival, Supersede(change.chain.ceremony.request.digest), at=at)
    log = [founding(), *change.entries, opening, *acceptance.entries, entry]
    assert codes(*log, *ended) == []
    assert codes(*log) == ["audit.entry_missing"]


def stood(act: Signed[StandingAct], at_minutes: int, acme: Organisation) -> tuple[StandingChain, Entry]:
    return stand_on(standing(acme), act, at=NOW + at_minutes * MINUTE)


def test_a_standing_act_reaches_every_open_ceremony_that_it_touches() -> None:
    chain, first = opened(acme=BURNING)
    act = BURNING.sign(delegation("alice", "engineering", "frank"))
    _, entry = stood(act, 1, BURNING)
    _, handed = extend(chain, Begin(act), at=NOW + MINUTE)
    assert codes(founding(BURNING), first, entry, *handed, acme=BURNING) == []
    assert codes(founding(BURNING), first, entry, acme=BURNING) == ["audit.entry_missing"]
    assert codes(founding(BURNING), entry, first, acme=BURNING)[0] in ("chain.time", "audit.entry_unexpected")


def test_an_act_that_a_ceremony_has_no_room_for_is_not_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(acme=BURNING)[1]
    _, entry = stood(BURNING.sign(delegation("alice", "engineering", "frank")), 1, BURNING)

    def full(*_: object, **__: object) -> tuple[Chain, tuple[Entry, ...]]:
        raise errors.CeremonyFullError("expected room, got none")

    monkeypatch.setattr(replaying, "extend", full)
    assert codes(founding(BURNING), first, entry, acme=BURNING) == []


def test_an_act_comes_too_late_for_what_time_has_ended() -> None:
    first = opened(acme=BURNING)[1]
    act = BURNING.sign(delegation("alice", "engineering", "frank", until=NOW + 9 * DAY))
    _, entry = stand_on(standing(BURNING), act, at=NOW + 2 * DAY)
    assert codes(founding(BURNING), first, entry, acme=BURNING) == []


def test_an_opening_holds_what_is_in_force() -> None:
    act = by_owner("alice", since=NOW)
    after, entry = stand_on(standing(LOSING), act, at=NOW)
    request = LOSING.sign_request()
    revoked = tuple(after.standing.revoked.values())
    honest = open_chain(LOSING.policy, request, at=NOW, revoked=revoked)[1]
    hiding = open_chain(LOSING.policy, request, at=NOW)[1]
    assert codes(founding(LOSING), entry, honest, acme=LOSING) == []
    assert codes(founding(LOSING), entry, hiding, acme=LOSING) == ["audit.entry_unexpected"]


def test_a_revocation_reaches_open_ceremonies_as_the_rules_hand_it_on() -> None:
    chain, first = opened(acme=LOSING)
    act = by_owner("alice", since=NOW)
    after, entry = stand_on(standing(LOSING), act, at=NOW + MINUTE)
    command = handed_on(chain.ceremony, act, after.standing)
    assert isinstance(command, Revoke)
    _, reached = extend(chain, command, at=NOW + MINUTE)
    assert codes(founding(LOSING), first, entry, *reached, acme=LOSING) == []
    assert codes(founding(LOSING), first, entry, acme=LOSING) == ["audit.entry_missing"]


def test_emergencies_keep_their_limits_and_what_follows_them_names_this_log() -> None:
    chain, entries = run_emergency("alice", "carol")
    assert codes(founding(BURNING), *entries, acme=BURNING) == []
    second = emergency_request(number=9, version="9.0", at=entries[0].at + MINUTE)
    opening = opened(second, BURNING)[1]
    assert codes(founding(BURNING), entries[0], opening, acme=BURNING) == ["emergency.limit"]
    follows = ratification(chain, at=chain.last_at, number=8)
    assert codes(founding(BURNING), opened(follows, BURNING)[1], acme=BURNING) == ["chain.broken"]
    assert codes(founding(BURNING), *entries, opened(follows, BURNING)[1], acme=BURNING) == []


def test_a_cancelled_ceremony_makes_room() -> None:
    chain, first = opened()
    at = replace(chain, last_at=NOW)
    cancelled = Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", at)))
    _, ended = went_on(chain, cancelled)
    again = opened(ACME.request(number=2, at=NOW + 2 * MINUTE))[1]
    assert codes(founding(), first, *ended, again) == []


def test_bytes_that_are_no_entry_are_named_and_passed() -> None:
    _, entries = approved()
    assert codes(founding(), b"{}", *entries) == ["json.missing_field"]


def test_a_recovery_is_no_act_of_anybody_and_names_what_the_log_was() -> None:
    chain, (first, *rest) = approved()
    log = [founding().payload, first.payload]
    before, after = (Extent(size, "sha256:" + root_of(log[:size]).hex()) for size in (1, 2))

    def found(recovery: Recovery) -> list[str]:
        entry = recover(standing(), recovery, first.at)[1]
        entries = [*log, entry.payload, *(each.payload for each in rest)]
        examined = examine(copy_signed(entries), trust_in(ACME))
        return [defect.refusal.code for defect in examined.defects]

    true = Recovery(before=before, after=after, handed_back=("alice",))
    assert found(true) == []
    assert found(replace(true, before=replace(before, root=after.root))) == ["audit.other_history"]
    assert found(replace(true, after=replace(after, size=7))) == ["audit.other_history"]
    assert chain.id


def root_of(entries: list[bytes]) -> bytes:
    return Frontier().extend(map(leaf_hash, entries))[0].root()


def copy_signed(entries: list[bytes]) -> LogCopy:
    note = sign_checkpoint(Checkpoint(ACME.origin, len(entries), root_of(entries)), ACME.log_key)
    return LogCopy(entries=entries, checkpoint=note)


def test_a_release_is_taken_back_and_approved_anew_in_this_log_alone() -> None:
    chain, entries = approved(BURNING)
    taken = revocation(chain.ceremony.request.digest, number=20, at=NOW + DAY)
    anew = reapproval(chain, number=21)
    for request in (taken, anew):
        opening = opened(request, BURNING)[1]
        assert codes(founding(BURNING), *entries, opening, acme=BURNING) == []
    elsewhere = revocation("sha256:" + "0" * 64, number=22, at=NOW + DAY)
    assert codes(founding(BURNING), *entries, opened(elsewhere, BURNING)[1], acme=BURNING) == [
        "revocation.other"
    ]


def test_a_checkpoint_that_the_log_did_not_sign_covers_nothing() -> None:
    forged_note = replace(copy_signed([founding().payload]), checkpoint=b"nothing")
    assert [each.refusal.code for each in examine(forged_note, trust_in(ACME)).defects] == [
        "log.note_malformed"
    ]


def test_what_lies_before_a_period_is_not_compared() -> None:
    _, (first, *rest) = approved()
    log = [founding().payload, first.payload]
    extents = [Extent(size, "sha256:" + "0" * 64) for size in (1, 2)]
    recovery = Recovery(before=extents[0], after=extents[1], handed_back=("alice",))
    entry = recover(standing(), recovery, first.at)[1]
    whole = copy_signed([*log, entry.payload, *(each.payload for each in rest)])
    assert examine(cut(whole, 4, range(4)), trust_in(ACME)).defects == ()
