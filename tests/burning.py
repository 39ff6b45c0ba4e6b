# SPDX-License-Identifier: Apache-2.0
"""Acme with everything that waiting and emergencies need, and what its people sign in them."""

from datetime import datetime, timedelta

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Expire, Extend, File, Record, Stop
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.statements import (
    Absence,
    Choice,
    Concluded,
    Delegation,
    Emergency,
    Extension,
    Mode,
    Report,
    Request,
    Subject,
    Veto,
    Withdrawal,
)
from tests.organisation import NOW, REASON_DIGEST, Organisation

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOW = timedelta(minutes=10)
PROVISIONAL = timedelta(hours=72)
BREAK_GLASS = BreakGlass(
    quorum=(Threshold(role="engineering", count=1), Threshold(role="security", count=1)),
    reasons=frozenset({"outage", "vulnerability"}),
    checks=frozenset(),
    veto_window=WINDOW,
    provisional=PROVISIONAL,
    ratify=PROVISIONAL,
    report=timedelta(days=7),
)
BURNING = Organisation(
    guardians=frozenset({"security"}),
    deputies={"engineering": ("frank", "carol"), "security": ("frank", "alice")},
    extenders=frozenset({"managers"}),
    emergency=BREAK_GLASS,
)


def emergency_request(
    acme: Organisation = BURNING,
    *,
    number: int = 1,
    requester: str = "mallory",
    at: datetime = NOW,
    deadline: timedelta = HOUR,
    people: int = 2,
    reason: str = "outage",
    provisional: timedelta = PROVISIONAL,
    ratify: timedelta = PROVISIONAL,
    version: str = "1.0",
) -> Request:
    """Return an unsigned request that breaks the glass."""
    regular = acme.request(number=number, requester=requester, at=at, deadline=deadline, version=version)
    fields = {name: getattr(regular, name) for name in Request.__slots__}
    fields |= {
        "mode": Mode.BREAK_GLASS,
        "hard_stop": at + deadline + HOUR,
        "why": REASON_DIGEST,
        "emergency": Emergency(
            reason=reason,
            incident="INC-1",
            impact=REASON_DIGEST,
            people=people,
            provisional_until=at + provisional,
            ratify_by=at + ratify,
        ),
    }
    return Request(**fields)


def open_emergency(
    acme: Organisation = BURNING,
    request: Request | None = None,
    *,
    at: datetime = NOW,
    vetoed_by: frozenset[str] = frozenset(),
) -> Chain:
    """Open an emergency."""
    signed = acme.sign_request(request or emergency_request(acme, at=at))
    return open_chain(acme.policy, signed, at=at, vetoed_by=vetoed_by)[0]


def concluded(chain: Chain) -> Concluded:
    """Return how a request names an earlier ceremony."""
    return Concluded(
        ceremony=chain.id,
        request=chain.ceremony.request.digest,
        conclusion=chain.conclusion or chain.hashes[-1],
        requesters=chain.ceremony.request.statement.requesters,
    )


def ratification(
    chain: Chain,
    acme: Organisation = BURNING,
    *,
    number: int = 9,
    requester: str = "rita",
    at: datetime = NOW + HOUR,
    length: timedelta = DAY,
) -> Request:
    """Return an unsigned request to ratify an emergency as its chain has it."""
    regular = acme.request(number=number, requester=requester, at=at, deadline=length)
    fields = {name: getattr(regular, name) for name in Request.__slots__}
    fields |= {"kind": Kind.RATIFICATION, "hard_stop": at + length, "ratified": concluded(chain)}
    return Request(**fields)


def reapproval(
    chain: Chain,
    acme: Organisation = BURNING,
    *,
    number: int = 7,
    requester: str = "rita",
    at: datetime = NOW + DAY,
) -> Request:
    """Return an unsigned request to approve a release anew as its chain has it."""
    version = chain.ceremony.request.statement.version
    regular = acme.request(number=number, requester=requester, at=at, version=version)
    fields = {name: getattr(regular, name) for name in Request.__slots__}
    fields |= {"kind": Kind.RE_APPROVAL, "reapproved": concluded(chain)}
    return Request(**fields)


