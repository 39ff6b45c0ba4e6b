# SPDX-License-Identifier: Apache-2.0
"""What a request changes that takes an earlier one's place: artifacts, evidence and policy, by name.

The earlier request comes from the journal, where only verified ones are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.statements import Evidence, Request, Subject
from signer_agent.changes import changes_between


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is other between two lists of named digests."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, str]
    """The digest that each had before."""

    @property
    def count(self) -> int:
        """How many names differ."""
        return len(self.added) + len(self.removed) + len(self.changed)

    @property
    def words(self) -> str:
        """Say how many were changed, added and removed."""
        parts = (("changed", self.changed), ("added", self.added), ("removed", self.removed))
        return ", ".join(f"{len(names)} {word}" for word, names in parts if names) or "as before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A request beside the one that it supersedes."""

    earlier: Request
    subjects: Difference
    evidence: Difference
    policy: tuple[str, ...]
    """What changed in the rules, in sentences."""


def revision_between(
    earlier: Request, later: Request, *, before: Policy | None, after: Policy, signer: str
) -> Revision:
    """Compare two requests; ``before`` is the policy of the earlier one, where this agent has it."""
    return Revision(
        earlier=earlier,
        subjects=difference(_subjects(earlier.subjects), _subjects(later.subjects)),
        evidence=difference(_evidence(earlier.evidence), _evidence(later.evidence)),
        policy=_policy(earlier, later, before, after, signer),
    )


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """Compare digests by their names."""
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed={name: before[name] for name in sorted(before.keys() & after) if before[name] != after[name]},
    )


def _subjects(subjects: Sequence[Subject]) -> dict[str, str]:
    return {subject.name: subject.digest for subject in subjects}


def _evidence(evidence: Sequence[Evidence]) -> dict[str, str]:
    return {f"{each.kind}: {each.name}": each.digest for each in evidence}


def _policy(
    earlier: Request, later: Request, before: Policy | None, after: Policy, signer: str
) -> tuple[str, ...]:
    old, new = earlier.context.policy, later.context.policy
    if old.digest == new.digest:
        return ()
    version = f"policy version: {new.version} (it was {old.version})"
    if before is None or later.product not in before.products:
        return (version,)
    rules = changes_between(before, after, product=later.product, kind=later.kind, signer=signer)
    return (version, *rules)
