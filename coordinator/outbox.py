# SPDX-License-Identifier: Apache-2.0
"""What is to be published once something is approved: one row for each bundle and destination."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from coordinator.storage import OutboxRow
from coordinator.values import PublicationState
from quorumseal.ceremony.policy import GOVERNED, Kind


def due(ceremony: str, destination: str, *, at: datetime) -> OutboxRow:
    """Return the row of one bundle that is to be published somewhere, and was not tried yet."""
    return OutboxRow(
        ceremony=ceremony,
        destination=destination,
        state=PublicationState.PENDING,
        detail="",
        attempts=0,
        due_at=at,
    )


def due_bundles(
    published: Iterable[tuple[str, Kind]], destinations: Sequence[str], *, at: datetime
) -> list[OutboxRow]:
    """Return the rows of ceremonies; a policy has no bundle of its own: it travels with its releases."""
    return [
        due(ceremony, destination, at=at)
        for ceremony, kind in published
        if kind not in GOVERNED
        for destination in destinations
    ]
