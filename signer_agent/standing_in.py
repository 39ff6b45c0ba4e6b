# SPDX-License-Identifier: Apache-2.0
"""In which roles somebody decides: their own, or, as a deputy, the one that a member delegated to them."""

from collections.abc import Collection
from dataclasses import dataclass

from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Delegation
from signer_agent.errors import NotAwaitedError, UsageError
from signer_agent.review import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What a decision counts in, and by whose delegation."""

    roles: frozenset[str]
    delegation: Signed[Delegation] | None = None

    @property
    def member(self) -> str | None:
        """For whom it is made."""
        return self.delegation.signer if self.delegation else None


def seat_of(review: Review, *, roles: Collection[str] = (), member: str | None = None) -> Seat:
    """Return the seat that is meant: without a word, the one before, one's own, or the only other one."""
    found = _delegations(review)
    if member is not None:
        return _delegated(review, [d for d in found if d.signer == member], roles, member)
    before = review.own.statement.delegation if review.own else None
    if review.roles and (before is None or (roles and review.roles >= set(roles))):
        return _own(review, roles)
    return _delegated(review, [d for d in found if d.digest == before] or found, roles, None)


def _delegations(review: Review) -> list[Signed[Delegation]]:
    """Return what this signer may decide by, and what they decided by: to step back is always possible."""
    held = review.ceremony.stands_for.get(review.signer)
    return [*review.stand_ins, *([held] if held and held not in review.stand_ins else [])]


def _own(review: Review, chosen: Collection[str]) -> Seat:
    for role in chosen:
        if role not in review.roles:
            raise NotAwaitedError(
                f"expected --role to name roles that {review.signer} holds under rule {review.rule.name} "
                f"({', '.join(sorted(review.roles))}), got {role}"
            )
    return Seat(roles=frozenset(chosen) or review.roles)


def _delegated(
    review: Review, found: Collection[Signed[Delegation]], roles: Collection[str], member: str | None
) -> Seat:
    fitting = [d for d in found if not roles or {d.statement.role} == set(roles)]
    match fitting:
        case [delegation]:
            return Seat(roles=frozenset({delegation.statement.role}), delegation=delegation)
        case []:
            raise _nobodys_deputy(review, member)
        case _:
            listed = ", ".join(f"{d.signer} as {d.statement.role}" for d in fitting)
            raise UsageError(
                f"expected --for and --role to say for whom you decide, got several that you may: {listed}",
                hint="a decision fills one seat; one person decides for one other at most",
            )


def _nobodys_deputy(review: Review, member: str | None) -> NotAwaitedError:
    quorum = ", ".join(threshold.role for threshold in review.ceremony.quorum)
    if member is None:
        return NotAwaitedError(
            f"expected a member of {quorum} (rule {review.rule.name}), "
            f"got {review.signer}, who holds none of these roles",
        )
    return NotAwaitedError(
        f"expected a delegation by {member} to {review.signer} that is live in this ceremony, got none",
        hint="`quorumseal away` shows who may stand in for whom; a member who decided needs nobody",
    )
