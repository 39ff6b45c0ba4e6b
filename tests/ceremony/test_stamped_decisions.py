# SPDX-License-Identifier: Apache-2.0
"""A timestamp travels in a decision's entry, and is judged by everybody who replays it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from quorumseal.ceremony import budget
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Expire, Record
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.errors import CeremonyError, CeremonyFullError, TimestampTimeError
from quorumseal.ceremony.events import DecisionRecorded
from quorumseal.ceremony.record import quorum_record, to_json
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.timestamping import stamp_of
from quorumseal.refusal import Refusal
from quorumseal.signatures import (
    MalformedTimestampError,
    OtherImprintError,
    Timestamp,
    UnknownAuthorityError,
)
from quorumseal.signatures.encodings import encode_base64
from quorumseal.strict_json import JsonValue, write
from tests.organisation import NOW, Organisation, changed
from tests.timestamp_authority import LyingAuthority, openssl_needed

pytestmark = openssl_needed
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> LyingAuthority:
    return LyingAuthority(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def acme(clock: LyingAuthority) -> Organisation:
    return changed(Organisation(), timestamping=(clock.authority,))


def opened(acme: Organisation) -> tuple[Chain, Entry]:
    return open_chain(acme.policy, acme.sign_request(), at=NOW)


def decision_of(acme: Organisation, chain: Chain, signed_after: timedelta = MINUTE) -> Signed[Decision]:
    return acme.sign_decision(acme.decision("alice", chain.ceremony.request, at=NOW + signed_after))


def stamped(
    acme: Organisation,
    clock: LyingAuthority,
    decision: Signed[Decision],
    after: timedelta,
    accuracy: timedelta = timedelta(0),
) -> Timestamp:
    token = clock.token(decision.envelope.stamped, NOW + after, accuracy)
    return stamp_of(token, decision, acme.policy.policy)


def test_timestamp_is_in_the_entry_and_replays_to_the_same_ceremony(
    acme: Organisation, clock: LyingAuthority
) -> None:
    chain, opening = opened(acme)
    decision = decision_of(acme, chain)
    stamp = stamped(acme, clock, decision, 2 * MINUTE)
    longer, entries = extend(chain, Record(decision, stamp), at=NOW + 5 * MINUTE)
    assert entries[0].body.keys() == {"envelope", "timestamp"}
    assert replay_chain([opening.payload, *(e.payload for e in entries)], acme.policy) == longer
    plain, _ = extend(chain, Record(decision), at=NOW + 5 * MINUTE)
    assert longer.ceremony.size - plain.ceremony.size == len(str(entries[0].body["timestamp"]))


def test_record_says_whose_word_there_is_for_the_time_of_a_decision(
    acme: Organisation, clock: LyingAuthority
) -> None:
    chain, opening = opened(acme)
    decision = decision_of(acme, chain)
    stamp = stamped(acme, clock, decision, 2 * MINUTE, SECOND)
    _, entries = extend(chain, Record(decision, stamp), at=NOW + 5 * MINUTE)
    record = to_json(quorum_record([opening.payload, entries[0].payload], acme.policy))
    assert json.loads(write(record))["timeline"][1]["timestamp"] == {
        "authority": "clock.acme.example",
        "at": "2026-11-20T14:02:00.000Z",
        "proves": "2026-11-20T14:02:01.000Z",
    }


@pytest.mark.parametrize(
    ("stamped_after", "accuracy", "logged_after", "proved_after"),
    [
        (2 * MINUTE, 0 * SECOND, 5 * MINUTE, 2 * MINUTE),
        (2 * MINUTE, 3 * SECOND, 5 * MINUTE, 2 * MINUTE + 3 * SECOND),
        (6 * MINUTE, 0 * SECOND, 5 * MINUTE, 5 * MINUTE),
        (5 * MINUTE, 3 * SECOND, 5 * MINUTE, 5 * MINUTE),
    ],
    ids=["before the entry", "as exact as its clock", "within the skew after it", "no later than it"],
)  # fmt: skip
def test_decision_is_proved_by_the_earlier_of_entry_and_timestamp(
    acme: Organisation,
    clock: LyingAuthority,
    stamped_after: timedelta,
    accuracy: timedelta,
    logged_after: timedelta,
    proved_after: timedelta,
) -> None:
    decision = decision_of(acme, opened(acme)[0])
    stamp = stamped(acme, clock, decision, stamped_after, accuracy)
    assert DecisionRecorded(NOW + logged_after, decision, stamp).proved_at == NOW + proved_after
    assert DecisionRecorded(NOW + logged_after, decision).proved_at == NOW + logged_after


@pytest.mark.parametrize(
    ("signed", "stamp", "logged", "accuracy", "fits"),
    [
        (1, 1, 1, 0, True),
        (1, 3, 5, 0, True),
        (3, 1, 5, 0, True),
        (3.001, 1, 5, 0, False),
        (3.001, 1, 5, 1, True),
        (1, 7, 5, 0, True),
        (1, 7.001, 5, 0, False),
        (1, 7.001, 5, 1, True),
    ],
)
def test_timestamp_lies_between_signing_and_entry_as_far_as_clocks_agree(
    acme: Organisation,
    clock: LyingAuthority,
    signed: float,
    stamp: float,
    logged: float,
    accuracy: int,
    fits: bool,
) -> None:
    """In minutes after the opening; the policy's clocks may differ by two."""
    chain, _ = opened(acme)
    decision = decision_of(acme, chain, signed * MINUTE)
    timestamp = stamped(acme, clock, decision, stamp * MINUTE, accuracy * SECOND)
    if fits:
        extend(chain, Record(decision, timestamp), at=NOW + logged * MINUTE)
        return
    with pytest.raises(TimestampTimeError):
        extend(chain, Record(decision, timestamp), at=NOW + logged * MINUTE)


