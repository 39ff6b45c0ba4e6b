# SPDX-License-Identifier: Apache-2.0
"""A coordinator with all of its keys, and too few honest approvals, never makes a bundle that verifies.

It writes whatever entries it likes, chains them anew, signs whatever log it likes with the log's own key and
proves everything about that log honestly.  All it lacks is a signature.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import utils

from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.policy import Policy, SignerKey
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.statements import Choice
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope, JointEnvelope, Scheme
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import JsonValue, read
from quorumseal.verifier.bundle import read_bundle, write_bundle
from quorumseal.verifier.verify import verify
from tests.conftest import DEEP
from tests.forging import edited, fields, relinked, value_at, verdict
from tests.organisation import NOW, ROLES, Organisation, changed, key_of
from tests.simulated_log import SimulatedLog
from tests.verifier.published import ARTIFACTS, published, told

ACME = Organisation()
MINUTE = timedelta(minutes=1)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ROGUE = key_of("the coordinator's own key")
FULL_SEATS: list[JsonValue] = [
    {"role": "engineering", "signers": ["alice", "bob"]},
    {"role": "security", "signers": ["carol"]},
    {"role": "release", "signers": ["rita"]},
]


def short_of_one() -> list[Entry]:
    """Return a ceremony in which everybody but the release role has approved, and dan abstained."""
    chain, entries = ACME.run("alice", "bob", "carol")
    decision = ACME.decision("dan", chain.ceremony.request, Choice.ABSTENTION, at=NOW + MINUTE * 4)
    _, more = extend(chain, Record(ACME.sign_decision(decision)), at=NOW + MINUTE * 4)
    return [*entries, *more]


def elsewhere() -> list[Envelope]:
    """Return all that was ever honestly signed besides: other versions, other products, other bytes."""
    pool: list[Envelope] = []
    for number, (product, version) in enumerate(
        [("widget", "1.1"), ("gadget", "1.0"), ("widget", "1.0")], start=2
    ):
        request = ACME.sign_request(ACME.request(number=number, product=product, version=version))
        _, entries = ACME.run("alice", "bob", "carol", "rita", request=request)
        pool += [entry.envelope for entry in entries if "envelope" in entry.body]
    weak = changed(ACME, quorum={"engineering": 1})
    _, entries = weak.run("erin")
    return [*pool, *(entry.envelope for entry in entries if "envelope" in entry.body)]


HONEST = short_of_one()
POOL = elsewhere()
OWN = [entry.envelope for entry in HONEST if "envelope" in entry.body]


@dataclass
class Forger:
    """Seeded moves over a list of entries; each returns another list."""

    random: Random

    def envelope(self) -> Envelope:
        """Make up an envelope from what there is."""
        envelope = self.random.choice([*OWN, *OWN, *POOL])
        match self.random.randrange(7):
            case 0:
                return envelope
            case 1:
                return replace(envelope, key_id=ACME.key(self.random.choice(["rita", "dan"])).public.key_id)
            case 2:  # say that somebody else signed it
                return self.resigned(
                    envelope, ("predicate", "signer"), self.random.choice(["rita", "dan", "ci"])
                )
            case 3:  # say that they signed for another role
                return self.resigned(envelope, ("predicate", "roles"), [self.random.choice([*ROLES])])
            case 4:  # change any field to that of another statement
                document = envelope.payload
                path = self.random.choice(fields(document))
                donor = read(self.random.choice(POOL).payload)
                try:
                    return self.resigned(envelope, path, value_at(donor, path))
                except (AssertionError, KeyError, IndexError):
                    return envelope
            case 5:
                return replace(envelope, signature=self.random.choice(POOL).signature)
            case _:
                return twin(envelope)

    def resigned(self, envelope: Envelope, path: tuple[str | int, ...], value: JsonValue) -> Envelope:
        """Change a field; keep the signature or sign with a key that the coordinator has."""
        payload = edited(envelope.payload, path, value)
        key = self.random.choice([None, ROGUE, ACME.log_key])
        return replace(envelope, payload=payload) if key is None else sign(payload, key)

    def move(self, entries: list[Entry]) -> list[Entry]:
        """Change one thing in a history."""
        at = self.random.randrange(len(entries))
        entry = entries[at]
        match self.random.randrange(8):
            case 0:
                return [*entries[:at], *entries[at + 1 :]] if len(entries) > 1 else entries
            case 1:
                return [*entries[:at], entry, *entries[at:]]
            case 2:
                other = self.random.randrange(len(entries))
                order = list(entries)
                order[at], order[other] = order[other], order[at]
                return order
            case 3:
                return [*entries[: at + 1], self.decided(entry), *entries[at + 1 :]]
            case 4:
                body: dict[str, JsonValue] = {"envelope": self.envelope().to_json()}
                return [*entries[:at], replace(entry, body=body), *entries[at + 1 :]]
            case 5:
                minutes = self.random.randrange(-5, 60 * 26)
                return [*entries[:at], replace(entry, at=NOW + MINUTE * minutes), *entries[at + 1 :]]
            case 6:
                kind = self.random.choice([*EntryType])
                return [*entries[:at], replace(entry, type=kind), *entries[at + 1 :]]
            case _:
                return [*entries, self.conclusion(entries[-1])]

    def decided(self, last: Entry) -> Entry:
        """Log something that it made up as a decision."""
        return replace(last, type=EntryType.DECIDED, body={"envelope": self.envelope().to_json()})

    def conclusion(self, last: Entry) -> Entry:
        """Claim a quorum."""
        seats = list(FULL_SEATS)
        if self.random.random() < 0.5:
            seats[2] = {
                "role": "release",
                "signers": [self.random.choice(["dan", "alice", "mallory", "rita"])],
            }
        if self.random.random() < 0.2:
            seats = seats[:2]
        return replace(last, type=EntryType.APPROVED, body={"seats": seats})


def twin(envelope: Envelope) -> Envelope:
    """Return the other valid ECDSA signature of the same bytes, where there is one."""
    try:
        r, s = utils.decode_dss_signature(envelope.signature)
    except ValueError:
        return envelope
    return replace(envelope, signature=utils.encode_dss_signature(r, P256_ORDER - s))


def publish_and_verify(entries: list[Entry], *, chained: bool = True) -> str:
    """Log a history, prove it, publish it, and let a consumer judge."""
    log = SimulatedLog(ACME)

    def judge() -> object:
        history = relinked(entries) if chained else entries
        log.append(history)
        return verify(log.bundle(history), log.trust, ARTIFACTS)

    return verdict(judge)


def test_the_harness_accepts_what_is_honest() -> None:
    """Else every forgery below would be refused for nothing."""
    chain, entries = ACME.run("alice", "bob", "carol", "rita")
    assert chain.ceremony.ended_at is not None
    assert publish_and_verify(entries) == "accepted"
    assert publish_and_verify(HONEST) == "quorum.short"


@pytest.mark.exhaustive
@pytest.mark.timeout(0)
def test_coordinator_keys_and_too_few_approvals_make_no_bundle_that_verifies(
    count: Callable[..., int],
) -> None:
    seen: dict[str, int] = {}
    for seed in range(count(500, deep=10_000)):
        forger = Forger(Random(seed))
        entries = list(HONEST)
        for _ in range(forger.random.randrange(1, 4)):
            # Half of them leave the honest entries alone and add what is missing: these come farthest.
            entries = forger.move(entries) if seed % 2 else [*entries, forger.decided(entries[-1])]
        if entries[-1].type is not EntryType.APPROVED and forger.random.random() < 0.7:
            entries = [*entries, forger.conclusion(entries[-1])]
        code = publish_and_verify(entries, chained=forger.random.random() < 0.95)
        seen[code] = seen.get(code, 0) + 1
    print(dict(sorted(seen.items(), key=lambda item: -item[1])))  # noqa: T201 - what was refused, and why
    assert "accepted" not in seen
    assert len(seen) >= 10  # the forgeries come far enough to be refused for many reasons


def test_a_policy_of_the_coordinators_own_is_not_the_pinned_one() -> None:
    def weaken(policy: Policy) -> Policy:
        everybody = {
            name: replace(
                signer,
                keys=(
                    SignerKey(
                        key=key_of(f"rogue {name}").public,
                        valid_from=signer.keys[0].valid_from,
                        valid_until=signer.keys[0].valid_until,
                    ),
                ),
            )
            for name, signer in policy.signers.items()
        }
        return replace(policy, signers=everybody)

    log = SimulatedLog(ACME)
    _, entries = ACME.run("alice", "bob", "carol", "rita")
    log.append(entries)
    honest = read_bundle(log.bundle(entries))
    payload = write_policy(weaken(ACME.build_policy()))
    rogue = JointEnvelope.of(sign(payload, key_of(f"rogue {name}")) for name in ("alice", "bob", "carol"))
    bundle = write_bundle(replace(honest, policies=(rogue,)))
    assert verdict(lambda: verify(bundle, log.trust, ARTIFACTS)) == "policy_chain.broken"


@pytest.mark.parametrize("scheme", Scheme)
def test_the_logs_own_key_approves_nothing(scheme: Scheme) -> None:
    chain, entries = ACME.run("alice", "bob", "carol")
    decision = ACME.decision("rita", chain.ceremony.request, at=NOW + MINUTE * 4)
    for key in (ACME.log_key, key_of(ACME.origin, scheme), ROGUE):
        made = replace(
            entries[-1], body={"envelope": ACME.seal(decision, key=key).to_json()}, at=NOW + MINUTE * 4
        )
        assert publish_and_verify([*entries, made]) == "statement.signature"


SEALED = published(ACME, "alice", "bob", "carol", "rita")


@pytest.mark.exhaustive
@pytest.mark.timeout(0)
def test_a_bit_flipped_anywhere_is_refused_or_changes_nothing() -> None:
    honest = told(SEALED.verify())
    bits = range(len(SEALED.bundle) * 8)
    harmless = 0
    for bit in bits if DEEP else sorted(Random(2).sample(bits, 600)):
        data = bytearray(SEALED.bundle)
        data[bit // 8] ^= 1 << bit % 8
        try:
            verified = SEALED.verify(bytes(data))
        except Refusal:  # anything else is a crash, and fails
            continue
        assert told(verified) == honest
        harmless += 1
    assert harmless < len(bits) // 50


@pytest.mark.exhaustive
def test_a_byte_cut_out_or_put_in_is_refused_or_changes_nothing(count: Callable[..., int]) -> None:
    honest = told(SEALED.verify())
    random = Random(3)
    for _ in range(count(200, deep=20_000)):
        place = random.randrange(len(SEALED.bundle))
        other = SEALED.bundle[:place] + (random.randbytes(1) if random.random() < 0.5 else b"")
        data = other + SEALED.bundle[place + random.randrange(2) :]
        try:
            verified = SEALED.verify(data)
        except Refusal:
            continue
        assert told(verified) == honest