def revocation(
    revoked: str, acme: Organisation = BURNING, *, number: int = 8, at: datetime = NOW + HOUR
) -> Request:
    """Return an unsigned request to revoke the release of another request."""
    regular = acme.request(number=number, at=at)
    fields = {name: getattr(regular, name) for name in Request.__slots__}
    fields |= {
        "kind": Kind.REVOCATION,
        "subjects": (Subject(name="request", digest=revoked),),
        "locators": (),
        "why": REASON_DIGEST,
    }
    return Request(**fields)


def joins(
    chain: Chain,
    signer: str,
    choice: Choice = Choice.APPROVAL,
    *,
    acme: Organisation = BURNING,
    at: datetime = NOW,
    replaces: str | None = None,
    roles: tuple[str, ...] | None = None,
    not_after: datetime | None = None,
) -> Record:
    """Return the decision of somebody in an emergency."""
    held = [t.role for t in chain.ceremony.quorum if signer in acme.roles[t.role]]
    decision = acme.decision(
        signer,
        chain.ceremony.request,
        choice,
        at=at,
        roles=held if roles is None else roles,
        replaces=replaces,
        not_after=not_after,
    )
    return Record(acme.sign_decision(decision))


def vetoes(chain: Chain, signer: str, *, acme: Organisation = BURNING, at: datetime = NOW) -> Stop:
    """Return the veto of somebody."""
    return Stop(
        acme.sign(
            Veto(
                context=acme.context(signer, at=at),
                ceremony=chain.id,
                request=chain.ceremony.request.digest,
                seen=chain.hashes[-1],
                reason=REASON_DIGEST,
            )
        )
    )


def reports(chain: Chain, signer: str, *, acme: Organisation = BURNING, at: datetime = NOW) -> File:
    """Return the report of somebody on an emergency."""
    return File(
        acme.sign(
            Report(
                context=acme.context(signer, at=at),
                ceremony=chain.id,
                request=chain.ceremony.request.digest,
                seen=chain.hashes[-1],
                text=REASON_DIGEST,
            )
        )
    )


def extends(
    chain: Chain,
    signer: str,
    deadline: datetime,
    *,
    acme: Organisation = BURNING,
    at: datetime = NOW,
    number: int | None = None,
    previous: str | None = None,
) -> Extend:
    """Return somebody's extension, which follows the last one unless told otherwise."""
    earlier = chain.ceremony.extensions
    return Extend(
        acme.sign(
            Extension(
                context=acme.context(signer, at=at),
                ceremony=chain.id,
                request=chain.ceremony.request.digest,
                seen=chain.hashes[-1],
                number=number or len(earlier) + 1,
                previous=previous or (earlier[-1].digest if earlier else None),
                deadline=deadline,
            )
        )
    )


def absence(
    signer: str, *, acme: Organisation = BURNING, number: int = 1, since: datetime = NOW, until: datetime
) -> Absence:
    """Return an unsigned absence."""
    return Absence(context=acme.context(signer), number=number, since=since, until=until)


def delegation(
    signer: str,
    role: str,
    deputy: str,
    *,
    acme: Organisation = BURNING,
    number: int = 1,
    since: datetime = NOW,
    until: datetime = NOW + DAY,
) -> Delegation:
    """Return an unsigned delegation."""
    return Delegation(
        context=acme.context(signer), number=number, role=role, deputy=deputy, since=since, until=until
    )


def withdrawal(signer: str, role: str | None, *, acme: Organisation = BURNING, number: int = 2) -> Withdrawal:
    """Return an unsigned withdrawal of a delegation, or of an absence."""
    return Withdrawal(context=acme.context(signer), number=number, role=role)


def run_emergency(
    *signers: str, acme: Organisation = BURNING, request: Request | None = None
) -> tuple[Chain, list[Entry]]:
    """Open an emergency, let people join a minute apart, and wait until nobody can veto any more."""
    signed = acme.sign_request(request or emergency_request(acme))
    chain, opening = open_chain(acme.policy, signed, at=NOW)
    entries, at = [opening], NOW
    for signer in signers:
        at += MINUTE
        chain, more = extend(chain, joins(chain, signer, acme=acme, at=at), at=at)
        entries += more
    chain, more = extend(chain, Expire(), at=at + WINDOW)
    return chain, [*entries, *more]
