# SPDX-License-Identifier: Apache-2.0
"""What an ended ceremony would have become under another policy, by the decisions that were made in it.

People are compared, not keys, and nothing is replayed in time: whoever decided would have decided the same,
in every role that they then held; who was not needed any more is said to be missing, not to have said no.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Policy, Rule
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statements import CheckOutcome, Choice, Decision, Mode
from quorumseal.terminal.durations import duration_text


@unique
class Fate(StrEnum):
    """What would have become of it."""

    APPROVED = "approved"
    SHORT = "short"
    """Its approvals would not have been enough."""
    REJECTED = "rejected"
    NOT_REQUESTABLE = "not-requestable"
    """Nobody could have asked for it like this."""
    ENDED = "ended"
    """Its requester took it back, or put another in its place: no policy changes that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One ceremony under the other policy."""

    was: State
    fate: Fate
    says: str
    seats: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Who would have been counted in which role."""
    other_rule: bool = False
    """Whether another rule, or the same one with other contents or people, would have decided."""

    @property
    def as_before(self) -> bool:
        """Whether it would have ended as it did."""
        return self.fate is _FATES[self.was]


_FATES = {
    State.APPROVED: Fate.APPROVED,
    State.PROVISIONAL: Fate.APPROVED,
    State.REJECTED: Fate.REJECTED,
    State.EXPIRED: Fate.SHORT,
    State.CANCELLED: Fate.ENDED,
    State.SUPERSEDED: Fate.ENDED,
}


def simulate(ceremony: Ceremony, new: Policy) -> Simulated:
    """Return what would have become of a ceremony that has ended."""
    assert ceremony.ended_at is not None  # noqa: S101 - only ended ones are asked about
    request = ceremony.request.statement
    try:
        rule = new.rule_for(request.product, request.kind)
    except CeremonyError:
        says = f"{request.product} would be no product"
        return Simulated(was=ceremony.state, fate=Fate.NOT_REQUESTABLE, says=says, other_rule=True)
    fate, says, seats = _judge(ceremony, new, rule, ceremony.counted_at or ceremony.ended_at)
    return Simulated(
        was=ceremony.state, fate=fate, says=says, seats=seats, other_rule=_differs(ceremony, new, rule)
    )


def _judge(
    ceremony: Ceremony, new: Policy, rule: Rule, at: datetime
) -> tuple[Fate, str, tuple[tuple[str, tuple[str, ...]], ...]]:
    for reason in _not_requestable(ceremony, new, rule):
        return Fate.NOT_REQUESTABLE, reason, ()
    if ceremony.state in (State.CANCELLED, State.SUPERSEDED):
        return Fate.ENDED, f"was {ceremony.state} anyway", ()
    would = replace(ceremony, policy=new, rule=rule, counting=_counting(ceremony, new, rule), narrowed={})
    if stoppers := _stoppers(would):
        return Fate.REJECTED, f"rejected by {' and '.join(stoppers)}", ()
    tally = would.tally(at=at)
    if not tally.quorum_met:
        if not rule.veto and would.rejecters and not tally.reachable:
            return Fate.REJECTED, f"rejected: without {' and '.join(sorted(would.rejecters))} too few", ()
        return Fate.SHORT, "; ".join(explain(by_name(would, tally, at=at))), ()
    seats = would.seats(at=at)
    people = "; ".join(f"{role} by {', '.join(seated)}" for role, seated in seats)
    return Fate.APPROVED, people, seats


def _not_requestable(ceremony: Ceremony, new: Policy, rule: Rule) -> Iterator[str]:
    request = ceremony.request.statement
    requester = request.context.signer
    if requester not in new.signers:
        yield f"{requester} would not be on the roster"
    elif not new.may_request(requester, rule):
        yield f"{requester} could not ask under rule {rule.name}"
    if request.on_behalf_of is not None and request.on_behalf_of not in new.signers:
        yield f"{request.on_behalf_of}, for whom {requester} asked, would not be on the roster"
    if request.hard_stop - request.opened_at > rule.longest:
        yield f"it was asked for longer than {duration_text(rule.longest)}"
    if request.mode is Mode.BREAK_GLASS:
        if rule.emergency is None:
            yield f"rule {rule.name} would allow no emergency"
        elif request.emergency is not None and request.emergency.reason not in rule.emergency.reasons:
            yield f"{request.emergency.reason} would be no reason for an emergency"


def _counting(ceremony: Ceremony, new: Policy, rule: Rule) -> dict[str, frozenset[str]]:
    """Return in which roles each standing decision would count."""
    return {
        signer: _roles(ceremony, signer, signed.statement, new, rule)
        for signer, signed in ceremony.decisions.items()
    }


def _roles(ceremony: Ceremony, signer: str, decision: Decision, new: Policy, rule: Rule) -> frozenset[str]:
    emergency = rule.emergency if ceremony.emergency is not None else None
    checks = rule.checks if emergency is None else emergency.checks
    passed = {check.name for check in decision.checks if check.outcome is CheckOutcome.PASS}
    if decision.choice is Choice.APPROVAL and not checks <= passed:
        return frozenset()
    delegation = ceremony.stands_for.get(signer)
    if delegation is not None:
        role = new.roles.get(delegation.statement.role)
        listed = role is not None and signer in role.deputies and delegation.signer in role.members
        return decision.roles if listed else frozenset()
    held = {t.role for t in ceremony.quorum if signer in ceremony.policy.roles[t.role].members}
    if decision.roles >= held:  # every role that they had, so every one that they would have
        return frozenset(name for name, role in new.roles.items() if signer in role.members)
    return frozenset(r for r in decision.roles if r in new.roles and signer in new.roles[r].members)


def _stoppers(would: Ceremony) -> list[str]:
    """Return whose no alone would have ended it."""
    roles = would.policy.roles
    veto = roles.keys() if would.emergency is not None else would.rule.veto
    able = {who for role in veto for who in roles[role].members}
    stopped_by = {would.stopped_by} if would.stopped_by is not None else set()
    return sorted((would.rejecters | stopped_by) & able - would.excluded)


def _differs(ceremony: Ceremony, new: Policy, rule: Rule) -> bool:
    """Whether the rule, or who is in a role of its quorum, is another than it was."""
    if rule != ceremony.rule:
        return True
    return any(new.roles[t.role].members != ceremony.policy.roles[t.role].members for t in rule.quorum)
