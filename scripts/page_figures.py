# SPDX-License-Identifier: Apache-2.0
"""Say how long the pages take beside logs of different lengths: python -m scripts.page_figures 1000 100000.

The newest ceremonies are real: signed, decided by the rules.  Those before them are copies of one under ids
of their own, entries in the tree like any other.  The pages of the lengths are asked for in turn, so that
whatever else the machine does falls on each alike.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter

from starlette.applications import Starlette

from coordinator.founding import found
from coordinator.live import Live
from coordinator.projection import ceremony_row
from coordinator.storage import Append, CeremonyRow, EntryRow, LogHead, Storage
from coordinator.tree import GrowingTree
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from coordinator.web.viewer import Viewer
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import CONCLUSIONS, Entry
from quorumseal.ceremony.statements import Choice
from tests.organisation import NOW, Organisation, ceremony_number
from tests.web.asking import asked

ACME = Organisation(quorum={"engineering": 1})
MINUTE = timedelta(minutes=1)
TIMES = 40
_BATCH = 2000
_OPEN_AT_THE_END = 3
_REAL = 500
_Stored = tuple[CeremonyRow, list[EntryRow]]
_VIEWER = Viewer(name="audrey", kind="auditor")


def main(words: list[str]) -> int:
    """Print the median and the slowest tenth of each page, for each number of ceremonies."""
    lengths = [int(word) for word in words] or [1000, 100_000]
    with tempfile.TemporaryDirectory() as folder:
        apps = {length: _pages(Path(folder) / f"{length}.sqlite", length) for length in lengths}
        asyncio.run(_ask_all(apps))
    return 0


async def _ask_all(apps: dict[int, Starlette]) -> None:
    for page in _pages_of(min(apps)):
        took: dict[int, list[float]] = {length: [] for length in apps}
        for turn in range(TIMES + 3):
            for length, app in apps.items():
                begun = perf_counter()
                answer = await asked(app, page.format(last=ceremony_number(length), middle=length))
                if answer.status != 200:
                    raise SystemExit(f"{page} of {length}: {answer.status} {answer.words[:300]}")
                if turn >= 3:
                    took[length].append((perf_counter() - begun) * 1000)
        figures = "  ".join(
            f"{length:>8,}: {median(each):6.1f} ms ({sorted(each)[TIMES * 9 // 10]:6.1f})"
            for length, each in took.items()
        )
        print(f"{page:<46} {figures}", flush=True)


def _pages_of(least: int) -> Iterator[str]:
    middle = least // 2
    yield from ("/ceremonies", f"/ceremonies?before={middle * 3}", "/ceremonies?state=open")
    yield from ("/ceremonies?state=rejected&product=gadget", f"/ceremonies?version=1.{middle}")
    yield from ("/ceremonies?kind=re-approval", "/ceremonies/{last}", "/releases", "/emergencies")
    yield from ("/people", "/policies", "/log", f"/log?before={middle}", "/log/{middle}")


def _pages(path: Path, length: int) -> Starlette:
    begun = perf_counter()
    database = f"sqlite:///{path}"
    found(database, ACME.log_key, ACME.policy, at=NOW - MINUTE)
    storage = Storage(database)
    try:
        number = 1
        while number <= length:
            last = min(number + _BATCH - 1, length)
            _write(storage, range(number, last + 1), length)
            number = last + 1
    finally:
        storage.close()
    print(f"{length:,} ceremonies were made in {perf_counter() - begun:.0f} s", flush=True)
    now = NOW + (length + 5) * MINUTE
    return make_app(open_context(database, Live(Storage(database)), lambda: now), lambda _: _VIEWER)


def _write(storage: Storage, numbers: range, length: int) -> None:
    before, pattern = storage.log.head(), _pattern()
    tree = GrowingTree(before, ACME.origin, ACME.log_key)
    rows, opened, index = [], [], before.size
    at = NOW
    for number in numbers:
        at = NOW + number * MINUTE
        if number > length - _REAL:
            made = _made(*_ceremony(number, at, still_open=number > length - _OPEN_AT_THE_END), index)
        else:
            made = _copied(pattern[number % 50 == 0], number, at, index)
        opened.append(made[0])
        rows += made[1]
        index += len(made[1])
    tree.extend([row.payload for row in rows])
    head = LogHead(frontier=tree.frontier, root=tree.frontier.root(), at=at)
    storage.append(
        Append(
            before=before,
            after=head,
            entries=rows,
            nodes=tree.nodes,
            checkpoints=tree.checkpoints,
            opened=opened,
        )
    )


@cache
def _pattern() -> tuple[_Stored, _Stored]:
    """Return a ceremony that is approved, and one that is rejected."""
    return tuple(_made(*_ceremony(number, NOW, still_open=False), 0) for number in (1, 50))  # type: ignore[return-value] # two


def _copied(pattern: _Stored, number: int, at: datetime, index: int) -> _Stored:
    row, entries = pattern
    old, new = row.ceremony, ceremony_number(number)
    copied = [
        EntryRow(
            index + each.index, each.type, new, each.seq, each.payload.replace(old.encode(), new.encode())
        )
        for each in entries
    ]
    return replace(
        row,
        ceremony=new,
        product=("widget", "gadget")[number % 2],
        version=f"1.{number}",
        opened_at=at,
        deadline=at + timedelta(days=1),
        ended_at=at,
        opened_index=index,
        concluded_index=index + len(copied) - 1,
    ), copied


def _made(chain: Chain, entries: list[Entry], index: int) -> _Stored:
    ends = [place for place, entry in enumerate(entries) if entry.type in CONCLUSIONS]
    rows = [
        EntryRow(index + place, entry.type, entry.ceremony, entry.seq, entry.payload)
        for place, entry in enumerate(entries)
    ]
    return ceremony_row(chain, index, index + ends[0] if ends else None), rows


def _ceremony(number: int, at: datetime, *, still_open: bool) -> tuple[Chain, list[Entry]]:
    """Run one ceremony: approved, every fiftieth rejected; the last ones wait."""
    product = ("widget", "gadget")[number % 2]
    request = ACME.request(number=number, product=product, version=f"1.{number}", at=at)
    chain, opening = open_chain(ACME.policy, ACME.sign_request(request), at=at)
    if still_open:
        return chain, [opening]
    choice = Choice.REJECTION if number % 50 == 0 else Choice.APPROVAL
    decision = ACME.decision("alice", chain.ceremony.request, choice, at=at)
    chain, more = extend(chain, Record(ACME.sign_decision(decision)), at=at)
    return chain, [opening, *more]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
