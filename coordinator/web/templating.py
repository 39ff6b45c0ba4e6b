# SPDX-License-Identifier: Apache-2.0
"""Templates in which every text is somebody else's until its type says otherwise.

A text is shown as ``quorumseal.terminal`` shows it (what controls, turns or hides is spelt out), then escaped
as HTML.  No template can leave that out: it happens to whatever an expression is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from coordinator.web.statics import statics
from coordinator.web.viewer import Viewer
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.terminal import duration_text, visible, visible_lines

LONGEST: Final = 2000
"""How much of one line is shown of a text."""
LARGEST_PAGE: Final = 4 << 20


class Shown(str):
    """A text that is visible already, or ours: only its HTML is still to be escaped."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page."""

    organisation: str
    drill: bool
    viewer: Viewer | None
    at: datetime
    here: str
    """The part of the pages in which it stands."""


def render(template: str, frame: Frame, **values: object) -> str:
    """Return a page."""
    return environment().get_template(template).render(frame=frame, **values)


@cache
def environment() -> Environment:
    """Return where templates are found, and what they may call."""
    made = Environment(
        autoescape=True,
        auto_reload=False,
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    filters: Mapping[str, Callable[..., object]] = {
        "utc": utc,
        "exact": lambda at: Shown(exact(at)),
        "span": lambda span: Shown(duration_text(max(span, timedelta(0)))),
        "distance": distance,
        "day": lambda at: Shown(f"{at:%Y-%m-%d}"),
        "short": short,
        "mark": Shown,
        "whole": lambda text: [Shown(line) for line in visible_lines(text, limit=1 << 20, most=20_000)],
        "counted": lambda number: Shown(f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")),
    }
    made.filters.update(filters)
    made.globals["static"] = lambda name: statics()[name]
    return made


def utc(at: datetime) -> Shown:
    """Say when, as it is recorded: ``2026-11-20 14:07:03 UTC``."""
    return Shown(f"{at:%Y-%m-%d %H:%M:%S} UTC")


def distance(at: datetime, now: datetime) -> Shown:
    """Say how far away: ``in 2 h 14 min``, ``3 days ago``."""
    if abs(at - now) < timedelta(seconds=1):
        return Shown("now")
    return Shown(f"in {duration_text(at - now)}" if at > now else f"{duration_text(now - at)} ago")


def short(digest: str) -> Shown:
    """Return the beginning of a digest or id, as much as people compare."""
    bare = visible(digest.removeprefix("sha256:"), limit=64)
    return Shown(bare[:12] + "…" if len(bare) > 12 else bare)


def _visible(value: object) -> object:
    if isinstance(value, Shown | Markup) or not isinstance(value, str):
        return value
    return Shown(visible(value, limit=LONGEST))
