# SPDX-License-Identifier: Apache-2.0
"""People of the demo organisation with their own keys, and no program that would stop them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    PolicyReference,
    Request,
    SeenCheckpoint,
)
from quorumseal.ceremony.values import EMPTY_DIGEST, whole_milliseconds
from quorumseal.signatures import Envelope, PrivateKey
from quorumseal.signatures.dsse import sign


@dataclass(frozen=True, slots=True)
class Person:
    """A signer of the roster, and what opens their key or their spare key."""

    name: str
    open_key: Callable[[bool], PrivateKey]

    def approve(
        self,
        request: Signed[Request],
        policy: SignedPolicy,
        *,
        spare: bool = False,
        replaces: str | None = None,
    ) -> Envelope:
        """Sign an approval of exactly what is asked, now, for every role held."""
        rule = policy.policy.rule_for(request.statement.product, request.statement.kind)
        approval = Decision(
            context=Context(
                organisation=policy.policy.organisation,
                log=policy.policy.log.origin,
                policy=PolicyReference(version=policy.policy.version, digest=policy.digest),
                signer=self.name,
                signed_at=whole_milliseconds(datetime.now(UTC)),
                checkpoint=SeenCheckpoint(size=0, root=EMPTY_DIGEST),
            ),
            choice=Choice.APPROVAL,
            ceremony=request.statement.ceremony,
            request=request.digest,
            roles=policy.policy.roles_of(self.name, rule),
            subjects=request.statement.subjects,
            checks=(Check(name="artifacts", outcome=CheckOutcome.PASS),),
            replaces=replaces,
        )
        return sign(write_statement(approval), self.open_key(spare))


def readdressed(envelope: Envelope, request: Signed[Request]) -> Envelope:
    """Let a signed decision name another ceremony and keep its signature."""
    decision = read_statement(envelope.payload)
    if not isinstance(decision, Decision):
        raise TypeError(f"only decisions are moved, not a {type(decision).__name__}")
    moved = replace(
        decision,
        ceremony=request.statement.ceremony,
        request=request.digest,
        subjects=request.statement.subjects if decision.subjects else (),
    )
    return replace(envelope, payload=write_statement(moved))


def decision_by(signer: str, entries: Sequence[Entry]) -> Envelope:
    """Return the first decision of a signer among the entries of a ceremony."""
    return next(entry.envelope for entry in entries if is_by(signer, entry))


def is_by(signer: str, entry: Entry) -> bool:
    """Whether an entry records a decision of that signer."""
    if entry.type not in (EntryType.DECIDED, EntryType.LATE):
        return False
    return read_statement(entry.envelope.payload).context.signer == signer
