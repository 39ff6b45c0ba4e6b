# SPDX-License-Identifier: Apache-2.0
"""Who carries the decisions, and how few people stop them by being absent."""

from collections import Counter
from collections.abc import Sequence

from quorumseal.audit.answer import counted, listed
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure, decisions
from quorumseal.audit.population import Audited, Period
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.resilience import resilience

_MUCH = 0.5


def load(ceremonies: Sequence[Audited], period: Period) -> Measure:
    """Count the decisions of each person, and in how many ceremonies."""
    made: Counter[str] = Counter()
    where: dict[str, set[str]] = {}
    for audited, _, decision in decisions(ceremonies, period):
        made[decision.context.signer] += 1
        where.setdefault(decision.context.signer, set()).add(audited.id)
    total, among = made.total(), len(set().union(*where.values())) if where else 0
    said = "Nobody decided in this period."
    if made:
        most = max(made.values())
        who = sorted(name for name, count in made.items() if count == most)
        said = (
            f"{counted(total, 'decision')} in {counted(among, 'ceremony', 'ceremonies')} by "
            f"{counted(len(made), 'person', 'people')}; {listed(who)} made the most, "
            f"{most}{' each' if len(who) > 1 else ''} ({most / total:.0%})."
        )
    return Measure(
        name="load",
        title="Decisions by person",
        said=said,
        columns=("person", "decisions", "share", "ceremonies", "share of ceremonies"),
        rows=tuple(
            (
                name,
                str(made[name]),
                f"{made[name] / total:.0%}",
                str(len(where[name])),
                f"{len(where[name]) / among:.0%}",
            )
            for name in sorted(made, key=lambda each: (-made[each], each))
        ),
        picture=Bars(
            tuple(
                Bar(name, count, str(count), notable=len(made) > 1 and count > _MUCH * total)
                for name, count in sorted(made.items(), key=lambda item: (-item[1], item[0]))
            )
        ),
    )


def bus_factors(policy: Policy) -> Measure:
    """Say of each rule in force how few absent people stop it."""
    rows, bars = [], []
    for name, rule in sorted(policy.rules.items()):
        bears = resilience(policy.needs(rule.quorum))
        factor, alone = bears.bus_factor, sorted(bears.indispensable)
        rows.append((name, str(factor), ", ".join(bears.tightest.roles), ", ".join(alone) or "nobody"))
        bars.append(Bar(name, factor, counted(factor, "person", "people"), notable=factor <= 1))
    fragile = [bar.label for bar in bars if bar.notable]
    said = f"Each rule of policy version {policy.version} bears the absence of anybody."
    if fragile:
        said = (
            f"Under policy version {policy.version}, one absent person stops "
            f"{'rule' if len(fragile) == 1 else 'rules'} {', '.join(fragile)}."
        )
    return Measure(
        name="bus-factor",
        title="How few absent people stop a rule",
        said=said,
        columns=("rule", "absent people who stop it", "tightest roles", "nobody else for"),
        rows=tuple(rows),
        picture=Bars(tuple(bars)),
    )
