# SPDX-License-Identifier: Apache-2.0
"""What it means that a signer leaves: what of theirs is open, what rests on them, the policy without them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from quorumseal.ceremony.errors import LeavingError
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.linting import Level, lint
from quorumseal.ceremony.policy import Policy, Role
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import fillable
from quorumseal.ceremony.rotating import succeed
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.statements import Delegation


@dataclass(frozen=True, slots=True, kw_only=True)
class Offboarding:
    """Everything that changes when somebody leaves."""

    person: str
    asked: tuple[Ceremony, ...]
    """Open, and they asked for it: it goes on, and nobody of them answers for it."""
    counted: tuple[Ceremony, ...]
    """Open, and their approval fills a seat: what was logged before the next policy counts on."""
    short: tuple[Ceremony, ...]
    """Open, and without what they have yet to decide nobody is left who could meet its quorum."""
    roles: Mapping[str, frozenset[str]]
    """Their roles, each with who is left in it."""
    deputy: tuple[str, ...]
    """The roles in which they may stand in for somebody."""
    leads: tuple[str, ...]
    extends: tuple[str, ...]
    """The rules whose deadlines they may move."""
    delegations: tuple[Delegation, ...]
    """Live, from them or to them."""
    keys: tuple[str, ...]
    """The ids of their keys, which no policy from then on lists."""

    @property
    def empty(self) -> tuple[str, ...]:
        """The roles in which nobody is left."""
        return tuple(role for role, left in self.roles.items() if not left)


def offboarding(
    policy: Policy, person: str, ceremonies: Collection[Ceremony], standing: Standing, *, at: datetime
) -> Offboarding:
    """Return what becomes of everything that a signer has to do with."""
    signer = policy.signer(person)
    still_open = [ceremony for ceremony in ceremonies if ceremony.state is State.OPEN]
    return Offboarding(
        person=person,
        asked=tuple(c for c in still_open if person in _askers(c)),
        counted=tuple(c for c in still_open if any(person in people for _, people in c.seats(at=at))),
        short=tuple(c for c in still_open if _falls_short(c, person, at=at)),
        roles={
            name: role.members - {person}
            for name, role in sorted(policy.roles.items())
            if person in role.members
        },
        deputy=tuple(sorted(name for name, role in policy.roles.items() if person in role.deputies)),
        leads=tuple(sorted(name for name, role in policy.roles.items() if person == role.lead)),
        extends=tuple(
            sorted(
                rule.name
                for rule in policy.rules.values()
                if any(person in policy.roles[role].members for role in rule.extenders)
            )
        ),
        delegations=tuple(
            delegation.statement
            for delegation in standing.live(at=at)
            if person in (delegation.signer, delegation.statement.deputy)
        ),
        keys=tuple(key.key.key_id for key in signer.keys),
    )


def without_person(
    current: SignedPolicy, person: str, replacements: Mapping[str, str], *, at: datetime
) -> Policy:
    """Return the next policy, in which somebody is gone and others took their place where one is named.

    What nobody could satisfy any more is refused, for the smallest reason that there is.
    """
    policy = current.policy
    policy.signer(person)
    held = {name for name, role in policy.roles.items() if person in role.members}
    for role in sorted(replacements.keys() - held):
        raise LeavingError(
            f"expected a role of {person} ({', '.join(sorted(held)) or 'none'}), got {role}",
            hint="name a replacement only for a role that they hold",
        )
    for role, name in sorted(replacements.items()):
        if name == person:
            raise LeavingError(f"expected somebody else in the place of {person} in {role}, got {name}")
        policy.signer(name)
    roles = {name: _without(role, person, replacements.get(name)) for name, role in policy.roles.items()}
    for name in sorted(held):
        if not roles[name].members:
            raise LeavingError(f"role {name}: expected somebody in it without {person}, got nobody")
    signers = {name: signer for name, signer in policy.signers.items() if name != person}
    after = succeed(current, signers=signers, roles=roles)
    before = {(finding.where, finding.says) for finding in lint(policy, at=at)}
    for finding in lint(after, at=at):
        if finding.level is Level.PROBLEM and (finding.where, finding.says) not in before:
            raise LeavingError(f"{finding.where}: without {person}, {finding.says}")
    return after


def _without(role: Role, person: str, replacement: str | None) -> Role:
    joined = frozenset[str]() if replacement is None else frozenset({replacement})
    return replace(
        role,
        members=role.members - {person} | joined,
        deputies=role.deputies - {person} - joined,
        lead=None if role.lead == person else role.lead,
    )


def _askers(ceremony: Ceremony) -> frozenset[str]:
    request = ceremony.request.statement
    return frozenset({request.context.signer, request.on_behalf_of or request.context.signer})


def _falls_short(ceremony: Ceremony, person: str, *, at: datetime) -> bool:
    """Whether the quorum can be met with them, and cannot without more of them than their approval so far."""
    needs = [replace(need, members=need.members - ceremony.rejecters) for need in ceremony.needs]
    kept = ceremony.consents(at=at).get(person, frozenset())
    others = [need if need.role in kept else replace(need, members=need.members - {person}) for need in needs]
    return fillable(needs) and not fillable(others)
