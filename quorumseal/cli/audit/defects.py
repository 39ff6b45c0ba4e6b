# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a log or a pack, on the screen; how many of it, and the first of them."""

from collections.abc import Sequence

from quorumseal.audit.defect import Defect
from quorumseal.terminal import Foreign, Mark, Screen

_SHOWN = 20
_LONG = 2000


def counted(defects: Sequence[Defect]) -> str:
    """Return how many things are wrong: ``2 things are wrong``."""
    return f"{len(defects)} thing{'s are' if len(defects) > 1 else ' is'} wrong"


def draw_defects(drawn: Screen, defects: Sequence[Defect]) -> None:
    """Draw the first of them, each with what to do, and say how many more there are."""
    for defect in defects[:_SHOWN]:
        drawn.item(Mark.FAILED, Foreign(f"{defect.where}: {defect.refusal}", _LONG))
        if defect.refusal.hint:
            drawn.note(Foreign(defect.refusal.hint, _LONG))
    if len(defects) > _SHOWN:
        drawn.line(f"  and {len(defects) - _SHOWN} more: --json lists all")
