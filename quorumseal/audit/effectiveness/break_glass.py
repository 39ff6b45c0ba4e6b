# SPDX-License-Identifier: Apache-2.0
"""How often the glass was broken, beside how often it may be."""

from collections.abc import Sequence
from datetime import datetime

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure
from quorumseal.audit.population import Audited, Period
from quorumseal.ceremony.emergencies import QUARTER
from quorumseal.ceremony.emergency import MOST_PER_QUARTER
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind


def break_glass(ceremonies: Sequence[Audited], period: Period) -> Measure:
    """Count the emergencies of each product, and the most that concluded within any 92 days."""
    emergencies = [each for each in ceremonies if each.request.emergency and each.opened_at in period]
    released = [each for each in ceremonies if each.request.emergency and each.state is State.PROVISIONAL]
    ratified = {
        each.request.ratified.ceremony
        for each in ceremonies
        if each.request.kind is Kind.RATIFICATION and each.request.ratified and each.state is State.APPROVED
    }
    by_product: dict[str, list[Audited]] = {}
    for each in emergencies:
        by_product.setdefault(each.request.product, []).append(each)
    rows, bars = [], []
    for product, some in sorted(by_product.items()):
        most = _most_in_a_quarter([e.request.opened_at for e in released if e.request.product == product])
        concluded = [each for each in some if each.state is State.PROVISIONAL]
        rows.append(
            (
                product,
                str(len(some)),
                str(len(concluded)),
                str(sum(each.id in ratified for each in concluded)),
                str(sum(each.ceremony.stopped_by is not None for each in some)),
                str(sum(not each.ceremony.reports for each in concluded)),
                f"{most} of {MOST_PER_QUARTER}",
            )
        )
        bars.append(Bar(product, most, f"{most} of {MOST_PER_QUARTER}", notable=most >= MOST_PER_QUARTER))
    said = "Nobody broke the glass in this period."
    if rows:
        said = (
            f"{counted(len(emergencies), 'emergency', 'emergencies')} for "
            f"{counted(len(rows), 'product')}; at most {MOST_PER_QUARTER} of a product may release "
            f"anything within {QUARTER.days} days, and {max(bar.value for bar in bars):.0f} did."
        )
    return Measure(
        name="break-glass",
        title="Emergencies, beside their limit",
        said=said,
        columns=(
            "product",
            "emergencies",
            "released",
            "ratified",
            "vetoed",
            "without a report",
            f"most within {QUARTER.days} days",
        ),
        rows=tuple(rows),
        picture=Bars(tuple(bars), limit=MOST_PER_QUARTER),
    )


def _most_in_a_quarter(opened: Sequence[datetime]) -> int:
    return max((sum(first <= each < first + QUARTER for each in opened) for first in opened), default=0)
