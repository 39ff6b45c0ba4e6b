# SPDX-License-Identifier: Apache-2.0
"""Another organisation's emergencies, acts and absences: everything about them differs from those here."""

from dataclasses import replace

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import (
    Absence,
    Check,
    CheckOutcome,
    Concluded,
    Delegation,
    Evidence,
    Extension,
    Locator,
    Report,
    Request,
    SeenCheckpoint,
    Statement,
    Subject,
    Veto,
    Withdrawal,
)
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    emergency_request,
    open_emergency,
    ratification,
    reapproval,
    revocation,
)
from tests.organisation import NOW, ceremony_number, changed

ONES, TWOS, THREES = (f"sha256:{digit * 64}" for digit in "123")
THERE = changed(BURNING, name="other.example", origin="log.other.example/test", version=2, previous=ONES)
LATER = NOW + DAY * 2
SEEN_THERE = SeenCheckpoint(size=1, root=TWOS)


def rich(request: Request) -> bytes:
    """Return a request, written, with every optional field."""
    return write_statement(
        replace(
            request,
            context=replace(request.context, checkpoint=SEEN_THERE),
            on_behalf_of="erin",
            supersedes=TWOS,
            ticket="T-2",
            why=request.why and TWOS,
            evidence=(Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=ONES),),
            locators=(Locator(name=request.subjects[0].name, uri="https://other.example/gadget"),),
        )
    )


def emergency_request_there() -> Request:
    """Return a request that breaks the glass there."""
    request = emergency_request(THERE, number=2, requester="ci", at=LATER, people=3, reason="vulnerability")
    assert request.emergency is not None
    return replace(
        request,
        product="gadget",
        version="2.0",
        subjects=(Subject(name="gadget.tar.gz", digest=ONES),),
        emergency=replace(request.emergency, incident="INC-2", impact=TWOS),
    )


_ELSEWHERE = Concluded(
    ceremony=ceremony_number(2), request=ONES, conclusion=TWOS, requesters=frozenset({"erin"})
)


def _chain_there() -> Chain:
    return open_emergency(THERE, emergency_request(THERE, number=2, at=LATER), at=LATER)


def ratification_there() -> Request:
    """Return a request for a ratification there."""
    request = ratification(_chain_there(), THERE, number=3, requester="ci", at=LATER)
    return replace(_gadget(request), ratified=_ELSEWHERE)


def reapproval_there() -> Request:
    """Return a request for a re-approval there."""
    request = reapproval(_chain_there(), THERE, number=3, requester="ci", at=LATER)
    return replace(_gadget(request), reapproved=_ELSEWHERE)


def _gadget(request: Request) -> Request:
    """Return the request for another product."""
    subjects = (Subject(name="gadget.tar.gz", digest=ONES),)
    return replace(request, product="gadget", version="2.0", subjects=subjects)


def revocation_there() -> Request:
    """Return a request for a revocation there."""
    request = revocation(ONES, THERE, number=3, at=LATER)
    return replace(
        request, context=THERE.context("ci", at=LATER), product="gadget", version="2.0", deadline=LATER + HOUR
    )


def _there(signer: str) -> dict[str, object]:
    """Return what every act there says."""
    chain = _chain_there()
    return {
        "context": THERE.context(signer, at=LATER, seen=SEEN_THERE),
        "ceremony": chain.id,
        "request": chain.ceremony.request.digest,
        "seen": chain.hashes[-1],
    }


def acts_there() -> dict[str, Statement]:
    """Return an act of each kind."""
    number = 7
    return {
        "extension": Extension(**_there("alice"), number=number, previous=ONES, deadline=NOW + DAY * 9),  # type: ignore[arg-type]
        "veto": Veto(**_there("frank"), reason=TWOS),  # type: ignore[arg-type]
        "report": Report(**_there("alice"), text=TWOS),  # type: ignore[arg-type]
        "absence": Absence(context=_there("dan")["context"], number=number, since=LATER, until=NOW + DAY * 9),  # type: ignore[arg-type]
        "delegation": Delegation(
            context=_there("carol")["context"],  # type: ignore[arg-type]
            number=number,
            role="security",
            deputy="alice",
            since=LATER,
            until=NOW + DAY * 9,
        ),
        "withdrawal": Withdrawal(context=_there("carol")["context"], number=number, role="security"),  # type: ignore[arg-type]
    }


def decision_there() -> bytes:
    """Return an approval of a ratification, written, with every optional field."""
    request = THERE.sign_request(replace(ratification_there(), on_behalf_of="erin"))
    decision = THERE.decision(
        "dan", request, roles=["release"], replaces=ONES, seen=SEEN_THERE, not_after=NOW + MINUTE
    )
    checks = (Check(name="sbom", outcome=CheckOutcome.PASS),)
    return write_statement(replace(decision, checks=checks, reason=TWOS, delegation=THREES))
