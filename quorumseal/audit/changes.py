# SPDX-License-Identifier: Apache-2.0
"""What changed about the rules and the people in a period: policy versions, keys, absences, suspensions."""

from collections.abc import Iterator
from dataclasses import dataclass

from quorumseal.audit.answer import Exhibit
from quorumseal.audit.population import Period, PlacedEntry, Population
from quorumseal.ceremony.differing import Difference
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.policy_differences import differences
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.recovery import read_recovery
from quorumseal.ceremony.statements import (
    Absence,
    Delegation,
    KeyRevocation,
    Statement,
    Suspension,
    Withdrawal,
)
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A policy version that came into force, and what it says otherwise than the one before."""

    entry: PlacedEntry
    policy: SignedPolicy
    differences: tuple[Difference, ...]
    """None for the first version."""
    people: bool
    """Whether it says otherwise who is on the roster, or in a role."""

    @property
    def weakens(self) -> tuple[Difference, ...]:
        """Return what it permits that the one before refused."""
        return tuple(each for each in self.differences if each.weakens)

    def to_json(self) -> dict[str, JsonValue]:
        """Return it for programs."""
        return {
            "entry": self.entry.index,
            "at": instant_text(self.entry.entry.at),
            "version": self.policy.policy.version,
            "digest": self.policy.digest,
            "ceremonies": [*self.policy.ceremonies] if self.policy.ceremonies else None,
            "founders": [*self.policy.signers] if self.policy.founding else None,
            "changes_people": self.people,
            "differences": [
                {"where": each.where, "says": each.says, "weakens": each.weakens} for each in self.differences
            ],
        }


def changes_in(population: Population, period: Period) -> tuple[Change, ...]:
    """Return the policy versions that came into force in a period."""
    found: list[Change] = []
    before: SignedPolicy | None = None
    entries = {each.index: each for each in population.standing_entries}
    for policy, begin in zip(population.policies, population.begins, strict=True):
        entry = entries[begin]
        if entry.entry.at in period:
            differ = differences(before.policy, policy.policy) if before else ()
            found.append(
                Change(
                    entry=entry,
                    policy=policy,
                    differences=differ,
                    people=any(each.where.startswith(("signer ", "role ")) for each in differ),
                )
            )
        before = policy
    return tuple(found)


def standing_in(population: Population, period: Period) -> tuple[Exhibit, ...]:
    """Return what was said outside any ceremony: keys, suspensions, delegations, absences, recoveries."""
    return tuple(_standing(population, period))


def _standing(population: Population, period: Period) -> Iterator[Exhibit]:
    for each in population.standing_entries:
        if each.entry.type is EntryType.POLICY or each.entry.at not in period:
            continue
        recovered = each.entry.type is EntryType.RECOVERED
        says, exception = (_recovered(each), True) if recovered else said(each.statement)
        yield Exhibit(
            says=says,
            at=each.entry.at,
            entries=(each.index,),
            exception=exception,
            kind=str(each.entry.type),
        )


def _recovered(entry: PlacedEntry) -> str:
    recovery = read_recovery(entry.entry.body)
    unheard = f"; not heard: {', '.join(recovery.unheard)}" if recovery.unheard else ""
    return (
        f"the coordinator had lost entries {recovery.before.size} to {recovery.after.size - 1}, and got them "
        f"back from the agents of {', '.join(recovery.handed_back)}{unheard}"
    )


def said(statement: Statement | None) -> tuple[str, bool]:
    """Say what a standing act says, and whether an auditor looks at it in any case."""
    match statement:
        case KeyRevocation(context=context, key=key, since=since, reason=reason):
            return f"{context.signer} revoked key {key} since {instant_text(since)} ({reason})", True
        case Suspension(context=context, person=person, until=until, reason=reason):
            return f"{context.signer} suspended {person} until {instant_text(until)} ({reason})", True
        case Delegation(context=context, role=role, deputy=deputy, since=since, until=until):
            between = f"{instant_text(since)} to {instant_text(until)}"
            return f"{context.signer} let {deputy} stand in as {role}, {between}", False
        case Absence(context=context, since=since, until=until):
            return f"{context.signer} was away {instant_text(since)} to {instant_text(until)}", False
        case Withdrawal(context=context, role=role):
            return (
                f"{context.signer} took back {f'the delegation of {role}' if role else 'an absence'}",
                False,
            )
        case _:
            raise ValueError(f"not a standing act: {statement}")
