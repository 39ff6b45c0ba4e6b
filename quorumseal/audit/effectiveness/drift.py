# SPDX-License-Identifier: Apache-2.0
"""Where the policy has been going: what each version changed, and what of it weakened the rule."""

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.policy_differences import differences


def policy_drift(population: Population, period: Period) -> Measure:
    """List the versions that began to hold in a period."""
    begun = [each.entry.at for each in population.standing_entries if each.entry.type is EntryType.POLICY]
    rows, bars = [], []
    for number in range(1, len(population.policies)):
        if begun[number] not in period:
            continue
        policy = population.policies[number].policy
        changed = differences(population.policies[number - 1].policy, policy)
        weakens = [each for each in changed if each.weakens]
        rows.append(
            (
                str(policy.version),
                f"{begun[number]:%Y-%m-%d}",
                str(len(changed)),
                str(len(weakens)),
                "; ".join(f"{each.where} {each.says}" for each in weakens) or "nothing",
            )
        )
        text = f"{len(weakens)} of {len(changed)} weaken"
        bars.append(Bar(f"version {policy.version}", len(weakens), text, notable=bool(weakens)))
    weaker = sum(bar.notable for bar in bars)
    said = "The policy did not change in this period."
    if rows:
        said = (
            f"{counted(len(rows), 'version')} began to hold; {weaker or 'none'} of them "
            f"weaken{'s' if weaker == 1 else ''} the rule somewhere."
        )
    return Measure(
        name="policy-drift",
        title="What policy changes weakened",
        said=said,
        columns=("version", "since", "changes", "weaken", "what weakens"),
        rows=tuple(rows),
        picture=Bars(tuple(bars)),
    )
