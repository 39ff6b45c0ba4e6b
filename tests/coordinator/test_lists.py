# SPDX-License-Identifier: Apache-2.0
"""Long lists a page at a time: by index, and never looking at more than so many rows."""

from itertools import pairwise

import pytest

from coordinator.storage import CeremonyRow, Wanted
from quorumseal.ceremony.statements import Choice
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import Organisation

RELEASES = 9


@pytest.fixture
def desk(workshop: Workshop, organisation: Organisation) -> Desk:
    """Nine ceremonies, of which every third was rejected."""
    desk = workshop.desk()
    for number in range(1, RELEASES + 1):
        product = ("widget", "gadget")[number % 2]
        start = workshop.start(organisation.request(number=number, product=product, version=f"1.{number}"))
        desk.written(start)
        if number % 3 == 0:
            desk.written(workshop.decide("carol", start, Choice.REJECTION))
    return desk


def _versions(rows: list[CeremonyRow] | tuple[CeremonyRow, ...]) -> list[str]:
    return [row.version for row in rows]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), "1.9 1.8 1.7 1.6 1.5 1.4 1.3 1.2 1.1"),
        (Wanted(states=["rejected"]), "1.9 1.6 1.3"),
        (Wanted(states=["open"], products=["widget"]), "1.8 1.4 1.2"),
        (Wanted(states=["rejected", "open"], products=["gadget"]), "1.9 1.7 1.5 1.3 1.1"),
        (Wanted(version="1.4", products=["widget", "gadget"]), "1.4"),
        (Wanted(version="1.4", products=["gadget"]), ""),
        (Wanted(kind="re-approval"), ""),
        (Wanted(emergencies=True), ""),
        (Wanted(emergencies=False, states=["approved"]), ""),
        (Wanted(emergencies=False, products=["widget"]), "1.8 1.6 1.4 1.2"),
    ],
)
def test_what_is_wanted_is_found_newest_first(desk: Desk, wanted: Wanted, expected: str) -> None:
    found = desk.storage.lists.page(wanted, limit=50)
    assert " ".join(_versions([*found.rows])) == expected
    assert found.reached is None


def test_pages_follow_one_another_both_ways(desk: Desk) -> None:
    page, seen, before = desk.storage.lists.page, list[list[str]](), None
    while rows := page(Wanted(), limit=4, before=before).rows:
        seen.append(_versions([*rows]))
        before = rows[-1].opened_index
    assert seen == [["1.9", "1.8", "1.7", "1.6"], ["1.5", "1.4", "1.3", "1.2"], ["1.1"]]
    back = page(Wanted(), limit=4, after=before).rows
    assert _versions([*back]) == ["1.5", "1.4", "1.3", "1.2"]


def test_a_rare_thing_is_looked_for_so_far_and_then_further(desk: Desk) -> None:
    wanted, page = Wanted(kind="release", states=["rejected", "approved"]), desk.storage.lists.page
    seen, before, reached = list[str](), None, list[int]()
    while True:
        found = page(wanted, limit=50, before=before, within=2)
        seen += _versions([*found.rows])
        if found.reached is None:
            break
        before = found.reached
        reached.append(before)
    assert seen == ["1.9", "1.6", "1.3"]
    assert all(later < earlier for earlier, later in pairwise(reached))
    assert len(reached) == 4


def test_what_is_due_next_stands_first(desk: Desk) -> None:
    rows = desk.storage.lists.next_due(4)
    assert [row.state for row in rows] == ["open"] * 4
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows if row.due_at)


def test_versions_and_checkpoints_are_found(desk: Desk) -> None:
    found = desk.storage.lists.of_versions([("widget", "1.2"), ("gadget", "1.2")])
    assert {version: len(rows) for version, rows in found.items()} == {
        ("widget", "1.2"): 1,
        ("gadget", "1.2"): 0,
    }
    sizes = [row.size for row in desk.storage.lists.checkpoints(before=None, limit=3)]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row.size < sizes[0] for row in desk.storage.lists.checkpoints(before=sizes[0], limit=3))
