# SPDX-License-Identifier: Apache-2.0
"""Which command an answer ends with."""

from collections.abc import Iterable

from quorumseal.audit.answer import Exhibit


def lead_on(exhibits: Iterable[Exhibit], *otherwise: str) -> tuple[str, ...]:
    """Lead to the first ceremony that somebody should look at, otherwise elsewhere."""
    first = next((each.ceremony for each in exhibits if each.exception and each.ceremony), None)
    return ("audit", "show", first) if first else otherwise
