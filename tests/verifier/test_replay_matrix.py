# SPDX-License-Identifier: Apache-2.0
"""Every field of a valid statement exchanged with another valid ceremony's: each has its own refusal.

A hostile coordinator logs the forged statement in place of the honest one, chains the entries anew, signs
the checkpoint with its own key and publishes.  The forged bytes are either signed again by the right key
(the signer's own, as on a stolen laptop) or left with the signature that they had.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import permutations

import pytest

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Evidence,
    Locator,
    SeenCheckpoint,
    Subject,
)
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import JsonValue, read
from quorumseal.verifier.part import verify_part, verify_seen_checkpoints
from quorumseal.verifier.verify import verify
from tests.forging import Path, edited, fields, relinked, value_at, verdict
from tests.organisation import ARTIFACT, NOW, REASON_DIGEST, Organisation, ceremony_number, changed
from tests.simulated_log import SimulatedLog

MINUTE = timedelta(minutes=1)
ONES, TWOS = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ACME = Organisation(checks=frozenset({"artifacts"}))
OTHER = changed(ACME, name="other.example", origin="log.other.example/test", version=2, previous=ONES)
SEEN_ELSEWHERE = SeenCheckpoint(size=1, root=TWOS)
ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}

Edits = tuple[tuple[Path, JsonValue], ...]


@dataclass(frozen=True)
class Case:
    """A kind of statement in an honest ceremony, where it stands, and the other ceremony's statement."""

    entries: list[Entry]
    index: int
    other: bytes
    baseline: str
    """What an honest bundle of this ceremony comes to."""

    @property
    def payload(self) -> bytes:
        return self.entries[self.index].envelope.payload

    def judge(self, envelope: Envelope) -> str:
        """Publish the ceremony with another envelope in place of the honest one."""
        forged = replace(self.entries[self.index], body={"envelope": envelope.to_json()})
        entries = [*self.entries[: self.index], forged, *self.entries[self.index + 1 :]]
        if self.index == 0:
            ceremony = value_at(read(envelope.payload), ("predicate", "ceremony"))
            assert isinstance(ceremony, str)
            entries = [replace(entry, ceremony=ceremony) for entry in entries]
        log = SimulatedLog(ACME)

        def publish_and_verify() -> object:
            chained = relinked(entries)
            log.append(chained)
            part = log.part(chained)
            verify_seen_checkpoints(part, verify_part(part, ACME.policy).checkpoint)  # as agents do
            return verify(log.bundle(chained), log.trust, ARTIFACTS)

        return verdict(publish_and_verify)


def _elsewhere() -> Chain:
    """Return another organisation's ceremony, under way: everything about it differs."""
    request = OTHER.request(
        number=2,
        requester="ci",
        on_behalf_of="erin",
        product="gadget",
        version="2.0",
        subjects=(Subject(name="gadget.tar.gz", digest=ONES),),
        at=NOW + timedelta(days=2),
        deadline=timedelta(hours=3),
        supersedes=TWOS,
    )
    request = replace(
        request,
        context=replace(request.context, checkpoint=SEEN_ELSEWHERE),
        ticket="T-2",
        evidence=(Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=ONES),),
        locators=(Locator(name="gadget.tar.gz", uri="https://other.example/gadget.tar.gz"),),
    )
    return OTHER.run(request=OTHER.sign_request(request), at=request.context.signed_at)[0]


ELSEWHERE = _elsewhere()


def _decision_elsewhere(choice: Choice) -> bytes:
    decision = OTHER.decision(
        "dan", ELSEWHERE.ceremony.request, choice, roles=["release"], replaces=ONES, seen=SEEN_ELSEWHERE,
        not_after=NOW + timedelta(seconds=30),
    )  # fmt: skip
    checks = (Check(name="sbom", outcome=CheckOutcome.PASS),)
    return write_statement(replace(decision, checks=checks, reason=TWOS))


