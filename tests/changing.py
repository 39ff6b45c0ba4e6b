# SPDX-License-Identifier: Apache-2.0
"""Policy changes for tests: the next version of an organisation, and the two ceremonies that approve it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.policy import POLICY, Kind
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, Mode, Request, Subject
from tests.organisation import NOW, Organisation, ceremony_number, changed

MINUTE = timedelta(minutes=1)


def next_version(old: Organisation, **fields: object) -> Organisation:
    """Return the organisation under a policy that follows."""
    return changed(old, version=old.version + 1, previous=old.policy.digest, **fields)


def policy_request(
    kind: Kind, under: Organisation, new: Organisation, *, number: int, requester: str, at: datetime = NOW
) -> Request:
    """Ask for a change to ``new``, or its acceptance."""
    return Request(
        context=under.context(requester, at=at),
        ceremony=ceremony_number(number),
        product=POLICY,
        version=str(new.version),
        kind=kind,
        mode=Mode.REGULAR,
        subjects=(Subject(name=POLICY, digest=new.policy.digest),),
        deadline=at + timedelta(days=1),
        hard_stop=at + timedelta(days=1),
    )


def policy_decision(
    under: Organisation, signer: str, request: Signed[Request], *, at: datetime = NOW
) -> Signed[Decision]:
    """Let somebody approve in every role of governance that they hold."""
    policy = under.policy.policy
    held = [t.role for t in policy.governance if signer in policy.roles[t.role].members]
    roles = held or [policy.governance[0].role]
    return under.sign_decision(under.decision(signer, request, at=at, roles=roles))


@dataclass(frozen=True)
class Side:
    """One of the two ceremonies: its end, and its entries."""

    chain: Chain
    entries: Sequence[Entry]


def decided(
    kind: Kind,
    under: Organisation,
    new: Organisation,
    signers: Sequence[str],
    *,
    number: int,
    requester: str | None = None,
    at: datetime = NOW,
) -> Side:
    """Run one side: asked for by the first of the signers, approved by all of them, a minute apart."""
    request = under.sign_request(
        policy_request(kind, under, new, number=number, requester=requester or signers[0], at=at)
    )
    proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
    chain, opening = open_chain(under.policy, request, at=at, proposed=proposed)
    entries = [opening]
    for minute, signer in enumerate(signers, start=1):
        when = at + minute * MINUTE
        chain, more = extend(chain, Record(policy_decision(under, signer, request, at=when)), at=when)
        entries += more
    return Side(chain, entries)


def both_sides(
    old: Organisation,
    new: Organisation,
    given: Sequence[str] = ("alice", "carol"),
    taken: Sequence[str] = ("alice", "carol"),
    *,
    number: int = 100,
    at: datetime = NOW,
) -> tuple[Side, Side]:
    """Run a change and its acceptance."""
    change = decided(Kind.POLICY_CHANGE, old, new, given, number=number, at=at)
    acceptance = decided(Kind.POLICY_ACCEPTANCE, new, new, taken, number=number + 1, at=at)
    return change, acceptance
