# SPDX-License-Identifier: Apache-2.0
"""How well the rule works: each measure said, drawn and as a table, as it was counted last."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.measuring import DAYS, Measured
from coordinator.web.page import Page
from quorumseal.audit.effectiveness import Measure
from quorumseal.audit.effectiveness.measure import Grid

_FITTING: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A measure, and its picture: made by us of nothing but escaped text."""

    measure: Measure
    picture: Markup

    @property
    def large(self) -> bool:
        """Whether it is wider than a narrow window, and scrolls in its own frame."""
        picture = self.measure.picture
        return isinstance(picture, Grid) and len(picture.columns) > _FITTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Effectiveness:
    """The page."""

    measured: Measured | None
    drawn: tuple[Drawn, ...]
    size: int
    days: int = DAYS


def read(context: WebContext, asked: Asked) -> Effectiveness:
    """Read the page."""
    asked.allow()
    size = context.reader.newest_checkpoint().size
    measured = context.measuring.newest(size)
    drawn = measured.measures if measured else ()
    return Effectiveness(
        measured=measured,
        drawn=tuple(Drawn(measure=each, picture=Markup(picture)) for each, picture in drawn),  # noqa: S704
        size=size,
    )


PAGE: Final = Page(path="/effectiveness", here="effectiveness", template="effectiveness.html", read=read)