@cache
def case(kind: str) -> Case:
    """Return an honest ceremony with a statement of a kind in it, every optional field given."""
    chain, entries = ACME.run()

    def add(signer: str, minute: int, choice: Choice = Choice.APPROVAL) -> None:
        nonlocal chain
        when = NOW + MINUTE * minute
        standing = chain.ceremony.decisions.get(signer)
        decision = ACME.decision(
            signer, chain.ceremony.request, choice, at=when, not_after=NOW + timedelta(days=3),
            replaces=standing.digest if standing else None,
        )  # fmt: skip
        signed = ACME.sign_decision(replace(decision, reason=REASON_DIGEST))
        chain, more = extend(chain, Record(signed), at=when)
        entries.extend(more)

    add("alice", 1, Choice.ABSTENTION)
    match kind:
        case "approval" | "abstention":
            add("alice", 2, Choice(kind))
            for minute, signer in enumerate(("bob", "carol", "rita"), start=3):
                add(signer, minute)
            if kind == "abstention":
                add("erin", 6)
            return Case(entries, 2, _decision_elsewhere(Choice(kind)), "accepted")
        case "rejection":
            add("alice", 2, Choice.REJECTION)
            return Case(entries, 2, _decision_elsewhere(Choice.REJECTION), "ceremony.rejected")
        case "cancellation":
            cancellation = ACME.cancellation("mallory", chain, at=NOW + MINUTE * 2)
            chain, more = extend(chain, Cancel(ACME.sign_cancellation(cancellation)), at=NOW + MINUTE * 2)
            other = replace(OTHER.cancellation("rita", ELSEWHERE), reason=TWOS)
            other = replace(other, context=replace(other.context, checkpoint=SEEN_ELSEWHERE))
            return Case([*entries, *more], 2, write_statement(other), "ceremony.unapproved")
        case _:
            for minute, signer in enumerate(("bob", "erin", "carol", "rita"), start=3):
                add(signer, minute)
            return Case(entries, 0, ELSEWHERE.ceremony.request.envelope.payload, "accepted")


P = "predicate"
CONTEXT: dict[str, tuple[tuple[Path, ...], str]] = {
    "organisation": (((P, "organisation"),), "statement.organisation"),
    "log": (((P, "log"),), "statement.log"),
    "policy version": (((P, "policy", "version"),), "statement.policy"),
    "policy digest": (((P, "policy", "digest"),), "statement.policy"),
}
DECISION: dict[str, tuple[tuple[Path, ...], str]] = {
    **CONTEXT,
    "signer": (((P, "signer"),), "decision.not_a_member"),
    "signing time": (((P, "signed_at"),), "decision.signed_after_deadline"),
    "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
    "checkpoint size": (((P, "checkpoint", "size"),), "log.consistency_proof"),
    "checkpoint root": (((P, "checkpoint", "root"),), "log.consistency_proof"),
    "ceremony": (((P, "ceremony"),), "statement.ceremony"),
    "roles": (((P, "roles"),), "decision.not_a_member"),
    "replaces": (((P, "replaces"),), "decision.replaces"),
    "not after": (((P, "not_after"),), "decision.not_after"),
    "reason": (((P, "reason"),), "may differ"),
}
MATRIX: dict[str, dict[str, tuple[tuple[Path, ...], str]]] = {
    "approval": {
        **DECISION,
        "request": (((P, "request"),), "statement.request"),
        "subjects": ((("subject",),), "statement.subjects"),
        "checks": (((P, "checks"),), "decision.check_not_passed"),
    },
    **{
        choice: {
            **DECISION,
            "request and subject": (((P, "request"), ("subject",)), "statement.request"),
            "request alone": (((P, "request"),), "statement.format"),
            "subject alone": ((("subject",),), "statement.format"),
            "checks": (((P, "checks"),), "may differ"),
        }
        for choice in ("rejection", "abstention")
    },
    "cancellation": {
        **CONTEXT,
        "signer": (((P, "signer"),), "may differ"),  # rita may cancel too, where she signs it herself
        "signing time": (((P, "signed_at"),), "decision.signed_after_deadline"),
        "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
        "ceremony": (((P, "ceremony"),), "statement.ceremony"),
        "request and subject": (((P, "request"), ("subject",)), "statement.request"),
        "request alone": (((P, "request"),), "statement.format"),
        "subject alone": ((("subject",),), "statement.format"),
        "entry seen": (((P, "seen"),), "act.entry_not_seen"),
        "reason": (((P, "reason"),), "may differ"),
    },
    "request": {
        **{name: row for name, row in CONTEXT.items() if name != "policy digest"},
        "policy digest and subject": (((P, "policy", "digest"), ("subject",)), "statement.policy"),
        "policy digest alone": (((P, "policy", "digest"),), "statement.format"),
        "subject alone": ((("subject",),), "statement.format"),
        "signer": (((P, "signer"),), "request.on_behalf_of"),
        "signing time": (((P, "signed_at"),), "request.deadline"),
        "ceremony": (((P, "ceremony"),), "statement.ceremony"),
        "subjects and locators": (((P, "subjects"), (P, "locators")), "statement.request"),
        "locators alone": (((P, "locators"),), "json.invalid_field"),
        "deadline": (((P, "deadline"),), "request.deadline"),
        "hard stop": (((P, "hard_stop"),), "statement.request"),
        "on behalf of": (((P, "on_behalf_of"),), "request.on_behalf_of"),
        # Whatever else differs makes another request, about which nobody has decided anything.
        **{
            field: (((P, field),), "statement.request")
            for field in ("product", "version", "checkpoint", "subjects", "evidence", "supersedes", "ticket")
        },
    },
}  # fmt: skip
# What is read before the signature is looked at has the same refusal without one.
BEFORE_THE_SIGNATURE = {
    "statement.organisation",
    "statement.log",
    "statement.policy",
    "statement.format",
    "json.invalid_field",
}
ROWS = [(kind, row) for kind, rows in MATRIX.items() for row in rows]


