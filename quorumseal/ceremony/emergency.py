# SPDX-License-Identifier: Apache-2.0
"""Break-glass: what a policy may allow in an emergency, and the floor that no policy can lower.

The floor: two people, from two roles, one of them a guardian.  It stands here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.quorum import Threshold
from quorumseal.terminal.durations import duration_text

FLOOR_PEOPLE = 2
FLOOR_ROLES = 2
MOST_PER_QUARTER = 2
PEOPLE_AFTER_TROUBLE = 3
"""How many people an emergency needs after a veto on the same release, or while a report is owed."""
SHORTEST_WHY = 40
LONGEST_PROVISIONAL = timedelta(days=14)
LONGEST_RATIFICATION = timedelta(days=14)
_SHORTEST_WINDOW, _LONGEST_WINDOW = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """What a rule asks for in an emergency."""

    quorum: tuple[Threshold, ...]
    reasons: frozenset[str]
    """The codes of which an emergency names one."""
    checks: frozenset[str]
    """What every approval must state as passed even then."""
    veto_window: timedelta
    """How long anybody may stop it once the quorum is met."""
    provisional: timedelta
    """How long after its opening a provisional bundle may be accepted at most."""
    ratify: timedelta
    """How long after its opening it may be ratified at most."""
    report: timedelta
    """How long after its conclusion the report may take."""

    def __post_init__(self) -> None:
        if not self.reasons:
            raise PolicyError("break_glass: expected at least one reason, got none")
        if not _SHORTEST_WINDOW <= self.veto_window <= _LONGEST_WINDOW:
            raise PolicyError(
                f"break_glass: expected a veto window of {duration_text(_SHORTEST_WINDOW)} to "
                f"{duration_text(_LONGEST_WINDOW)}, got {duration_text(self.veto_window)}"
            )
        for what, length, most in (
            ("provisional", self.provisional, LONGEST_PROVISIONAL),
            ("ratify", self.ratify, LONGEST_RATIFICATION),
            ("report", self.report, LONGEST_RATIFICATION),
        ):
            if not timedelta(0) < length <= most:
                raise PolicyError(
                    f"break_glass.{what}: expected more than 0 and at most {duration_text(most)}, "
                    f"got {duration_text(length)}"
                )


def check_floor(where: str, emergency: BreakGlass, guardians: Iterable[str]) -> None:
    """Refuse a policy whose emergencies would need less than the floor."""
    roles = {threshold.role for threshold in emergency.quorum}
    people = sum(threshold.count for threshold in emergency.quorum)
    if people < FLOOR_PEOPLE or len(roles) < FLOOR_ROLES:
        raise PolicyError(
            f"{where}: expected an emergency to need at least {FLOOR_PEOPLE} people from {FLOOR_ROLES} "
            f"roles, got {people} from {len(roles)}",
            hint="the floor is in the program; no policy lowers it",
        )
    if not roles & frozenset(guardians):
        raise PolicyError(
            f"{where}: expected an emergency to need at least one guardian role, "
            f"got {', '.join(sorted(roles))}",
            hint="mark a role of its quorum with guardian = true",
        )


def floor_met(seats: Mapping[str, str], guardians: Iterable[str]) -> bool:
    """Whether those seated (person to role) are enough people, from enough roles, with a guardian."""
    roles = frozenset(seats.values())
    return len(seats) >= FLOOR_PEOPLE and len(roles) >= FLOOR_ROLES and bool(roles & frozenset(guardians))
