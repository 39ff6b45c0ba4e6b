# SPDX-License-Identifier: Apache-2.0
"""What was released, and everything that was decided about one version of a product."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.storage import CeremonyRow, Wanted
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import NoSuchPageError
from coordinator.web.page import Page
from coordinator.web.showing.ceremonies import Slice, products_of, slice_for
from quorumseal.audit.answer import listed
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Mode, Subject

ROWS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An approved or provisional release, and what became of it later."""

    row: CeremonyRow
    later: str
    """What a consumer should know; empty where it simply stands."""
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The page."""

    slice: Slice
    releases: Sequence[Release]
    notable: Sequence[str]
    """What somebody should know of those on the page."""
    products: Sequence[str]
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRelease:
    """The page of one version."""

    product: str
    version: str
    release: Release | None
    subjects: tuple[Subject, ...]
    ceremonies: Sequence[CeremonyRow]


def read(context: WebContext, asked: Asked) -> Releases:
    """Read the page."""
    asked.allow("product", "mode", "before", "after")
    products = products_of(context)
    product, mode = asked.choice("product", products), asked.choice("mode", tuple(Mode))
    wanted = Wanted(
        states=[State.APPROVED, State.PROVISIONAL],
        kind=Kind.RELEASE,
        emergencies=None if not mode else mode == Mode.BREAK_GLASS,
        products=[product] if product else [],
    )
    found = slice_for(context, asked, wanted, rows=ROWS)
    about = context.storage.lists.of_versions({(row.product, row.version) for row in found.rows})
    releases = [_release(row, about[row.product, row.version]) for row in found.rows]
    return Releases(
        slice=found,
        releases=releases,
        notable=[*_notable(releases)],
        products=products,
        asked=asked,
    )


def _notable(releases: Sequence[Release]) -> Iterator[str]:
    for later, said in (("revoked", "Revoked"), ("not ratified", "Not ratified")):
        names = [f"{each.row.product} {each.row.version}" for each in releases if each.later == later]
        if names:
            yield f"{said}: {listed(names)}."


def read_one(context: WebContext, asked: Asked) -> OneRelease:
    """Read the page of one version."""
    asked.allow()
    product, version = asked.path["product"], asked.path["version"]
    rows = context.storage.lists.of_versions([(product, version)])[product, version]
    if not rows:
        raise NoSuchPageError(f"expected a release of this log, got {product!r} {version!r}")
    released = [row for row in rows if row.kind == Kind.RELEASE and row.state in _RELEASED]
    last = released[-1] if released else None
    return OneRelease(
        product=product,
        version=version,
        release=_release(last, rows) if last else None,
        subjects=context.reader.request((last or rows[-1]).ceremony).subjects,
        ceremonies=rows[::-1],
    )


_RELEASED: Final = (State.APPROVED, State.PROVISIONAL)


def _release(row: CeremonyRow, rows: Sequence[CeremonyRow]) -> Release:
    """Say what became of a release, by the ceremonies about the same version."""
    approved = {each.kind for each in rows if each.state == State.APPROVED}
    if Kind.REVOCATION in approved:
        return Release(row=row, later="revoked", mark="bad")
    if row.state == State.PROVISIONAL:
        if Kind.RATIFICATION in approved:
            return Release(row=row, later="ratified", mark="good")
        return Release(row=row, later="not ratified", mark="care")
    again = sum(each.kind == Kind.RE_APPROVAL and each.state == State.APPROVED for each in rows)
    said = f"approved again {'once' if again == 1 else f'{again} times'}" if again else ""
    return Release(row=row, later=said, mark="good")


PAGE: Final = Page(path="/releases", here="releases", template="releases.html", read=read)
ONE: Final = Page(
    path="/releases/{product}/{version}", here="releases", template="release.html", read=read_one
)
