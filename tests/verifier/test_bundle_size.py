# SPDX-License-Identifier: Apache-2.0
"""However large the rules let a ceremony grow: once it is approved, its bundle is read and verified."""

from datetime import timedelta

from quorumseal.ceremony.budget import CEREMONY_BYTES, RESERVE_BYTES, STATEMENT_BYTES, cost
from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.policy_document import MAX_POLICY_BYTES
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statement_document import MAX_STATEMENT_BYTES, write_statement
from quorumseal.ceremony.statements import Choice, Decision
from quorumseal.signatures.dsse import MAX_SIGNATURES, sign
from quorumseal.verifier.bundle import MAX_BUNDLE_BYTES
from quorumseal.verifier.verify import verify
from tests.organisation import SUBJECTS, Organisation
from tests.simulated_log import SimulatedLog

PEOPLE = tuple(f"engineer-{number:02}" for number in range(40))
ACME = Organisation(
    roles={"engineering": PEOPLE, "managers": ("mallory",)},
    quorum={"engineering": 2},
    machines=frozenset(),
    p256=frozenset(),
    founders=PEOPLE[:2],
)


def test_a_ceremony_that_was_approved_when_it_was_full_has_a_bundle_that_verifies() -> None:
    log = SimulatedLog(ACME)
    chain, entries = ACME.run()
    log.append(entries)

    def take(signer: str, choice: Choice, size: int) -> None:
        nonlocal chain
        at = chain.last_at + timedelta(seconds=1)
        payload = write_statement(
            ACME.decision(signer, chain.ceremony.request, choice, at=at, seen=log.seen())
        )
        envelope = sign(payload + b" " * (size - len(payload)), ACME.key(signer))
        decision = signed_as(Decision, authenticate(envelope, ACME.policy))
        chain, more = extend(chain, Record(decision), at=at)
        log.append(more)
        entries.extend(more)

    room, longest = CEREMONY_BYTES - RESERVE_BYTES, STATEMENT_BYTES + MAX_STATEMENT_BYTES * 4 // 3 + 4
    others = iter(PEOPLE[2:])
    while room - chain.ceremony.size > 3 * longest:
        take(next(others), Choice.ABSTENTION, MAX_STATEMENT_BYTES)
    take(PEOPLE[0], Choice.APPROVAL, MAX_STATEMENT_BYTES)
    take(PEOPLE[1], Choice.APPROVAL, MAX_STATEMENT_BYTES)
    assert entries[-1].type is EntryType.APPROVED
    assert chain.ceremony.size > room - longest
    bundle = log.bundle(entries)
    assert len(bundle) > 11 << 20
    verified = verify(bundle, log.trust, {subject.name: subject.digest for subject in SUBJECTS})
    assert verified.seats == {"engineering": PEOPLE[:2]}


def test_a_full_ceremony_and_the_largest_policy_leave_room_in_a_bundle() -> None:
    policy = (MAX_POLICY_BYTES + 2) // 3 * 4 + MAX_SIGNATURES * 189
    proof_and_checkpoint = 54 * 67 + 2 * cost(sign(b"", ACME.key(PEOPLE[0])))
    assert CEREMONY_BYTES + policy + proof_and_checkpoint < MAX_BUNDLE_BYTES
