# SPDX-License-Identifier: Apache-2.0
"""What somebody signed in ceremonies, newest first: so many entries are looked through, and no more."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from coordinator.storage import CeremonyRow, EntryRow
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.showing.lanes import listed
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Choice, Decision

ROWS: Final = 40
LOOKED: Final = 2000
_TYPES: Final = {
    EntryType.OPENED: "asked for it",
    EntryType.DECIDED: "",
    EntryType.LATE: "",
    EntryType.CANCELLED: "cancelled it",
    EntryType.EXTENDED: "moved the deadline",
    EntryType.VETOED: "vetoed it",
    EntryType.REPORTED: "reported on the emergency",
}
_CHOICES: Final = {
    Choice.APPROVAL: ("approved", "approved"),
    Choice.REJECTION: ("rejected", "rejected"),
    Choice.ABSTENTION: ("past", "abstained"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One statement of theirs, as the log has it."""

    index: int
    at: datetime
    mark: str
    said: str
    row: CeremonyRow
    """The ceremony as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSlice:
    """Some of them, and the queries that lead on; empty where it ends."""

    rows: Sequence[Signed]
    older: str
    newer: str
    further: str
    """Leads on where not everything was looked through."""


def signed_by(context: WebContext, name: str, asked: Asked) -> SignedSlice:
    """Return some of what somebody signed, from the index that a reader asks for."""
    size = context.storage.log.head().size
    before, after = asked.number("before"), asked.number("after")
    upwards = after is not None and before is None
    if upwards and after is not None:
        start = min(after + 1, size)
        end = min(start + LOOKED, size)
    else:
        end = size if before is None else min(before, size)
        start = max(end - LOOKED, 0)
    rows = context.storage.log.entries(start, end, types=[*_TYPES])
    found = [*islice(_theirs(rows if upwards else rows[::-1], name), ROWS + 1)]
    more, kept = len(found) > ROWS, found[:ROWS][:: -1 if upwards else 1]
    older, newer = (bool(kept), more) if upwards else (more, bool(kept) and before is not None)
    further = not more and (end < size if upwards else start > 0)
    onwards = {"after": end - 1, "before": None} if upwards else {"before": start, "after": None}
    return SignedSlice(
        rows=[_signed(context, row) for row in kept],
        older=asked.again(before=kept[-1].index, after=None) if older else "",
        newer=asked.again(after=kept[0].index, before=None) if newer else "",
        further=asked.again(**onwards) if further else "",
    )


def _theirs(rows: Sequence[EntryRow], name: str) -> Iterator[EntryRow]:
    """Yield the entries whose statement names them; the log has verified it, so a quick look is enough."""
    for row in rows:
        envelope = json.loads(row.payload)["body"]["envelope"]
        if json.loads(base64.b64decode(envelope["payload"]))["predicate"]["signer"] == name:
            yield row


def _signed(context: WebContext, row: EntryRow) -> Signed:
    entry = read_entry(row.payload)
    ceremony = context.storage.ceremonies.get(entry.ceremony or "")
    assert ceremony is not None  # noqa: S101 - the entry is one of its
    mark, said = "calm", _TYPES[entry.type]
    statement = read_statement(entry.envelope.payload)
    if isinstance(statement, Decision):
        mark, said = _CHOICES[statement.choice]
        said += f" as {listed(sorted(statement.roles))}" if statement.roles else ""
    if entry.type is EntryType.LATE:
        mark, said = "past", f"{said}, too late to count"
    return Signed(index=row.index, at=entry.at, mark=mark, said=said, row=ceremony)
