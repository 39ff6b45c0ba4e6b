# SPDX-License-Identifier: Apache-2.0
"""How far a bundle has come, as the coordinator says; `release fetch` verifies what it says."""

from collections.abc import Sequence

from quorumseal.cli.output import Json
from quorumseal.client.values import Publication
from quorumseal.terminal import Foreign, Mark, Screen

PENDING, PUBLISHED, FAILED = "pending", "published", "failed"
AWAITING = "awaiting witnesses"
_MARKS = {PUBLISHED: Mark.DONE, FAILED: Mark.FAILED}


def all_published(publications: Sequence[Publication]) -> bool:
    """Whether the bundle is wherever it should be."""
    return all(publication.state == PUBLISHED for publication in publications)


def draw_publications(drawn: Screen, publications: Sequence[Publication]) -> None:
    """Draw one line for each destination."""
    for publication in publications:
        mark = _MARKS.get(publication.state, Mark.WAITING)
        if publication.state == PUBLISHED:
            drawn.item(mark, "published:", Foreign(publication.detail or publication.destination))
        else:
            why = [Foreign(f"({publication.detail})")] if publication.detail else []
            drawn.item(mark, Foreign(publication.state), "for", Foreign(publication.destination), *why)


def publications_json(publications: Sequence[Publication]) -> Json:
    """Return the destinations as JSON."""
    return [{"destination": p.destination, "state": p.state, "detail": p.detail} for p in publications]
