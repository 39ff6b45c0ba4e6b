# SPDX-License-Identifier: Apache-2.0
"""A ceremony takes at most its share of a bundle; what ends it always has room."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.budget import (
    CEREMONY_BYTES,
    MOST_DELIVERIES,
    RESERVE_BYTES,
    STATEMENT_BYTES,
    check_opening,
    cost,
)
from quorumseal.ceremony.chain import Chain, extend, open_chain, replay_chain
from quorumseal.ceremony.commands import Cancel, Command, Deliver, Expire, Record, Supersede
from quorumseal.ceremony.entries import MAX_ENTRY_BYTES, Entry, EntryType, write_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import MOST_ROLES
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statement_document import MAX_STATEMENT_BYTES, write_statement
from quorumseal.ceremony.statements import Cancellation, Choice, Decision, Statement, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.signatures.dsse import MAX_KEY_ID, sign
from quorumseal.strict_json import MAX_INTEGER, JsonValue
from quorumseal.tlog import prove_consistency
from quorumseal.verifier.bundle import Bundle, write_bundle
from quorumseal.verifier.part import Part
from tests.burning import open_emergency
from tests.forging import verdict
from tests.organisation import NOW, Organisation, ceremony_number

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PEOPLE = tuple(f"engineer-{number:02}" for number in range(40))
CROWD = Organisation(
    roles={"engineering": PEOPLE, "managers": ("mallory",)},
    quorum={"engineering": 2},
    machines=frozenset(),
    p256=frozenset(),
    founders=PEOPLE[:2],
)
LONGEST_PROOF = 54
ROOM = CEREMONY_BYTES - RESERVE_BYTES


def bundle_with(*entries: bytes, proofs: dict[int, tuple[bytes, ...]]) -> int:
    part = Part(entries=entries, index=0, inclusion=(), checkpoint=b"", consistency=proofs)
    return len(write_bundle(Bundle(policies=(), parts=(part,))))


KEY_IDS = {
    "none": "",
    "a digest": "sha256:" + "0" * 64,
    "quotation marks": '"' * MAX_KEY_ID,
    "backslashes": "\\" * MAX_KEY_ID,
    "controls": "\x1f" * MAX_KEY_ID,
    "letters outside the first plane": "\U0001f511" * MAX_KEY_ID,
}


@pytest.mark.parametrize("key_id", KEY_IDS.values(), ids=KEY_IDS)
@pytest.mark.parametrize("size", [1, 1000, 1001, 1002, MAX_STATEMENT_BYTES])
def test_a_statement_takes_no_more_of_a_bundle_than_it_costs(size: int, key_id: str) -> None:
    envelope = Envelope(payload=b"x" * size, signature=bytes(72), key_id=key_id)
    body: dict[str, JsonValue] = {"envelope": envelope.to_json()}
    entry = write_entry(
        EntryType.CANCELLED, body, at=NOW, ceremony=ceremony_number(1), seq=MAX_INTEGER, prev=digest_of(b"")
    )
    proof = (bytes(32),) * LONGEST_PROOF
    with_it = bundle_with(entry.payload, b"{}", proofs={MAX_INTEGER - 1: proof, MAX_INTEGER: ()})
    taken = with_it - bundle_with(b"{}", proofs={MAX_INTEGER: ()})
    assert len(entry.payload) < taken <= cost(envelope)


def any_node(_level: int, _index: int) -> bytes:
    return bytes(32)


def test_no_log_has_a_longer_consistency_proof() -> None:
    new = MAX_INTEGER
    olds = {1, 2, 3, new - 1, *(1 << bit for bit in range(53)), *((1 << bit) - 1 for bit in range(1, 53))}
    assert max(len(prove_consistency(old, new, any_node)) for old in olds) <= LONGEST_PROOF


def test_the_reserve_holds_every_conclusion() -> None:
    assert cost(Envelope(payload=bytes(MAX_STATEMENT_BYTES), signature=b"")) < RESERVE_BYTES
    seats: JsonValue = [
        {"role": "r" * 64, "signers": ["s" * 64 for _ in range(64)]} for _ in range(MOST_ROLES)
    ]
    entry = write_entry(
        EntryType.APPROVED, {"seats": seats}, at=NOW, ceremony=ceremony_number(1), seq=0, prev=None
    )
    assert bundle_with(entry.payload, proofs={}) < RESERVE_BYTES


def test_the_deliveries_of_an_emergency_fit_beside_its_statements() -> None:
    entry = write_entry(
        EntryType.DELIVERED,
        {"recipient": "s" * 64, "channel": "c" * 64, "notice": digest_of(b"")},
        at=NOW,
        ceremony=ceremony_number(1),
        seq=MAX_INTEGER,
        prev=digest_of(b""),
    )
    taken = bundle_with(entry.payload, b"{}", proofs={}) - bundle_with(b"{}", proofs={})
    assert taken <= 512
    assert MOST_DELIVERIES * taken <= (16 << 20) - CEREMONY_BYTES - MAX_ENTRY_BYTES


@pytest.mark.parametrize(("before", "recorded"), [(MOST_DELIVERIES - 1, 1), (MOST_DELIVERIES, 0)])
def test_what_is_delivered_beyond_that_is_not_on_record(before: int, recorded: int) -> None:
    chain = open_emergency()
    told = frozenset(("alice", "mail", digest_of(str(number).encode())) for number in range(before))
    chain = replace(chain, ceremony=replace(chain.ceremony, told=told))
    longer, entries = extend(chain, Deliver("alice", "mail", digest_of(b"one more")), at=NOW)
    assert len(entries) == recorded
    assert len(longer.ceremony.told) == MOST_DELIVERIES


def padded(statement: Statement, size: int) -> Envelope:
    """Sign a statement with blanks behind it, which nobody forbids."""
    payload = write_statement(statement)
    return sign(payload + b" " * (size - len(payload)), CROWD.key(statement.context.signer))


def abstain(chain: Chain, signer: str, *, size: int = MAX_STATEMENT_BYTES) -> Record:
    decision = CROWD.decision(signer, chain.ceremony.request, Choice.ABSTENTION, at=chain.last_at)
    return Record(signed_as(Decision, authenticate(padded(decision, size), CROWD.policy)))


def nearly_full() -> tuple[Chain, list[Entry]]:
    """Let people abstain at the greatest length for as long as that is taken."""
    chain, entries = CROWD.run()
    for signer in PEOPLE:
        try:
            chain, more = extend(chain, abstain(chain, signer), at=NOW + MINUTE)
        except errors.CeremonyFullError:
            return chain, entries
        entries += more
    raise AssertionError("expected the ceremony to fill")


FULL, ENTRIES = nearly_full()


def test_a_decision_that_finds_no_room_is_refused_and_nothing_has_changed() -> None:
    before = FULL.ceremony
    room = ROOM - before.size
    assert 0 < room < cost(padded(CROWD.decision("engineer-39", before.request), MAX_STATEMENT_BYTES))
    largest = (room - STATEMENT_BYTES) // 4 * 3
    with pytest.raises(errors.CeremonyFullError) as refusal:
        extend(FULL, abstain(FULL, "engineer-39", size=largest + 1), at=NOW + MINUTE)
    assert "cancel" in refusal.value.hint
    assert before == FULL.ceremony
    chain, _ = extend(FULL, abstain(FULL, "engineer-39", size=largest), at=NOW + MINUTE)
    assert ROOM - 4 < chain.ceremony.size <= ROOM


def test_a_late_decision_that_finds_no_room_is_refused_too() -> None:
    expired, _ = extend(FULL, Expire(), at=NOW + DAY)
    with pytest.raises(errors.CeremonyFullError):
        extend(expired, abstain(FULL, "engineer-39"), at=NOW + DAY)
    late, _ = extend(expired, abstain(FULL, "engineer-39", size=1000), at=NOW + DAY)
    assert late.ceremony.size == FULL.ceremony.size + STATEMENT_BYTES + 1336


def longest_cancellation() -> Cancel:
    envelope = padded(CROWD.cancellation("mallory", FULL), MAX_STATEMENT_BYTES)
    return Cancel(signed_as(Cancellation, authenticate(envelope, CROWD.policy)))


@pytest.mark.parametrize(
    ("command", "at", "state"),
    [
        (Expire(), NOW + DAY, State.EXPIRED),
        (Supersede(digest_of(b"")), NOW + MINUTE, State.SUPERSEDED),
        (longest_cancellation(), NOW + MINUTE, State.CANCELLED),
    ],
    ids=["expired", "superseded", "cancelled"],
)
def test_what_ends_a_full_ceremony_always_has_room(command: Command, at: datetime, state: State) -> None:
    chain, _ = extend(FULL, command, at=at)
    assert chain.ceremony.state is state


def test_a_chain_that_somebody_made_longer_than_the_rules_allow_is_refused() -> None:
    command = abstain(FULL, "engineer-39")
    forged = write_entry(
        EntryType.DECIDED,
        {"envelope": command.decision.envelope.to_json()},
        at=NOW + MINUTE,
        ceremony=FULL.id,
        seq=len(FULL.hashes),
        prev=FULL.hashes[-1],
    )
    with pytest.raises(errors.CeremonyFullError):
        replay_chain([entry.payload for entry in (*ENTRIES, forged)], CROWD.policy)


@pytest.mark.parametrize(
    ("size", "seats", "code"),
    [
        (1000, 1, "accepted"),
        (1000, 1024, "accepted"),
        (200 << 10, 41, "accepted"),
        (200 << 10, 42, "request.too_large"),
        (MAX_STATEMENT_BYTES, 31, "accepted"),
        (MAX_STATEMENT_BYTES, 33, "request.too_large"),
    ],
)
def test_a_request_is_opened_only_where_its_approvals_have_room(size: int, seats: int, code: str) -> None:
    assert verdict(lambda: check_opening(Envelope(payload=bytes(size), signature=b""), seats)) == code


def test_an_opening_that_is_too_large_for_its_quorum_is_refused() -> None:
    many = tuple(Subject(name=f"{n:04}" + "x" * 116, digest=digest_of(b"")) for n in range(1000))
    assert open_many(CROWD, many).ceremony.size > MAX_STATEMENT_BYTES * 4 // 5
    everybody = replace(CROWD, quorum={"engineering": 40})
    with pytest.raises(request_errors.RequestTooLargeError):
        open_many(everybody, many)


def open_many(organisation: Organisation, subjects: tuple[Subject, ...]) -> Chain:
    request = organisation.sign_request(organisation.request(subjects=subjects))
    return open_chain(organisation.policy, request, at=NOW)[0]
