# SPDX-License-Identifier: Apache-2.0
"""An ordinary ceremony and another organisation's, every optional field given: what an exchange comes to."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Record
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Evidence,
    Locator,
    SeenCheckpoint,
    Subject,
)
from tests.organisation import NOW, REASON_DIGEST, Organisation, changed
from tests.verifier.replaying import ABOUT_A_REQUEST, ABOUT_THE_POLICY, IN_A_CEREMONY, Case, P, Row

MINUTE = timedelta(minutes=1)
ONES, TWOS = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ACME = Organisation(checks=frozenset({"artifacts"}))
OTHER = changed(ACME, name="other.example", origin="log.other.example/test", version=2, previous=ONES)
SEEN_ELSEWHERE = SeenCheckpoint(size=1, root=TWOS)


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
    return write_statement(replace(decision, checks=checks, reason=TWOS, delegation=ONES))


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
            return Case(ACME, entries, 2, _decision_elsewhere(Choice(kind)), "accepted")
        case "rejection":
            add("alice", 2, Choice.REJECTION)
            return Case(ACME, entries, 2, _decision_elsewhere(Choice.REJECTION), "ceremony.rejected")
        case "cancellation":
            cancellation = ACME.cancellation("mallory", chain, at=NOW + MINUTE * 2)
            chain, more = extend(chain, Cancel(ACME.sign_cancellation(cancellation)), at=NOW + MINUTE * 2)
            other = replace(OTHER.cancellation("rita", ELSEWHERE), reason=TWOS)
            other = replace(other, context=replace(other.context, checkpoint=SEEN_ELSEWHERE))
            return Case(ACME, [*entries, *more], 2, write_statement(other), "ceremony.unapproved")
        case _:
            for minute, signer in enumerate(("bob", "erin", "carol", "rita"), start=3):
                add(signer, minute)
            return Case(ACME, entries, 0, ELSEWHERE.ceremony.request.envelope.payload, "accepted")


DECISION: dict[str, Row] = {
    **IN_A_CEREMONY,
    "signer": (((P, "signer"),), "decision.not_a_member"),
    "signing time": (((P, "signed_at"),), "decision.signed_after_deadline"),
    "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
    "checkpoint size": (((P, "checkpoint", "size"),), "log.consistency_proof"),
    "checkpoint root": (((P, "checkpoint", "root"),), "log.consistency_proof"),
    "roles": (((P, "roles"),), "decision.not_a_member"),
    "replaces": (((P, "replaces"),), "decision.replaces"),
    "not after": (((P, "not_after"),), "decision.not_after"),
    "delegation": (((P, "delegation"),), "decision.delegation"),
    "reason": (((P, "reason"),), "may differ"),
}
MATRIX: dict[str, dict[str, Row]] = {
    "approval": {
        **DECISION,
        "request": (((P, "request"),), "statement.request"),
        "subjects": ((("subject",),), "statement.subjects"),
        "checks": (((P, "checks"),), "decision.check_not_passed"),
    },
    **{
        choice: {
            **DECISION,
            **ABOUT_A_REQUEST,
            "checks": (((P, "checks"),), "may differ"),
        }
        for choice in ("rejection", "abstention")
    },
    "cancellation": {
        **ABOUT_A_REQUEST,
        "signer": (((P, "signer"),), "may differ"),  # rita may cancel too, where she signs it herself
        "signing time": (((P, "signed_at"),), "decision.signed_after_deadline"),
        "checkpoint": (((P, "checkpoint"),), "log.consistency_proof"),
        "entry seen": (((P, "seen"),), "act.entry_not_seen"),
        "reason": (((P, "reason"),), "may differ"),
    },
    "request": {
        **ABOUT_THE_POLICY,
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
