# SPDX-License-Identifier: Apache-2.0
"""All ceremonies, newest first: what is open, and the rest page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.storage import CeremonyRow, Found, Wanted
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.page import Page
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import POLICY, Kind
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
    further: str
    """Leads on where not everything was looked through."""


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
    waiting = () if filtered else context.storage.lists.next_due(_OPEN + 1)
    return Ceremonies(
        list=list_slice(context, asked),
        waiting=waiting[:_OPEN],
        more_waiting=len(waiting) > _OPEN,
        asked=asked,
        filtered=filtered,
        products=products_of(context),
    )


def products_of(context: WebContext) -> list[str]:
    """Return every product that a policy ever named, and what stands for the policy itself."""
    return sorted({POLICY, *(name for each in context.policies.all for name in each.policy.products)})


def list_slice(context: WebContext, asked: Asked) -> Slice:
    """Return the rows that somebody asks for, from an index and never from a number of rows on."""
    products = products_of(context)
    state, product = asked.choice("state", tuple(State)), asked.choice("product", products)
    version, mode = asked.text("version"), asked.choice("mode", tuple(Mode))
    wanted = Wanted(
        states=[state] if state else [],
        kind=asked.choice("kind", tuple(Kind)),
        emergencies=None if not mode else mode == Mode.BREAK_GLASS,
        products=[product] if product else products if version else [],
        version=version,
    )
    return slice_for(context, asked, wanted)


def slice_for(context: WebContext, asked: Asked, wanted: Wanted, rows: int = ROWS) -> Slice:
    """Return some of what is wanted, from the index that somebody asks for."""
    before, after = asked.number("before"), asked.number("after")
    found = context.storage.lists.page(wanted, before=before, after=after, limit=rows + 1)
    return slice_of(found, asked, upwards=after is not None and before is None, rows=rows)


def slice_of(found: Found, asked: Asked, *, upwards: bool, rows: int = ROWS) -> Slice:
    """Cut what was read to a page; the row too much says whether there is more that way."""
    more = len(found.rows) > rows
    kept = found.rows[-rows:] if upwards else found.rows[:rows]
    came = asked.number("before") is not None
    older = bool(kept) and (upwards or more)
    newer = bool(kept) and ((upwards and more) or (not upwards and came))
    onwards = (
        {"after": found.reached, "before": None} if upwards else {"before": found.reached, "after": None}
    )
    return Slice(
        rows=kept,
        older=asked.again(before=kept[-1].opened_index, after=None) if older else "",
        newer=asked.again(after=kept[0].opened_index, before=None) if newer else "",
        further=asked.again(**onwards) if found.reached is not None else "",
    )


PAGE: Final = Page(path="/ceremonies", here="ceremonies", template="ceremonies.html", read=read)
