# SPDX-License-Identifier: Apache-2.0
"""How long it took until a quorum had approved."""

from collections.abc import Sequence
from datetime import timedelta

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure, quantile
from quorumseal.audit.population import Audited
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Mode
from quorumseal.terminal.durations import duration_text

_UP_TO = (
    (timedelta(minutes=15), "15 minutes"),
    (timedelta(hours=1), "1 hour"),
    (timedelta(hours=4), "4 hours"),
    (timedelta(days=1), "1 day"),
    (timedelta(days=3), "3 days"),
    (timedelta.max, "longer"),
)
_MET = frozenset({State.APPROVED, State.PROVISIONAL})


def quorum_time(ended: Sequence[Audited]) -> Measure:
    """Measure from the opening to the approval, by what was asked for."""
    taken: dict[str, list[timedelta]] = {}
    for audited in ended:
        if audited.state in _MET and audited.ended_at is not None:
            taken.setdefault(_what(audited), []).append(audited.ended_at - audited.opened_at)
    every = [each for some in taken.values() for each in some]
    said = "No ceremony was approved in this period."
    if every:
        said = (
            f"Of {counted(len(every), 'approved ceremony', 'approved ceremonies')}, half had their quorum "
            f"within {duration_text(quantile(every, 0.5))} and nine of ten within "
            f"{duration_text(quantile(every, 0.9))}; the longest took {duration_text(max(every))}."
        )
    return Measure(
        name="time-to-quorum",
        title="Time to quorum",
        said=said,
        columns=("asked for", "approved", "half within", "nine of ten within", "longest"),
        rows=tuple(
            (
                what,
                str(len(some)),
                duration_text(quantile(some, 0.5)),
                duration_text(quantile(some, 0.9)),
                duration_text(max(some)),
            )
            for what, some in sorted(taken.items())
        ),
        picture=Bars(_histogram(every)),
    )


def _what(audited: Audited) -> str:
    if audited.request.mode is Mode.BREAK_GLASS:
        return "emergency"
    return str(audited.request.kind).replace("-", " ")


def _histogram(every: Sequence[timedelta]) -> tuple[Bar, ...]:
    bars, below = list[Bar](), timedelta.min
    for end, label in _UP_TO:
        count = sum(below < each <= end for each in every)
        bars.append(Bar(label if end == timedelta.max else f"up to {label}", count, str(count)))
        below = end
    return tuple(bars)
