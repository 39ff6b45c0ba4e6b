# SPDX-License-Identifier: Apache-2.0
"""Entries are exactly what the rules make of them; a chain that tells another tale is refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Cancel, Command, Expire, Record, Supersede
from quorumseal.ceremony.entries import Entry, EntryType, policy_entry, write_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice
from quorumseal.ceremony.values import digest_of
from quorumseal.strict_json import JsonValue
from tests.burning import BURNING, run_emergency
from tests.forging import payloads, relinked, swapped, verdict
from tests.organisation import NOW, Organisation

ACME = BURNING
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ONES = "sha256:" + "1" * 64


def ended_by(*commands: Callable[[Chain], Command], at: timedelta = MINUTE * 9) -> list[Entry]:
    """Return the entries of a ceremony with one approval, then whatever the commands cause."""
    chain, entries = ACME.run("alice")
    for command in commands:
        chain, more = extend(chain, command(chain), at=NOW + at)
        entries += more
    return entries


def rejection(chain: Chain) -> Command:
    when = NOW + MINUTE * 9
    return Record(
        ACME.sign_decision(ACME.decision("carol", chain.ceremony.request, Choice.REJECTION, at=when))
    )


def late(chain: Chain) -> Command:
    return Record(ACME.sign_decision(ACME.decision("carol", chain.ceremony.request, at=NOW + MINUTE)))


def cancellation(chain: Chain) -> Command:
    return Cancel(ACME.sign_cancellation(ACME.cancellation("mallory", chain, at=NOW + MINUTE * 9)))


APPROVED = ACME.run("alice", "bob", "carol", "rita")[1]
OTHER = ACME.run(
    "alice", "bob", "carol", "rita", request=ACME.sign_request(ACME.request(number=2, version="2.0"))
)[1]
CEREMONIES: dict[State, list[Entry]] = {
    State.OPEN: ACME.run("alice", "bob", "carol")[1],
    State.APPROVED: APPROVED,
    State.PROVISIONAL: run_emergency("alice", "carol")[1],
    State.REJECTED: ended_by(rejection),
    State.EXPIRED: ended_by(late, at=DAY),
    State.CANCELLED: ended_by(cancellation),
    State.SUPERSEDED: ended_by(lambda _: Supersede(ONES)),
}


def judge(entries: Sequence[Entry]) -> str:
    return verdict(lambda: replay_chain(payloads(entries), ACME.policy))


@pytest.mark.parametrize("state", State)
def test_a_chain_replays_to_the_state_that_its_entries_amount_to(state: State) -> None:
    entries = CEREMONIES[state]
    chain = replay_chain(payloads(entries), ACME.policy)
    assert chain.ceremony.state is state
    assert chain.hashes == tuple(entry.hash for entry in entries)
    assert chain.statements == {
        digest_of(entry.envelope.payload): entry.seq for entry in entries if "envelope" in entry.body
    }
    assert chain.last_at == entries[-1].at
    assert relinked(entries) == entries


def test_the_types_of_the_entries_tell_the_story() -> None:
    assert [entry.type for entry in APPROVED] == ["opened", *["decided"] * 4, "approved"]
    assert [entry.type for entry in CEREMONIES[State.EXPIRED]] == ["opened", "decided", "expired", "late"]


def test_no_entries_are_no_ceremony() -> None:
    with pytest.raises(errors.ChainBrokenError, match="got none"):
        replay_chain([], ACME.policy)


@pytest.mark.parametrize("state", State)
def test_an_entry_left_out_is_missed(state: State) -> None:
    entries = CEREMONIES[state]
    for index in range(len(entries) - 1):
        assert judge([*entries[:index], *entries[index + 1 :]]) == "chain.broken"
    # The last entry is missed where the one before caused it.  Where it did not, what is left is the same
    # ceremony at an earlier time: that it went on is for the log's consistency to tell.
    caused = state in {State.APPROVED, State.REJECTED}
    assert judge(entries[:-1]) == ("chain.broken" if caused else "accepted")


@pytest.mark.parametrize("state", State)
def test_an_entry_repeated_is_seen(state: State) -> None:
    entries = CEREMONIES[state]
    for index in range(len(entries)):
        for place in range(index + 1, len(entries) + 1):
            code = judge([*entries[:place], entries[index], *entries[place:]])
            assert code in {"chain.broken", "chain.time"}


@pytest.mark.parametrize("state", State)
def test_two_entries_exchanged_are_seen(state: State) -> None:
    entries = CEREMONIES[state]
    for one in range(len(entries)):
        for other in range(one + 1, len(entries)):
            assert judge(swapped(entries, one, other)) == "chain.broken"


def test_every_order_of_six_entries_but_one_is_refused() -> None:
    accepted = [
        order for order in permutations(range(6)) if judge([APPROVED[i] for i in order]) == "accepted"
    ]
    assert accepted == [(0, 1, 2, 3, 4, 5)]


def test_every_order_chained_anew_replays_only_where_the_rules_allow_it() -> None:
    """A coordinator may order honest decisions; it cannot conclude before the quorum, nor seat others."""
    accepted = []
    for order in permutations(range(6)):
        shuffled = [replace(APPROVED[i], at=APPROVED[0].at + MINUTE * 5) for i in order]
        if judge(relinked(shuffled)) == "accepted":
            accepted.append(order)
    assert len(accepted) == 24
    assert {(order[0], order[5]) for order in accepted} == {(0, 5)}


@pytest.mark.parametrize("index", range(6))
def test_an_entry_moved_to_another_ceremony_is_refused(index: int) -> None:
    moved = [*APPROVED[:index], OTHER[index], *APPROVED[index + 1 :]]
    assert judge(moved) == "chain.broken"


@pytest.mark.parametrize(
    ("index", "code"),
    [
        (0, "statement.ceremony"),
        (1, "statement.ceremony"),
        (2, "statement.ceremony"),
        (3, "statement.ceremony"),
        (4, "statement.ceremony"),
        (5, "accepted"),
    ],
)
def test_a_statement_moved_to_another_ceremony_and_chained_anew_is_refused(index: int, code: str) -> None:
    """The conclusion alone is the same in both: it holds nothing but seats, which the rules fill anew."""
    moved = relinked(
        replace(OTHER[i] if i == index else APPROVED[i], ceremony=APPROVED[0].ceremony) for i in range(6)
    )
    assert judge(moved) == (code if index else "chain.broken")


def with_time(index: int, at: timedelta) -> list[Entry]:
    return [replace(entry, at=NOW + at) if i == index else entry for i, entry in enumerate(APPROVED)]


@pytest.mark.parametrize(
    ("why", "index", "at", "code"),
    [
        ("before the entry before it", 2, timedelta(seconds=30), "chain.time"),
        ("before its statement was signed", 2, timedelta(minutes=1, seconds=-1), "chain.time"),
        ("far before its statement was signed", 1, timedelta(minutes=-2), "chain.time"),
        ("an opening after the first decision", 0, MINUTE * 2, "chain.time"),
        ("an opening long before it was signed", 0, -MINUTE * 3, "request.opening_time"),
        ("an opening at its deadline", 0, DAY, "request.opening_time"),
        ("a decision at the deadline", 4, DAY, "chain.outcome"),
        ("a conclusion after its cause", 5, MINUTE * 5, "chain.outcome"),
        ("a conclusion before its cause", 5, MINUTE * 3, "chain.outcome"),
    ],
)
def test_an_entry_at_another_time_is_refused(why: str, index: int, at: timedelta, code: str) -> None:
    assert judge(relinked(with_time(index, at))) == code, why


def test_a_decision_logged_long_before_it_was_signed_is_refused() -> None:
    chain, entries = ACME.run()
    decision = ACME.sign_decision(ACME.decision("alice", chain.ceremony.request, at=NOW + MINUTE * 4))
    _, more = extend(chain, Record(decision), at=NOW + MINUTE * 4)
    early = relinked([*entries, replace(more[0], at=NOW + MINUTE)])
    assert judge(early) == "decision.signed_in_future"


def test_a_time_moved_without_chaining_anew_breaks_the_chain() -> None:
    for index in range(5):
        entry = APPROVED[index]
        moved = write_entry(
            entry.type,
            entry.body,
            at=entry.at + timedelta(milliseconds=1),
            ceremony=entry.ceremony,
            seq=entry.seq,
            prev=entry.prev,
        )
        assert judge([*APPROVED[:index], moved, *APPROVED[index + 1 :]]) == "chain.broken"


def concluded(entry_type: EntryType, body: dict[str, JsonValue], *, after: int = 2) -> list[Entry]:
    """Return the first entries of a ceremony with a conclusion that somebody wishes."""
    last = APPROVED[after - 1]
    entry = write_entry(
        entry_type, body, at=last.at, ceremony=last.ceremony, seq=after, prev=APPROVED[after - 1].hash
    )
    return [*APPROVED[:after], entry]


SEATS: list[JsonValue] = [
    {"role": "engineering", "signers": ["alice", "bob"]},
    {"role": "security", "signers": ["carol"]},
    {"role": "release", "signers": ["rita"]},
]


@pytest.mark.parametrize(
    ("why", "forged", "code"),
    [
        ("approved by two of four", concluded(EntryType.APPROVED, {"seats": SEATS}), "chain.outcome"),
        ("approved by nobody", concluded(EntryType.APPROVED, {"seats": []}, after=1), "chain.outcome"),
        ("rejected by nobody", concluded(EntryType.REJECTED, {}), "chain.outcome"),
        ("expired before the deadline", concluded(EntryType.EXPIRED, {}), "ceremony.not_due"),
        ("cancelled by nobody", concluded(EntryType.CANCELLED, {}), "json.invalid_field"),
        ("superseded by nothing", concluded(EntryType.SUPERSEDED, {}), "json.missing_field"),
        ("superseded by no digest", concluded(EntryType.SUPERSEDED, {"by": "2.0"}), "value.format"),
        ("decided by nobody", concluded(EntryType.DECIDED, {}), "json.invalid_field"),
        ("late before the deadline", concluded(EntryType.LATE, APPROVED[2].body), "chain.outcome"),
        ("cancelled by an approval", concluded(EntryType.CANCELLED, APPROVED[2].body), "statement.format"),
        ("decided by the request", concluded(EntryType.DECIDED, APPROVED[0].body), "statement.format"),
        ("opened again", concluded(EntryType.OPENED, APPROVED[0].body), "chain.outcome"),
        (
            "a quorum claimed at the last moment",
            concluded(EntryType.APPROVED, {"seats": SEATS}, after=5),
            "accepted",
        ),
        (
            "somebody else seated",
            concluded(
                EntryType.APPROVED, {"seats": [*SEATS[:2], {"role": "release", "signers": ["dan"]}]}, after=5
            ),
            "chain.outcome",
        ),
        (
            "a word more in the conclusion",
            concluded(EntryType.APPROVED, {"seats": SEATS, "by": "us"}, after=5),
            "chain.outcome",
        ),
    ],
)
def test_a_conclusion_is_what_the_rules_make_of_the_entries(why: str, forged: list[Entry], code: str) -> None:
    assert judge(forged) == code, why


def test_a_conclusion_that_is_due_cannot_be_left_out() -> None:
    with pytest.raises(errors.ChainBrokenError, match=r"\(approved\) to follow, got the chain's end"):
        replay_chain(payloads(APPROVED[:5]), ACME.policy)


def test_nothing_follows_a_conclusion() -> None:
    chain, _ = ACME.run("alice", "bob", "carol", "rita")
    erin = ACME.sign_decision(ACME.decision("erin", chain.ceremony.request, at=NOW + MINUTE))
    more = write_entry(
        EntryType.DECIDED,
        {"envelope": erin.envelope.to_json()},
        at=NOW + MINUTE * 5,
        ceremony=chain.id,
        seq=6,
        prev=chain.hashes[-1],
    )
    assert judge([*APPROVED, more]) == "ceremony.ended"


def test_a_body_changed_is_refused_however_it_is_chained() -> None:
    assert judge(relinked(replace(e, body={**e.body, "note": "x"}) for e in APPROVED)) == "chain.outcome"
    for index in range(5):
        other = APPROVED[1 if index != 1 else 2].body
        changed = relinked(replace(e, body=other) if i == index else e for i, e in enumerate(APPROVED))
        assert judge(changed) in {"statement.format", "chain.broken", "chain.outcome"}


def test_an_empty_key_id_is_another_spelling_of_none_and_refused() -> None:
    chain, entry = open_chain(ACME.policy, ACME.sign_request(), at=NOW)
    envelope = entry.body["envelope"]
    assert isinstance(envelope, dict)
    signatures = envelope["signatures"]
    assert isinstance(signatures, list)
    assert isinstance(signatures[0], dict)
    body: dict[str, JsonValue] = {"envelope": {**envelope, "signatures": [{**signatures[0], "keyid": ""}]}}
    assert judge(relinked([replace(entry, body=body)])) == "chain.outcome"
    assert chain.ceremony.state is State.OPEN


def test_a_chain_does_not_begin_in_the_middle_nor_with_a_policy() -> None:
    standing = policy_entry(ACME.policy, at=NOW, seq=0, prev=None)
    for entries in (APPROVED[1:], [standing, *APPROVED], relinked(APPROVED[1:])):
        with pytest.raises(errors.ChainBrokenError, match="expected a chain to begin with opened"):
            replay_chain(payloads(entries), ACME.policy)


def test_a_standing_entry_is_no_entry_of_a_ceremony() -> None:
    standing = policy_entry(ACME.policy, at=APPROVED[1].at, seq=2, prev=APPROVED[1].hash)
    assert judge([*APPROVED[:2], standing]) == "chain.broken"


def test_a_chain_under_another_policy_is_refused() -> None:
    other = Organisation(version=1, clock_skew=timedelta(minutes=3))
    with pytest.raises(errors.OtherPolicyError):
        replay_chain(payloads(APPROVED), other.policy)


def test_the_clock_may_stand_still() -> None:
    chain, entry = open_chain(ACME.policy, ACME.sign_request(), at=NOW)
    entries = [entry]
    for signer in ("alice", "bob", "carol", "rita"):
        decision = ACME.sign_decision(ACME.decision(signer, chain.ceremony.request))
        chain, more = extend(chain, Record(decision), at=NOW)
        entries += more
    assert judge(entries) == "accepted"


def test_an_expiry_is_derived_by_a_late_decision_and_by_the_clock_alike() -> None:
    chain, entries = ACME.run("alice")
    _, at_once = extend(chain, late(chain), at=NOW + DAY)
    expired, first = extend(chain, Expire(), at=NOW + DAY)
    _, second = extend(expired, late(chain), at=NOW + DAY)
    assert at_once == (*first, *second)
    assert judge([*entries, *at_once]) == "accepted"