def exchanged(kind: str, row: str) -> bytes:
    paths, _ = MATRIX[kind][row]
    payload, other = case(kind).payload, read(case(kind).other)
    for path in paths:
        payload = edited(payload, path, value_at(other, path))
    assert payload != case(kind).payload
    return payload


@pytest.mark.parametrize("kind", MATRIX)
def test_the_honest_statement_is_taken(kind: str) -> None:
    honest = case(kind)
    assert honest.judge(honest.entries[honest.index].envelope) == honest.baseline


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_field_of_another_ceremony_signed_again_by_the_right_key_has_its_own_refusal(
    kind: str, row: str
) -> None:
    payload = exchanged(kind, row)
    expected = MATRIX[kind][row][1].replace("may differ", case(kind).baseline)
    signer = value_at(read(payload), (P, "signer"))
    assert isinstance(signer, str)
    assert case(kind).judge(sign(payload, ACME.key(signer))) == expected


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_field_of_another_ceremony_under_the_old_signature_is_refused(kind: str, row: str) -> None:
    expected = MATRIX[kind][row][1]
    honest = case(kind).entries[case(kind).index].envelope
    forged = replace(honest, payload=exchanged(kind, row))
    assert case(kind).judge(forged) == (
        expected if expected in BEFORE_THE_SIGNATURE else "statement.signature"
    )


@pytest.mark.parametrize("kind", MATRIX)
def test_no_field_is_missing_from_the_matrix(kind: str) -> None:
    """A field that is added to a statement must be added here, with the refusal that its exchange gets."""
    same_everywhere = {("_type",), ("predicateType",), (P,), (P, "format"), (P, "kind"), (P, "mode")}
    listed = {path for paths, _ in MATRIX[kind].values() for path in paths} | same_everywhere
    for document in (case(kind).payload, case(kind).other):
        for path in fields(document):
            whole = any(path[: len(known)] == known for known in listed - {(P,)})
            parts = any(known[: len(path)] == path for known in listed)
            assert whole or parts, path


