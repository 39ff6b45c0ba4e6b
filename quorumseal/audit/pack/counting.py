# SPDX-License-Identifier: Apache-2.0
"""How many of what there was in a period, and what of it was out of the ordinary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import GOVERNED
from quorumseal.ceremony.statements import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What there was in a period."""

    ceremonies: int
    by_state: Mapping[str, int]
    decisions: int
    people: int
    """How many signers decided."""
    policies: tuple[int, ...]
    """The versions that held in it."""
    emergencies: tuple[Audited, ...]
    unapproved: tuple[Audited, ...]
    """Those that ended without an approval."""
    changes: tuple[Audited, ...]
    """Of the policy."""


def count(population: Population, period: Period) -> Counted:
    """Count what touches a period."""
    ceremonies = population.within(period).ceremonies
    decisions = [s for each in ceremonies for _, s in each.statements if isinstance(s, Decision)]
    return Counted(
        ceremonies=len(ceremonies),
        by_state=dict(sorted(Counter(str(each.state) for each in ceremonies).items())),
        decisions=len(decisions),
        people=len({decision.context.signer for decision in decisions}),
        policies=tuple(sorted({each.policy.policy.version for each in ceremonies})),
        emergencies=tuple(each for each in ceremonies if each.request.emergency is not None),
        unapproved=tuple(each for each in ceremonies if each.state not in _FINE),
        changes=tuple(each for each in ceremonies if each.request.kind in GOVERNED),
    )


_FINE = frozenset({State.OPEN, State.APPROVED, State.PROVISIONAL})
