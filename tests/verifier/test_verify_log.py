# SPDX-License-Identifier: Apache-2.0
"""Step 8 of verification: the log's own checkpoint, the right proofs and no others; key ids never matter."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Log, LogKey
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import JointEnvelope
from quorumseal.tlog import Checkpoint, prove_consistency, prove_inclusion, sign_checkpoint
from quorumseal.verifier.bundle import make_bundle, read_bundle, write_bundle
from quorumseal.verifier.part import Part, seen_checkpoints, verify_part
from quorumseal.verifier.verify import verify
from tests.forging import relinked, verdict
from tests.organisation import NOW, Organisation, changed, key_of
from tests.simulated_log import SimulatedLog
from tests.verifier.published import ARTIFACTS, Published, published, told

ACME = Organisation()
SEALED = published(ACME, "alice", "bob", "carol", "rita")
OTHER = published(
    changed(ACME, name="other.example", origin="log.other.example"), "alice", "bob", "carol", "rita"
)


def with_part(**fields: object) -> str:
    part = replace(SEALED.log.part(SEALED.entries), **fields)  # type: ignore[arg-type] # by the caller
    return verdict(lambda: SEALED.verify(write_bundle(make_bundle([ACME.policy], part))))


HONEST: Part = SEALED.log.part(SEALED.entries)
SIZES = sorted(HONEST.consistency)


def signed_checkpoint(size: int, root: bytes, *, origin: str = ACME.origin, key: str = ACME.origin) -> bytes:
    return sign_checkpoint(Checkpoint(origin, size, root), key_of(key))


def test_the_honest_part_is_accepted() -> None:
    assert with_part() == "accepted"
    assert len(SIZES) == 4


LOG_SIZE, LOG_ROOT = SEALED.log.size, SEALED.log.roots[-1]
CHECKPOINTS: dict[str, tuple[bytes, str]] = {
    "signed by another key": (signed_checkpoint(LOG_SIZE, LOG_ROOT, key="thief"), "log.note_signature"),
    "signed by an approver": (signed_checkpoint(LOG_SIZE, LOG_ROOT, key="alice"), "log.note_signature"),
    "of another log": (OTHER.log.checkpoint(), "log.note_signature"),
    "of another log by this log's key": (
        signed_checkpoint(LOG_SIZE, LOG_ROOT, origin="log.other.example"), "log.note_signature",
    ),
    "with another root": (signed_checkpoint(LOG_SIZE, bytes(32)), "log.inclusion_proof"),
    "of a smaller log": (SEALED.log.checkpoint(LOG_SIZE - 1), "log.inclusion_proof"),
    "of a larger log": (signed_checkpoint(LOG_SIZE + 1, LOG_ROOT), "log.inclusion_proof"),
    "that nobody signed": (HONEST.checkpoint.split(b"\n\n")[0] + b"\n\n", "log.note_malformed"),
    "that is not there": (b"", "unlogged.not_allowed"),
    "that is not UTF-8 safe": (HONEST.checkpoint.replace(b"\n", b"\r\n"), "log.note_malformed"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_checkpoint_is_the_logs_own(case: str) -> None:
    note, code = CHECKPOINTS[case]
    assert with_part(checkpoint=note) == code


@pytest.mark.parametrize("signature", ["", "A" * 91 + "=", None])
def test_one_checkpoint_is_proved_once_whatever_a_statement_says_it_was_signed_with(
    signature: str | None,
) -> None:
    log = SimulatedLog(ACME)
    chain, opening = open_chain(ACME.policy, ACME.sign_request(), at=NOW)
    entries = [opening]
    honest = log.seen()
    log.append([opening])
    for minute, signer in enumerate(("alice", "bob", "carol", "rita"), start=1):
        seen = honest if signature is None or signer != "bob" else replace(honest, signature=signature)
        at = NOW + timedelta(minutes=minute)
        decision = ACME.sign_decision(ACME.decision(signer, chain.ceremony.request, at=at, seen=seen))
        chain, more = extend(chain, Record(decision), at=at)
        entries += more
    log.append(entries[1:])
    part = log.part(entries)
    assert {seen.size for seen in seen_checkpoints(part.entries)} == {0, 1}
    assert len(seen_checkpoints(part.entries)) == 2
    assert list(part.consistency) == [1]
    assert verify_part(part, ACME.policy).chain.ceremony.state is State.APPROVED


def test_a_later_checkpoint_is_not_the_one_signed_at_the_conclusion() -> None:
    log = SimulatedLog(ACME)
    log.append(SEALED.entries)
    log.append(ACME.run("alice", request=ACME.sign_request(ACME.request(number=5, version="5")))[1])
    bundle = write_bundle(make_bundle([ACME.policy], log.part(SEALED.entries, size=log.size)))
    assert verdict(lambda: verify(bundle, log.trust, ARTIFACTS)) == "log.conclusion_checkpoint"


INCLUSIONS: dict[str, tuple[dict[str, object], str]] = {
    "another index": ({"index": HONEST.index - 1}, "log.inclusion_proof"),
    "an index beyond the log": ({"index": LOG_SIZE}, "log.inclusion_proof"),
    "no proof": ({"inclusion": ()}, "log.inclusion_proof"),
    "a proof with a hash more": ({"inclusion": (*HONEST.inclusion, bytes(32))}, "log.inclusion_proof"),
    "a proof with a hash less": ({"inclusion": HONEST.inclusion[:-1]}, "log.inclusion_proof"),
    "a proof turned round": ({"inclusion": HONEST.inclusion[::-1]}, "log.inclusion_proof"),
    "a proof of another entry": (
        {"inclusion": tuple(prove_inclusion(2, LOG_SIZE, SEALED.log.node))}, "log.inclusion_proof",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INCLUSIONS)
def test_an_inclusion_proof_is_of_the_last_entry_and_no_other(case: str) -> None:
    fields, code = INCLUSIONS[case]
    assert with_part(**fields) == code


def consistency(changes: Mapping[int, tuple[bytes, ...] | None]) -> dict[str, object]:
    changed_proofs = {**HONEST.consistency, **changes}
    return {"consistency": {size: proof for size, proof in changed_proofs.items() if proof is not None}}


CONSISTENCY: dict[str, tuple[dict[str, object], str]] = {
    "missing": (consistency({SIZES[0]: None}), "log.seen_checkpoint"),
    "all missing": ({"consistency": {}}, "log.seen_checkpoint"),
    "for a checkpoint that nobody names": (
        consistency({1: tuple(prove_consistency(1, LOG_SIZE, SEALED.log.node))}), "log.seen_checkpoint",
    ),
    "cut short": (consistency({SIZES[1]: HONEST.consistency[SIZES[1]][:-1]}), "log.consistency_proof"),
    "long": (consistency({SIZES[1]: (*HONEST.consistency[SIZES[1]], bytes(32))}), "log.consistency_proof"),
    "from another size": (
        consistency({SIZES[1]: HONEST.consistency[SIZES[2]]}), "log.consistency_proof",
    ),
    "of zeros": (
        consistency({SIZES[0]: tuple(bytes(32) for _ in HONEST.consistency[SIZES[0]])}),
        "log.consistency_proof",
    ),
    "empty": (consistency({SIZES[0]: ()}), "log.consistency_proof"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONSISTENCY)
def test_every_checkpoint_that_a_statement_names_is_proved_and_no_other(case: str) -> None:
    fields, code = CONSISTENCY[case]
    assert with_part(**fields) == code


def test_a_log_that_was_forked_after_somebody_looked_is_refused() -> None:
    """The approvals name checkpoints of the log that their signers saw; the fork never had these."""
    fork = SimulatedLog(ACME)
    fork.append(ACME.run("bob", request=ACME.sign_request(ACME.request(number=8, version="8")))[1])
    fork.append(SEALED.entries)
    assert (
        verdict(lambda: verify(fork.bundle(SEALED.entries), fork.trust, ARTIFACTS)) == "log.consistency_proof"
    )


def test_a_retired_log_key_signs_no_later_checkpoint() -> None:
    policy = ACME.build_policy()
    acme = changed(ACME)
    for from_size, code in ((8, "log.note_signature"), (LOG_SIZE + 1, "accepted")):
        keys = (
            *policy.log.keys,
            LogKey(key=key_of("the next log key").public, from_size=from_size, from_root=digest_of(b"root")),
        )
        signed = acme.sign_policy(replace(policy, log=Log(origin=policy.log.origin, keys=keys)))
        object.__setattr__(acme, "_signed", signed)
        assert verdict(published(acme, "alice", "bob", "carol", "rita").verify) == code


# What changes nothing


KEY_IDS: dict[str, Callable[[int, str], str]] = {
    "stripped": lambda _, __: "",
    "all the same": lambda _, __: ACME.key("alice").public.key_id,
    "another's": lambda index, _: ACME.key(("rita", "carol", "bob", "alice")[index % 4]).public.key_id,
    "nonsense": lambda index, _: f"key {index}",
    "cut short": lambda _, key_id: key_id[:20],
}


@pytest.mark.parametrize("case", KEY_IDS)
def test_key_ids_change_nothing(case: str) -> None:
    forge = KEY_IDS[case]
    entries = []
    for index, entry in enumerate(SEALED.entries):
        if "envelope" in entry.body:
            envelope = replace(entry.envelope, key_id=forge(index, entry.envelope.key_id))
            entry = replace(entry, body={"envelope": envelope.to_json()})
        entries.append(entry)
    log = SimulatedLog(ACME)
    log.append(ACME.run("alice", request=ACME.sign_request(ACME.request(number=9)))[1])
    chained = relinked(entries)
    log.append(chained)
    # The signers saw checkpoints of a log with other key ids in it, which the bundle cannot connect.
    assert verdict(lambda: verify(log.bundle(chained), log.trust, ARTIFACTS)) == "log.consistency_proof"
    fresh = published_with_key_ids(forge)
    assert told(fresh.verify()) == told(published_with_key_ids(lambda _, key_id: key_id).verify())


def published_with_key_ids(forge: Callable[[int, str], str]) -> Published:
    chain, entries = ACME.run("alice", "bob", "carol", "rita")
    assert chain.ceremony.ended_at is not None
    forged = [
        replace(e, body={"envelope": replace(e.envelope, key_id=forge(i, e.envelope.key_id)).to_json()})
        if "envelope" in e.body
        else e
        for i, e in enumerate(entries)
    ]
    chained = relinked(forged)
    log = SimulatedLog(ACME)
    log.append(chained)
    bundle = read_bundle(log.bundle(chained))
    policies = tuple(
        replace(
            version,
            signatures=tuple((sig, forge(i, hint)) for i, (sig, hint) in enumerate(version.signatures)),
        )
        for version in bundle.policies
        if isinstance(version, JointEnvelope)
    )
    return Published(ACME, log, chained, write_bundle(replace(bundle, policies=policies)))
