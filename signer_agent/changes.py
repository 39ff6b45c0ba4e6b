# SPDX-License-Identifier: Apache-2.0
"""What changed for a product between two policies, in sentences: the ground may have moved."""

from collections.abc import Iterator

from quorumseal.ceremony.policy import Kind, Policy, Rule
from quorumseal.ceremony.spans import span_text
from quorumseal.terminal import duration_text


def changes_between(old: Policy, new: Policy, *, product: str, kind: Kind, signer: str) -> tuple[str, ...]:
    """Return what is different about the rule for a product, and about this signer's keys."""
    before, after = old.rule_for(product, kind), new.rule_for(product, kind)
    return (
        *_quorum(old, before, new, after),
        *_sets("may request", _people(old, before.requesters), _people(new, after.requesters)),
        *_sets("can veto", before.veto, after.veto),
        *_sets("must be stated as checked", before.checks, after.checks),
        *_values("deadline", span_text(before.deadline), span_text(after.deadline)),
        *_values("longest ceremony", duration_text(before.longest), duration_text(after.longest)),
        *_values("rule", before.name, after.name),
        *_values("break-glass", _emergency(before), _emergency(after)),
        *_values("log", old.log.origin, new.log.origin),
        *_sets("your key", _keys(old, signer), _keys(new, signer)),
    )


def _quorum(old: Policy, before: Rule, new: Policy, after: Rule) -> Iterator[str]:
    was = {threshold.role: threshold.count for threshold in before.quorum}
    now = {threshold.role: threshold.count for threshold in after.quorum}
    for role in sorted(was.keys() - now.keys()):
        yield f"{role} is no longer needed (it was {was[role]})"
    for role, count in now.items():
        if role not in was:
            yield f"{role} is needed now: {count}"
        else:
            yield from _values(f"{role} needed", str(was[role]), str(count))
            yield from _sets(f"in {role}", old.roles[role].members, new.roles[role].members)


def _emergency(rule: Rule) -> str:
    allowed = rule.emergency
    if allowed is None:
        return "none"
    quorum = ", ".join(f"{threshold.count} of {threshold.role}" for threshold in allowed.quorum)
    times = (
        f"veto within {duration_text(allowed.veto_window)}, ratified within {duration_text(allowed.ratify)}"
    )
    return f"{quorum}; {times}; for {', '.join(sorted(allowed.reasons))}"


def _people(policy: Policy, roles: frozenset[str]) -> frozenset[str]:
    return frozenset(member for role in roles for member in policy.roles[role].members)


def _keys(policy: Policy, signer: str) -> frozenset[str]:
    known = policy.signers.get(signer)
    return frozenset(key.key.key_id for key in known.keys) if known else frozenset()


def _sets(what: str, before: frozenset[str], after: frozenset[str]) -> Iterator[str]:
    for name in sorted(after - before):
        yield f"{what}: {name} was added"
    for name in sorted(before - after):
        yield f"{what}: {name} was removed"


def _values(what: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        yield f"{what}: {after} (it was {before})"
