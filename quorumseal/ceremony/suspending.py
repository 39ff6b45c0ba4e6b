# SPDX-License-Identifier: Apache-2.0
"""Somebody who does not count for a while: two guardians say so, neither of them that somebody.

It begins with the second, lasts to the earlier of the ends that they name, and ends only by its date.  What
stood of theirs in an open ceremony falls for good: afterwards they decide again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.errors import StandingTimeError, SuspensionShorterError, SuspensionSignerError
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.seconding import PAIR, ask_guardians, claims_beside, is_guardian, read_makers
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Decision, Delegation, Suspension
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import Envelope

LONGEST_SUSPENSION = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """Somebody who does not count until an instant, and the envelopes that say so."""

    person: str
    until: datetime
    envelopes: tuple[Envelope, ...]


def check_suspension(act: Signed[Suspension], policy: Policy) -> None:
    """Refuse a suspension by somebody who may not."""
    person = policy.signer(act.statement.person).name
    if act.signer == person or not is_guardian(policy, act.signer):
        raise SuspensionSignerError(
            f"expected a suspension of {person} by another person who guards, got one by {act.signer}",
            hint=ask_guardians(policy, besides=person),
        )


def check_end(suspension: Suspension, *, at: datetime) -> None:
    """Refuse an end that has passed, or that lies too far ahead."""
    if not timedelta(0) < suspension.until - at <= LONGEST_SUSPENSION:
        raise StandingTimeError(
            f"expected an end after now ({instant_text(at)}) and within {LONGEST_SUSPENSION.days} days, "
            f"got {instant_text(suspension.until)}",
            hint="who is to stay out longer leaves by a policy change",
        )


def suspended_after(
    act: Signed[Suspension], claims: Iterable[Signed[Suspension]], now: Suspended | None, *, at: datetime
) -> Suspended | None:
    """Return what an act makes of somebody, with what other guardians signed; refuse an earlier end."""
    statement = act.statement
    own, others = claims_beside(act, claims)
    bounds = [claim.statement.until for claim in own] + ([now.until] if now else [])
    if bounds and statement.until <= max(bounds):
        raise SuspensionShorterError(
            f"expected a suspension until after {instant_text(max(bounds))}, "
            f"got {instant_text(statement.until)}"
        )
    partner = max(others, key=lambda claim: claim.statement.until, default=None)
    if partner is None:
        return now
    until = min(statement.until, partner.statement.until)
    if until <= max(at, now.until if now else at):
        return now
    return Suspended(person=statement.person, until=until, envelopes=(partner.envelope, act.envelope))


def read_suspended(envelopes: Sequence[Envelope], policies: Sequence[SignedPolicy]) -> Suspended:
    """Return the suspension that envelopes make, or refuse them."""
    acts, known = read_makers(Suspension, envelopes, policies, closed=False)
    if len(acts) != PAIR or acts[0].person != acts[1].person:
        raise SuspensionSignerError("expected two guardians who suspend one person, got others")
    if known is not None:
        for envelope in envelopes:
            check_suspension(signed_as(Suspension, authenticate(envelope, known)), known.policy)
    return Suspended(person=acts[0].person, until=min(act.until for act in acts), envelopes=tuple(envelopes))


def put_out(
    person: str, decisions: Mapping[str, Signed[Decision]], stands_for: Mapping[str, Signed[Delegation]]
) -> frozenset[str]:
    """Return whose decision falls: the person's own, and that of whoever stands in for them."""
    deputies = {deputy for deputy, delegation in stands_for.items() if delegation.signer == person}
    return frozenset(decisions.keys() & {person, *deputies})
