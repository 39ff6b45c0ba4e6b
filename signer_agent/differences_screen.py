# SPDX-License-Identifier: Apache-2.0
"""How the differences of two policies are drawn, and written as JSON: what weakens comes first."""

from collections.abc import Sequence

from quorumseal.ceremony.policy_differences import Difference
from quorumseal.terminal import Mark, Screen
from signer_agent.json_shape import Json

WEAKENS = "What weakens: it permits what the version before refused"


def draw_differences(screen: Screen, found: Sequence[Difference]) -> None:
    """Draw every difference, what weakens under a heading of its own."""
    for heading, mark, weakens in ((WEAKENS, Mark.WARNING, True), ("What else changes", Mark.WAITING, False)):
        some = [difference for difference in found if difference.weakens is weakens]
        if some:
            screen.heading(heading)
        for difference in some:
            screen.item(mark, f"{difference.where}: {difference.says}")


def counted(found: Sequence[Difference]) -> str:
    """Say how much differs, and how much of it weakens."""
    weaken = sum(difference.weakens for difference in found)
    things = f"{len(found)} thing{'' if len(found) == 1 else 's'}"
    if not found:
        return "nothing"
    if not weaken:
        return f"{things}, and none of it weakens"
    if len(found) == 1:
        return "1 thing, and that weakens"
    return f"{things}, of which {weaken} weaken{'s' if weaken == 1 else ''}"


def differences_json(found: Sequence[Difference]) -> Json:
    """Return the differences in their order."""
    return [{"where": d.where, "says": d.says, "weakens": d.weakens} for d in found]
