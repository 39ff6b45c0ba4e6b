# SPDX-License-Identifier: Apache-2.0
"""Write what will be signed, before anybody is asked to: a ``Draft`` is the bytes, and what they say.

The bytes are made once.  They are shown, then signed, then sent.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from quorumseal.ceremony.commands import command_of
from quorumseal.ceremony.deciding import decide
from quorumseal.ceremony.events import Event
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.statements import (
    Cancellation,
    CeremonyAct,
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    Extension,
    PolicyReference,
    Report,
    Request,
    SeenCheckpoint,
    StandingAct,
    Statement,
    Veto,
)
from quorumseal.ceremony.values import digest_of, name, whole_milliseconds
from quorumseal.client.values import SALT_BYTES, Annex
from quorumseal.signatures import Envelope
from signer_agent.errors import UnreadableTextError, UsageError
from signer_agent.review import Review
from signer_agent.standing_in import seat_of

ARTIFACTS_CHECK = "artifacts"
LONGEST_REASON = 4000


class _ActFields(TypedDict):
    context: Context
    ceremony: str
    request: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A statement, the exact bytes that will be signed, and the texts that it commits to."""

    statement: Statement
    payload: bytes
    product: str
    annexes: tuple[Annex, ...] = ()
    after: frozenset[str] = frozenset()
    """What this agent had signed about the release when it was reviewed; more since then refuses this."""
    revoked: frozenset[str] = frozenset()
    """The keys that this agent knows to sign no more."""

    @property
    def digest(self) -> str:
        """What the statement will be known by."""
        return digest_of(self.payload)


def make_context(policy: SignedPolicy, signer: str, seen: SeenCheckpoint, *, at: datetime) -> Context:
    """Return what binds a statement to its organisation, log, policy, signer and instant."""
    return Context(
        organisation=policy.policy.organisation,
        log=policy.policy.log.origin,
        policy=PolicyReference(version=policy.policy.version, digest=policy.digest),
        signer=signer,
        signed_at=whole_milliseconds(at),
        checkpoint=seen,
    )


def make_reason(
    text: str, randomness: Callable[[int], bytes], *, what: str = "reason", least: int = 1
) -> Annex:
    """Return a text with the salt that hides it; refuse one that no screen shows as it is."""
    length = len(text.strip())
    if not least <= length <= LONGEST_REASON:
        raise UsageError(f"expected a {what} of {least} to {LONGEST_REASON} characters, got {length}")
    for character in text:
        if character != "\n" and not character.isprintable():
            raise UnreadableTextError(
                f"expected a {what} that everybody can read, got U+{ord(character):04X} in it",
                hint="write it in plain words; line breaks are fine, other control characters are not",
            )
    return Annex(salt=randomness(SALT_BYTES), text=text)


def draft_decision(
    review: Review,
    choice: Choice,
    *,
    roles: Collection[str] = (),
    checked: Collection[str] = (),
    reason: Annex | None = None,
    not_after: datetime | None = None,
    member: str | None = None,
) -> Draft:
    """Write a decision about exactly the request that the review shows, as a deputy for ``member`` if any."""
    request = review.request
    own, seat = review.own, seat_of(review, roles=roles, member=member)
    decision = Decision(
        context=_context(review),
        choice=choice,
        ceremony=request.statement.ceremony,
        request=request.digest,
        roles=seat.roles,
        subjects=request.statement.subjects if choice is Choice.APPROVAL else (),
        checks=_checks(review, checked),
        replaces=own.digest if own else None,
        not_after=not_after,
        reason=reason.commitment if reason else None,
        delegation=seat.delegation.digest if seat.delegation else None,
    )
    return _draft(decision, request.statement.product, [reason] if reason else (), review)


def draft_cancellation(review: Review, reason: Annex) -> Draft:
    """Write the withdrawal of a request, as the ceremony verifiably stands."""
    return _draft_act(Cancellation(**_act(review), reason=reason.commitment), review, reason)


def draft_veto(review: Review, reason: Annex) -> Draft:
    """Write the veto of an emergency, as it verifiably stands."""
    return _draft_act(Veto(**_act(review), reason=reason.commitment), review, reason)


def draft_report(review: Review, text: Annex) -> Draft:
    """Write the report on an emergency."""
    return _draft_act(Report(**_act(review), text=text.commitment), review, text)


def draft_extension(review: Review, deadline: datetime) -> Draft:
    """Write the extension that follows the ceremony as it verifiably stands."""
    earlier = review.ceremony.extensions
    extension = Extension(
        **_act(review),
        number=len(earlier) + 1,
        previous=earlier[-1].digest if earlier else None,
        deadline=deadline,
    )
    return _draft_act(extension, review)


def draft_standing(act: StandingAct, *, revoked: frozenset[str] = frozenset()) -> Draft:
    """Write what is signed outside any ceremony."""
    return replace(_draft(act, ""), revoked=revoked)


def draft_request(request: Request, *texts: Annex) -> Draft:
    """Write a request with the texts that it commits to."""
    return _draft(request, request.product, texts)


def consequences(review: Review, draft: Draft) -> tuple[Event, ...]:
    """Return what the rules will make of what is signed if it is logged now, or raise what they refuse."""
    statement = draft.statement
    if not isinstance(statement, Decision | CeremonyAct):
        raise TypeError(f"expected a decision or an act in a ceremony, got {type(statement).__name__}")
    unsigned: Signed[Decision | CeremonyAct] = Signed(
        statement,
        Envelope(payload=draft.payload, signature=b""),
        key_at(review.observation.policy, review.signer, review.at, without=draft.revoked),
        draft.digest,
    )
    at = max(review.at, review.observation.chain.last_at)
    return decide(review.ceremony, command_of(unsigned), at=at)


def key_at(policy: SignedPolicy, signer: str, at: datetime, *, without: Collection[str] = ()) -> SignerKey:
    """Return a key of the signer: one that is valid at the instant and signs, if there is one."""
    keys = policy.policy.signer(signer).keys
    return next((key for key in keys if key.valid_at(at) and key.key.key_id not in without), keys[0])


def _context(review: Review) -> Context:
    observation = review.observation
    return make_context(observation.policy, review.signer, observation.head.seen, at=review.at)


def _act(review: Review) -> _ActFields:
    return {
        "context": _context(review),
        "ceremony": review.request.statement.ceremony,
        "request": review.request.digest,
        "seen": review.observation.chain.hashes[-1],
    }


def _draft_act(act: CeremonyAct, review: Review, *texts: Annex) -> Draft:
    return _draft(act, review.request.statement.product, texts, review)


def _draft(
    statement: Statement, product: str, annexes: Collection[Annex] = (), review: Review | None = None
) -> Draft:
    payload = write_statement(statement)
    if read_statement(payload) != statement:
        raise ValueError("what is written does not say what was meant")
    return Draft(
        statement=statement,
        payload=payload,
        product=product,
        annexes=tuple(annexes),
        after=review.recollection.signed if review else frozenset(),
        revoked=frozenset(review.ceremony.revoked) if review else frozenset(),
    )


def _checks(review: Review, checked: Collection[str]) -> tuple[Check, ...]:
    if ARTIFACTS_CHECK in checked:
        raise UsageError(
            "expected other checks than artifacts, which only the agent itself can state as passed",
            hint="give --artifacts PATH, so that it can",
        )
    stated = [Check(name=name(check), outcome=CheckOutcome.PASS) for check in sorted(set(checked))]
    return (Check(name=ARTIFACTS_CHECK, outcome=review.findings.outcome), *stated)
