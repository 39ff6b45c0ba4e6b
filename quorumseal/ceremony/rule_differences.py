# SPDX-License-Identifier: Apache-2.0
"""What two policies' rules say otherwise, their emergencies included."""

from collections.abc import Iterator

from quorumseal.ceremony.differing import Difference, listed, of_quorums, of_sets, of_spans
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.policy import Policy, Rule


def rule_differences(old: Policy, new: Policy) -> Iterator[Difference]:
    """Yield what differs in the rules; a rule weakens nothing before a product leads to it."""
    for name in sorted(old.rules.keys() | new.rules.keys()):
        before, after, where = old.rules.get(name), new.rules.get(name), f"rule {name}"
        if before is None:
            rule = new.rules[name]
            needs = " and ".join(f"{t.count} of {t.role}" for t in rule.quorum)
            yield Difference(where=where, says=f"is new: {needs}, requested by {listed(rule.requesters)}")
        elif after is None:
            yield Difference(where=where, says="is removed")
        else:
            yield from _rule(where, before, after)
            yield from _silenced(where, old, new, before, after)


def _rule(where: str, old: Rule, new: Rule) -> Iterator[Difference]:
    yield from of_quorums(where, old.quorum, new.quorum)
    yield from of_sets(
        where,
        old.requesters,
        new.requesters,
        gains="lets members of {} request, too",
        loses="lets members of {} request no more",
        gain_weakens=True,
    )
    yield from of_sets(
        where,
        old.veto,
        new.veto,
        gains="gives {} the veto",
        loses="takes the veto from {}",
        loss_weakens=True,
    )
    yield from of_sets(
        where,
        old.checks,
        new.checks,
        gains="asks every approval for the checks {}",
        loses="asks for the checks {} no more",
        loss_weakens=True,
    )
    yield from of_spans(where, "the usual deadline", old.deadline, new.deadline)
    yield from of_spans(where, "the longest time", old.longest, new.longest, longer_weakens=True)
    if old.stages != new.stages:
        says = f"decides in stages: {_stages(new)}" if new.stages else "decides all at once, not in stages"
        yield Difference(where=where, says=says, weakens=bool(old.stages))
    yield from of_sets(
        where,
        old.extenders,
        new.extenders,
        gains="lets members of {} move the deadline",
        loses="lets members of {} move the deadline no more",
        gain_weakens=True,
    )
    yield from _emergency(f"{where}, break-glass", old.emergency, new.emergency)


def _emergency(where: str, old: BreakGlass | None, new: BreakGlass | None) -> Iterator[Difference]:
    if old is None or new is None:
        if new is not None:
            yield Difference(where=where, says="is allowed, where it was not", weakens=True)
        elif old is not None:
            yield Difference(where=where, says="is not allowed any more")
        return
    yield from of_quorums(where, old.quorum, new.quorum)
    yield from of_sets(
        where,
        old.reasons,
        new.reasons,
        gains="allows the reasons {}",
        loses="allows the reasons {} no more",
        gain_weakens=True,
    )
    yield from of_sets(
        where,
        old.checks,
        new.checks,
        gains="asks every approval for the checks {}",
        loses="asks for the checks {} no more",
        loss_weakens=True,
    )
    yield from of_spans(where, "the veto window", old.veto_window, new.veto_window, shorter_weakens=True)
    yield from of_spans(where, "provisional", old.provisional, new.provisional, longer_weakens=True)
    yield from of_spans(where, "the time to ratify", old.ratify, new.ratify, longer_weakens=True)
    yield from of_spans(where, "the time to report", old.report, new.report, longer_weakens=True)


def _silenced(where: str, old: Policy, new: Policy, before: Rule, after: Rule) -> Iterator[Difference]:
    """Yield who stays on the roster, but in no role any more whose rejection ends a ceremony."""
    could = {who for role in before.veto for who in old.roles[role].members}
    can = {who for role in after.veto for who in new.roles[role].members}
    silenced = (could - can) & new.signers.keys()
    if silenced and after.veto:
        says = f"can be rejected by {listed(silenced)} alone no more"
        yield Difference(where=where, says=says, weakens=True)


def _stages(rule: Rule) -> str:
    return ", then ".join(" with ".join(sorted(stage)) for stage in rule.stages)
