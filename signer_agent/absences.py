# SPDX-License-Identifier: Apache-2.0
"""Say that one is away, and let a listed deputy stand in: written, judged by the rules, then signed.

Each act has a number of its own for its signer and object, which is read from the verified log: the
coordinator's word on what stands is never enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.errors import AbsenceMissingError, CeremonyError
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, authenticate
from quorumseal.ceremony.standing import Standing, stand
from quorumseal.ceremony.statements import (
    Absence,
    Context,
    Delegation,
    KeyRevocation,
    StandingAct,
    Suspension,
    Withdrawal,
)
from quorumseal.signatures import Envelope, PrivateKey
from signer_agent.agent import Agent
from signer_agent.drafting import Draft, draft_standing, key_at, make_context
from signer_agent.errors import UsageError
from signer_agent.observing import ObservedStanding
from signer_agent.recollection import Stored
from signer_agent.signing import send, sign_and_store

ABSENCE = "absence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """What somebody wants to say: from when to when they are away, and who stands in for them as what."""

    since: datetime
    until: datetime
    deputy: str | None = None
    roles: Sequence[str] = ()
    """The roles that are delegated; where there is one that fits, it need not be named."""


def write_away(agent: Agent, seen: ObservedStanding, away: Away) -> tuple[Draft, ...]:
    """Write an absence, and a delegation of each role; nothing for what stands already."""
    context, standing = _context(agent, seen), seen.standing
    acts: list[StandingAct] = [
        Absence(
            context=context,
            number=standing.next_number(agent.name, ABSENCE),
            since=away.since,
            until=away.until,
        )
    ]
    if away.deputy is not None:
        acts += [
            Delegation(
                context=context,
                number=standing.next_number(agent.name, f"role {role}"),
                role=role,
                deputy=away.deputy,
                since=away.since,
                until=away.until,
            )
            for role in away.roles or _roles_for(seen.policy, agent.name, away.deputy)
        ]
    return _judged(agent, seen, [act for act in acts if not _stands(standing, act)])


def write_back(agent: Agent, seen: ObservedStanding) -> tuple[Draft, ...]:
    """Write the withdrawal of the signer's absence, and of every delegation of theirs."""
    context, standing, at = _context(agent, seen), seen.standing, agent.now()
    acts: list[StandingAct] = []
    absence = standing.absences.get(agent.name)
    if absence is not None and at < absence.statement.until:
        number = standing.next_number(agent.name, ABSENCE)
        acts.append(Withdrawal(context=context, number=number))
    for delegation in standing.live(at=at):
        role = delegation.statement.role
        if delegation.signer == agent.name:
            number = standing.next_number(agent.name, f"role {role}")
            acts.append(Withdrawal(context=context, number=number, role=role))
    if not acts:
        raise AbsenceMissingError(f"expected an absence or a delegation of {agent.name}, got none")
    return _judged(agent, seen, acts)


def after(agent: Agent, seen: ObservedStanding, drafts: Sequence[Draft]) -> Standing:
    """Return what stands once drafts are in the log; raise what the rules refuse of them."""
    standing, at = seen.standing, max(agent.now(), seen.chain.last_at)
    *earlier, policy = (signed.policy for signed in seen.chain.policies)
    for draft in drafts:
        act = draft.statement
        assert isinstance(act, StandingAct)  # noqa: S101 - written here
        key = key_at(seen.policy, agent.name, at, without=draft.revoked)
        unsigned = Signed(act, Envelope(payload=draft.payload, signature=b""), key, draft.digest)
        standing = stand(standing, unsigned, policy, at=at, earlier=earlier)
    return standing


def record(agent: Agent, drafts: Sequence[Draft], key: PrivateKey, policy: SignedPolicy) -> list[Stored]:
    """Sign everything, then send it: what has no receipt is sent when the agent runs again."""
    stored = [sign_and_store(agent, draft, key, policy) for draft in drafts]
    return [send(agent, each, policy) for each in stored]


def pending_acts(agent: Agent) -> Iterator[Stored]:
    """Give what was signed outside any ceremony and has no receipt."""
    for stored in agent.journal.pending():
        if isinstance(stored.statement, StandingAct):
            yield stored


def settle_standing(agent: Agent, stored: Stored, seen: ObservedStanding) -> Stored:
    """Bring a standing act without a receipt to its end, as ``settle`` does in ceremonies."""
    if stored.digest not in seen.chain.statements:
        signed = authenticate(stored.envelope, seen.policy)
        act = signed.statement
        assert isinstance(act, StandingAct)  # noqa: S101 - asked for nothing else
        try:
            at = max(agent.now(), seen.chain.last_at, act.context.signed_at)
            whole = Signed(act, signed.envelope, signed.key, signed.digest)
            *earlier, policy = (known.policy for known in seen.chain.policies)
            stand(seen.standing, whole, policy, at=at, earlier=earlier)
        except CeremonyError as refusal:
            agent.journal.make_void(stored.digest, refusal.code)
            raise
    return send(agent, stored, seen.policy)


def _judged(agent: Agent, seen: ObservedStanding, acts: Sequence[StandingAct]) -> tuple[Draft, ...]:
    drafts = tuple(draft_standing(act, revoked=_silent(seen.standing, act)) for act in acts)
    after(agent, seen, drafts)
    return drafts


def draft_of(agent: Agent, seen: ObservedStanding, act: StandingAct) -> Draft:
    """Write an act; raise what the rules refuse of it."""
    (draft,) = _judged(agent, seen, [act])
    return draft


def _silent(standing: Standing, act: StandingAct) -> frozenset[str]:
    """Return the keys that do not sign an act: those that were revoked, and the one that it revokes."""
    return frozenset({*standing.revoked, *({act.key} if isinstance(act, KeyRevocation) else ())})


def _context(agent: Agent, seen: ObservedStanding) -> Context:
    return make_context(seen.policy, agent.name, seen.head.seen, at=agent.now())


def _roles_for(policy: SignedPolicy, member: str, deputy: str) -> tuple[str, ...]:
    """Return the one role of a member for which the policy lists a deputy."""
    roles = [role for role in policy.policy.roles.values() if member in role.members]
    fitting = [role.name for role in roles if deputy in role.deputies]
    if len(fitting) == 1:
        return tuple(fitting)
    if fitting:
        raise UsageError(
            f"expected --role, since {deputy} may stand in as {' and '.join(sorted(fitting))}, got none",
            hint="name each role that you delegate",
        )
    listed = [f"{', '.join(sorted(role.deputies))} in {role.name}" for role in roles if role.deputies]
    raise UsageError(
        f"expected a deputy whom the policy lists for a role of {member} "
        f"({'; '.join(listed) or 'it lists none'}), got {deputy}",
        hint="delegate to one of them, or add a deputy by a policy change",
    )


def _stands(standing: Standing, act: StandingAct) -> bool:
    """Whether the log says the same already."""
    match act:
        case Absence():
            known = standing.absences.get(act.context.signer)
            return known is not None and _span(known.statement) == _span(act)
        case Delegation():
            given = standing.delegations.get((act.context.signer, act.role))
            return (
                given is not None
                and _span(given.statement) == _span(act)
                and given.statement.deputy == act.deputy
            )
        case Withdrawal() | KeyRevocation() | Suspension():
            return False


def _span(act: Absence | Delegation) -> tuple[datetime, datetime]:
    return act.since, act.until