def test_timestamp_from_before_the_deadline_brings_no_late_decision_on_time(
    acme: Organisation, clock: LyingAuthority
) -> None:
    chain, opening = opened(acme)
    decision = decision_of(acme, chain)
    stamp = stamped(acme, clock, decision, 2 * MINUTE)
    late = chain.ceremony.deadline + SECOND
    chain, expiry = extend(chain, Expire(), at=late)
    longer, entries = extend(chain, Record(decision, stamp), at=late)
    assert [entry.type for entry in entries] == [EntryType.LATE]
    assert "timestamp" in entries[0].body
    payloads = [opening.payload, *(e.payload for e in (*expiry, *entries))]
    assert replay_chain(payloads, acme.policy) == longer


def forged(entry: Entry, timestamp: JsonValue) -> bytes:
    value = json.loads(entry.payload)
    value["body"]["timestamp"] = timestamp
    return write(value)


def test_entry_with_another_timestamp_is_refused_by_whoever_replays_it(
    acme: Organisation, clock: LyingAuthority, tmp_path: Path
) -> None:
    chain, opening = opened(acme)
    decision = decision_of(acme, chain)
    _, (entry,) = extend(chain, Record(decision), at=NOW + 5 * MINUTE)
    fitting = clock.token(decision.envelope.stamped, NOW + 2 * MINUTE)
    b64 = encode_base64(fitting)
    replay_chain([opening.payload, forged(entry, b64)], acme.policy)
    other = LyingAuthority(tmp_path).token(decision.envelope.stamped, NOW + 2 * MINUTE)
    late = clock.token(decision.envelope.stamped, NOW + 8 * MINUTE)
    cases: list[tuple[JsonValue, type[Refusal]]] = [
        (encode_base64(other), UnknownAuthorityError),
        (encode_base64(clock.token(decision.envelope.payload, NOW + 2 * MINUTE)), OtherImprintError),
        (encode_base64(late), TimestampTimeError),
        (b64.rstrip("=") + "!", MalformedTimestampError),
        (encode_base64(fitting[:-1]), MalformedTimestampError),
        ("", MalformedTimestampError),
    ]
    for timestamp, refusal in cases:
        with pytest.raises(refusal):
            replay_chain([opening.payload, forged(entry, timestamp)], acme.policy)


def test_timestamp_is_refused_under_a_policy_that_takes_nobodys_word(clock: LyingAuthority) -> None:
    plain = Organisation()
    decision = decision_of(plain, opened(plain)[0])
    with pytest.raises(UnknownAuthorityError):
        stamp_of(clock.token(decision.envelope.stamped, NOW), decision, plain.policy.policy)


def test_timestamp_takes_its_room_of_the_ceremony(acme: Organisation, clock: LyingAuthority) -> None:
    decision = decision_of(acme, opened(acme)[0])
    stamp = stamped(acme, clock, decision, MINUTE)
    room = budget.CEREMONY_BYTES - budget.RESERVE_BYTES - budget.cost(decision.envelope)
    budget.check_decision(room, decision.envelope)
    with pytest.raises(CeremonyFullError):
        budget.check_decision(room, decision.envelope, stamp)
    budget.check_decision(room - budget.token_cost(stamp), decision.envelope, stamp)


def test_other_refusals_are_not_hidden_by_a_timestamp(acme: Organisation, clock: LyingAuthority) -> None:
    chain, _ = opened(acme)
    decision = acme.sign_decision(
        acme.decision("mallory", chain.ceremony.request, at=NOW, roles=["security"])
    )
    stamp = stamped(acme, clock, decision, MINUTE)
    with pytest.raises(CeremonyError) as refused:
        extend(chain, Record(decision, stamp), at=NOW + MINUTE)
    assert refused.value.code == "decision.requester"
