# SPDX-License-Identifier: Apache-2.0
"""The log itself: where it ends, what is in it, entry by entry with its proof, and who watches it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coordinator.storage import EntryRow
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import NoSuchPageError
from coordinator.web.page import File, Page
from coordinator.web.showing.happenings import laid_open
from coordinator.web.showing.proofs import Proof, proof_of
from quorumseal.ceremony.entries import Entry, read_entry
from quorumseal.tlog import leaf_hash

ROWS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of the list."""

    row: EntryRow
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody who may cosign what the log signs."""

    name: str
    size: int
    """Of the largest checkpoint that it cosigned; 0 where it never did."""
    outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed checkpoint of the list."""

    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The page."""

    origin: str
    size: int
    root: str
    at: datetime
    note: str
    keys: Sequence[tuple[str, int]]
    cosignatures: int
    witnesses: Sequence[Witness]
    lines: Sequence[Line]
    checkpoints: Sequence[Checkpoint]
    older: str
    newer: str
    further: str = ""
    """The list is always looked through to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneEntry:
    """The page of an entry."""

    row: EntryRow
    entry: Entry
    leaf: str
    exact: str
    proof: Proof
    last: int


def read(context: WebContext, asked: Asked) -> Log:
    """Read the page."""
    asked.allow("before")
    head, log = context.storage.log.head(), context.policies.newest.policy.log
    end = min(asked.number("before") or head.size, head.size)
    rows = context.storage.log.entries(max(end - ROWS, 0), end)[::-1]
    newest = context.reader.newest_checkpoint()
    checkpoints = context.storage.lists.checkpoints(before=end + 1, limit=12)
    return Log(
        origin=log.origin,
        size=head.size,
        root=_base64(head.root),
        at=head.at,
        note=newest.note.decode(),
        keys=[(key.key.key_id, key.from_size) for key in log.keys],
        cosignatures=log.cosignatures,
        witnesses=_witnesses(context),
        lines=[Line(row=row, at=read_entry(row.payload).at) for row in rows],
        checkpoints=[Checkpoint(size=each.size, root=_base64(each.root)) for each in checkpoints],
        older=asked.again(before=end - ROWS) if end > ROWS else "",
        newer=asked.again(before=end + ROWS) if end < head.size else "",
    )


def _witnesses(context: WebContext) -> Sequence[Witness]:
    policy, newest = context.policies.newest.policy, context.storage.cosignatures.newest
    outside = {each.name for each in policy.log.witnesses}
    return [
        Witness(name=each.name, size=newest(each.name), outside=each.name in outside)
        for each in policy.witnesses
    ]


def read_one(context: WebContext, asked: Asked) -> OneEntry:
    """Read the page of an entry."""
    asked.allow()
    index = asked.index("index")
    rows = context.storage.log.entries(index, index + 1)
    size = context.reader.newest_checkpoint().size
    if not rows or index >= size:
        raise NoSuchPageError(f"expected an entry of a log of {size}, got number {index}")
    (row,) = rows
    return OneEntry(
        row=row,
        entry=read_entry(row.payload),
        leaf=_base64(leaf_hash(row.payload)),
        exact=laid_open(row.payload),
        proof=proof_of(context, index),
        last=size - 1,
    )


def payload(context: WebContext, asked: Asked) -> File:
    """Return the bytes of an entry."""
    one = read_one(context, asked)
    return File(name=f"entry-{one.row.index}.json", media_type="application/json", data=one.row.payload)


def checkpoint(context: WebContext, asked: Asked) -> File:
    """Return the newest checkpoint, for whoever wants to hold one."""
    asked.allow()
    newest = context.reader.newest_checkpoint()
    return File(name=f"checkpoint-{newest.size}.txt", media_type="text/plain", data=newest.note)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


PAGE: Final = Page(path="/log", here="log", template="log.html", read=read)
ONE: Final = Page(path="/log/{index}", here="log", template="entry.html", read=read_one)