@pytest.mark.parametrize("kind", MATRIX)
def test_a_whole_statement_of_another_ceremony_is_refused(kind: str) -> None:
    statement = read_statement(case(kind).other)
    assert case(kind).judge(OTHER.seal(statement)) == "statement.organisation"


UNREADABLE = {"statement.format", "json.missing_field", "json.unknown_field"}
# Signed again, these are what their signer now says: an approval that has the request's digest as its
# artifact, or another decision, after which the ceremony does not go on as it did.
TURNED: dict[tuple[str, str], set[str]] = {
    ("rejection", "approval"): {"statement.subjects"},
    ("abstention", "approval"): {"statement.subjects"},
    ("abstention", "rejection"): {"chain.outcome"},
    ("rejection", "abstention"): {"chain.outcome"},
}


@pytest.mark.parametrize(("kind", "other"), list(permutations(MATRIX, 2)))
def test_a_statement_of_one_kind_never_passes_for_another(kind: str, other: str) -> None:
    turned = edited(case(kind).payload, ("predicateType",), f"https://quorumseal.dev/{other}/v1")
    signer = value_at(read(turned), (P, "signer"))
    assert isinstance(signer, str)
    assert case(kind).judge(sign(turned, ACME.key(signer))) in TURNED.get((kind, other), UNREADABLE)
    unsigned = replace(case(kind).entries[case(kind).index].envelope, payload=turned)
    assert case(kind).judge(unsigned) in {"statement.signature", *UNREADABLE}


INSTANT = timedelta(milliseconds=1)
TIMES: dict[str, tuple[timedelta, str]] = {
    "a little before it is logged": (MINUTE, "accepted"),
    "just before the ceremony opened, within the skew": (-MINUTE * 2, "accepted"),
    "just after it is logged, within the skew": (MINUTE * 4, "accepted"),
    "before the ceremony opened": (-MINUTE * 2 - INSTANT, "decision.signed_before_opening"),
    "after it is logged": (MINUTE * 4 + INSTANT, "decision.signed_in_future"),
    "at the deadline": (timedelta(days=1), "decision.signed_after_deadline"),
    "before the key was valid": (-timedelta(days=31), "key.not_valid"),
}


@pytest.mark.parametrize("time", TIMES)
def test_a_signing_time_may_differ_within_its_range_and_nowhere_else(time: str) -> None:
    after, code = TIMES[time]
    statement = read_statement(case("approval").payload)
    moved = replace(statement, context=replace(statement.context, signed_at=NOW + after))
    assert case("approval").judge(ACME.seal(moved)) == code


CHECKPOINTS: dict[str, tuple[SeenCheckpoint, str]] = {
    "the one before the ceremony": (SimulatedLog(ACME).seen(), "accepted"),
    "an empty log with a root": (SeenCheckpoint(size=0, root=ONES), "log.consistency_proof"),
    "a larger log than there is": (SeenCheckpoint(size=999, root=ONES), "log.seen_checkpoint"),
    "another root of a size": (SeenCheckpoint(size=2, root=ONES), "log.consistency_proof"),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_must_be_a_past_of_the_log(name: str) -> None:
    """The rules take it as the signer's word; that the log has it is what the proofs are for."""
    seen, code = CHECKPOINTS[name]
    statement = read_statement(case("approval").payload)
    moved = replace(statement, context=replace(statement.context, checkpoint=seen))
    assert case("approval").judge(ACME.seal(moved)) == code


def test_a_not_after_may_differ_while_it_lies_ahead() -> None:
    for minute, code in ((2, "decision.not_after"), (3, "chain.outcome"), (9, "accepted")):
        payload = edited(case("approval").payload, (P, "not_after"), f"2026-11-20T14:{minute:02}:00.000Z")
        assert case("approval").judge(sign(payload, ACME.key("alice"))) == code


def test_a_request_that_differs_only_in_its_identifier_takes_no_decision_along() -> None:
    payload = edited(case("request").payload, (P, "ceremony"), ceremony_number(77))
    assert case("request").judge(sign(payload, ACME.key("mallory"))) == "statement.ceremony"
