# SPDX-License-Identifier: Apache-2.0
"""How evidence is drawn: what it says, where the log has it, and what people wrote."""

from collections.abc import Iterable, Sequence

from quorumseal.audit.answer import Exhibit
from quorumseal.terminal import Foreign, Mark, Screen

LONG = 2000
MOST = 20


def draw_exhibits(drawn: Screen, exhibits: Sequence[Exhibit]) -> None:
    """Draw evidence, what somebody should look at first; of much evidence, the beginning."""
    ordered = [e for e in exhibits if e.exception] + [e for e in exhibits if not e.exception]
    for each in ordered[:MOST]:
        drawn.item(Mark.WARNING if each.exception else Mark.DONE, Foreign(each.says, LONG))
        if each.entries:
            drawn.note(
                f"{entries_text(each.entries)}{f', ceremony {each.ceremony}' if each.ceremony else ''}"
            )
        for digest in each.digests:
            drawn.note(Foreign(digest))
        for who, text in each.texts:
            drawn.note(f"{who} wrote:")
            drawn.quote(text)
    if len(ordered) > MOST:
        drawn.line(f"  and {len(ordered) - MOST:,} more: --json has them all")


def entries_text(indices: Iterable[int]) -> str:
    """Name entries by their indices, runs of them by their ends: ``entries 3 to 8, 12``."""
    runs: list[list[int]] = []
    for index in sorted({*indices}):
        if runs and index == runs[-1][-1] + 1:
            runs[-1][1:] = [index]
        else:
            runs.append([index])
    names = [f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    one = len(runs) == 1 and len(runs[0]) == 1
    return f"{'entry' if one else 'entries'} {', '.join(names)}"
