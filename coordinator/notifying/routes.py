# SPDX-License-Identifier: Apache-2.0
"""Who is reached where: from a recipient's name to channels and addresses, and to what is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.notifying.notice import AUDIT, Notice, write_notice
from coordinator.storage import DeliveryState, NoticeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A channel by its name, and the address on it where the channel has several."""

    channel: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.channel}:{self.address}" if self.address else self.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Who gets notices where.  Without any, nobody is told anything."""

    people: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    audit: tuple[Route, ...] = ()
    fallback: Route | None = None

    @property
    def anybody(self) -> bool:
        """Whether anybody could be told anything."""
        return bool(self.people or self.audit or self.fallback)

    def of(self, notice: Notice) -> tuple[Route, ...]:
        """Return a recipient's own routes; what is urgent goes to the fallback rather than nowhere."""
        own = self.audit if notice.recipient == AUDIT else self.people.get(notice.recipient, ())
        if own or not notice.type.urgent or self.fallback is None:
            return own
        return (self.fallback,)

    def rows(self, notices: Iterable[Notice], *, at: datetime) -> list[NoticeRow]:
        """Return what is to be delivered, one row for each notice and route."""
        return [row_of(notice, route, at=at) for notice in notices for route in self.of(notice)]


def row_of(notice: Notice, route: Route, *, at: datetime, instead_of: str = "") -> NoticeRow:
    """Return a notice on its way along a route, due at once."""
    return NoticeRow(
        id=notice.id,
        channel=route.channel,
        address=route.address,
        instead_of=instead_of,
        notice=write_notice(notice),
        state=DeliveryState.PENDING,
        attempts=0,
        due_at=at,
        detail="",
    )
