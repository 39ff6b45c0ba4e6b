# SPDX-License-Identifier: Apache-2.0
"""All ceremonies, newest first: what is open, and the rest page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.storage import CeremonyRow
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.page import Page
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode

ROWS: Final = 50
_OPEN: Final = 12
_FILTERS: Final = ("state", "kind", "mode", "product", "version", "before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some rows of a long list, and the queries that lead on; empty where it ends."""

    rows: Sequence[CeremonyRow]
    older: str
    newer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremonies:
    """The page."""

    list: Slice
    waiting: Sequence[CeremonyRow]
    """What is open, by its deadline; on the first page alone."""
    more_waiting: bool
    asked: Asked
    filtered: bool
    products: Sequence[str]
    states: Sequence[str] = tuple(State)
    kinds: Sequence[str] = tuple(Kind)
    modes: Sequence[str] = tuple(Mode)


def read(context: WebContext, asked: Asked) -> Ceremonies:
    """Read the page."""
    asked.allow(*_FILTERS)
    filtered = any(asked.text(name) for name in _FILTERS)
    waiting = () if filtered else context.storage.ceremonies.next_due_ones(_OPEN + 1)
    return Ceremonies(
        list=list_slice(context, asked),
        waiting=waiting[:_OPEN],
        more_waiting=len(waiting) > _OPEN,
        asked=asked,
        filtered=filtered,
        products=sorted({name for each in context.policies.all for name in each.policy.products}),
    )


def list_slice(context: WebContext, asked: Asked, *, kind: str = "", mode: str = "") -> Slice:
    """Return the rows that somebody asks for, from an index and never from a number of rows on."""
    before, after = asked.number("before"), asked.number("after")
    state = asked.choice("state", tuple(State))
    rows = context.storage.ceremonies.page(
        states=[state] if state else [],
        product=asked.text("product"),
        version=asked.text("version"),
        kind=kind or asked.choice("kind", tuple(Kind)),
        mode=mode or asked.choice("mode", tuple(Mode)),
        before=before,
        after=after,
        limit=ROWS + 1,
    )
    return slice_of(rows, asked, upwards=after is not None and before is None)


def slice_of(rows: Sequence[CeremonyRow], asked: Asked, *, upwards: bool) -> Slice:
    """Cut what was read to a page; the row too much says whether there is more that way."""
    more = len(rows) > ROWS
    kept = rows[-ROWS:] if upwards else rows[:ROWS]
    came = asked.number("before") is not None
    older = kept and (upwards or more)
    newer = kept and ((upwards and more) or (not upwards and came))
    return Slice(
        rows=kept,
        older=asked.again(before=kept[-1].opened_index, after=None) if older else "",
        newer=asked.again(after=kept[0].opened_index, before=None) if newer else "",
    )


PAGE: Final = Page(path="/ceremonies", here="ceremonies", template="ceremonies.html", read=read)
