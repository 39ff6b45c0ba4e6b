# SPDX-License-Identifier: Apache-2.0
"""Every time that the glass was broken: why, by whom, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.storage import CeremonyRow, EntryRow, Wanted
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.page import Page
from coordinator.web.showing.ceremonies import Slice, slice_for
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Emergency, Request

ROWS: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One emergency."""

    row: CeremonyRow
    emergency: Emergency
    impact: str | None
    """What it does to whom, as it was said; none where the words are kept no more."""
    came: str
    mark: str
    report: str
    report_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergencies:
    """The page."""

    slice: Slice
    broken: Sequence[Broken]
    answer: str
    calm: bool


def read(context: WebContext, asked: Asked) -> Emergencies:
    """Read the page."""
    asked.allow("before", "after")
    found = slice_for(context, asked, Wanted(emergencies=True), rows=ROWS)
    chains = context.storage.log.chains([row.ceremony for row in found.rows])
    at = context.now()
    about = context.storage.lists.of_versions({(row.product, row.version) for row in found.rows})
    broken = [
        _broken(context, row, chains[row.ceremony], about[row.product, row.version], at=at)
        for row in found.rows
    ]
    owed = [each for each in broken if each.mark == "care" or each.report_mark in ("care", "bad")]
    return Emergencies(slice=found, broken=broken, answer=_answer(broken, owed), calm=not owed)


def _answer(broken: Sequence[Broken], owed: Sequence[Broken]) -> str:
    if not broken:
        return "The glass was never broken."
    if not owed:
        return "Each of these has ended, and every report that was owed is there."
    names = ", ".join(f"{each.row.product} {each.row.version}" for each in owed)
    return f"Something is still owed: {names}."


def _broken(
    context: WebContext,
    row: CeremonyRow,
    entries: Sequence[EntryRow],
    others: Sequence[CeremonyRow],
    *,
    at: datetime,
) -> Broken:
    request = read_statement(read_entry(entries[0].payload).envelope.payload)
    assert isinstance(request, Request)  # noqa: S101 - it opened a ceremony
    assert request.emergency is not None  # noqa: S101 - it broke the glass
    texts = {each.commitment: each.text for each in context.storage.ceremonies.annexes(row.ceremony)}
    reported = any(each.type == EntryType.REPORTED for each in entries)
    came, mark = _came(row, request.emergency, others, at=at)
    report, report_mark = _report(row, reported=reported, at=at)
    return Broken(
        row=row,
        emergency=request.emergency,
        impact=texts.get(request.emergency.impact),
        came=came,
        mark=mark,
        report=report,
        report_mark=report_mark,
    )


def _came(
    row: CeremonyRow, emergency: Emergency, others: Sequence[CeremonyRow], *, at: datetime
) -> tuple[str, str]:
    """Say what came of it."""
    if row.state == State.OPEN:
        return "open", "care"
    if row.state != State.PROVISIONAL:
        return f"vetoed by {row.stopped_by}" if row.stopped_by else row.state, "past"
    if any(each.kind == Kind.RATIFICATION and each.state == State.APPROVED for each in others):
        return "ratified", "good"
    if at < emergency.ratify_by:
        return "waits for its ratification", "care"
    return "lapsed: nobody ratified it", "bad"


def _report(row: CeremonyRow, *, reported: bool, at: datetime) -> tuple[str, str]:
    if reported:
        return "filed", "good"
    if row.report_due is None:
        return "not owed", "past"
    return ("late", "bad") if row.report_due <= at else ("owed", "care")


PAGE: Final = Page(path="/emergencies", here="emergencies", template="emergencies.html", read=read)
