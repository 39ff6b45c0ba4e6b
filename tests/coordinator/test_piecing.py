# SPDX-License-Identifier: Apache-2.0
"""The lost end of a log is put together from many mouths, some of which lie."""

from collections.abc import Mapping

import pytest

from coordinator.errors import RecoveryError
from coordinator.piecing import Pieced, piece_together, ranges
from coordinator.storage import HandedRow
from quorumseal.tlog import Frontier, leaf_hash

TRUE = {index: f"entry {index}".encode() for index in range(20)}
START, END = 8, 14
FRONTIER = Frontier().extend(leaf_hash(TRUE[index]) for index in range(START))[0]
ROOT = Frontier().extend(leaf_hash(TRUE[index]) for index in range(END))[0].root()
LOST = range(START, END)


def held(*indices: int) -> dict[int, bytes]:
    return {index: TRUE[index] for index in indices}


def pieced(agents: Mapping[str, Mapping[int, bytes]]) -> Pieced:
    rows = [HandedRow(i, who, payload) for who, kept in agents.items() for i, payload in kept.items()]
    return piece_together(FRONTIER, END, ROOT, rows)


FORGED = dict.fromkeys(LOST, b"forged")
SWAPPED = {**held(*LOST), 9: TRUE[10], 10: TRUE[9]}
FOREIGN = {index: f"entry {index} of another log".encode() for index in LOST}
TOO_MANY = {**held(*range(20)), 14: b"more", 3: b"less", 10_000: b"far"}


@pytest.mark.parametrize(
    ("agents", "left_out"),
    [
        pytest.param({"alice": held(*LOST)}, "", id="one who has all"),
        pytest.param({"alice": held(8, 10, 12), "bob": held(9, 11, 13)}, "", id="each a part"),
        pytest.param({"alice": held(8, 9, 10), "bob": held(10, 11), "carol": held(12, 13)}, "", id="three"),
        pytest.param({"alice": held(*LOST), "eve": FORGED}, "eve", id="beside a forger"),
        pytest.param({"adam": FORGED, "zoe": held(*LOST)}, "adam", id="after a forger"),
        pytest.param({"alice": held(*LOST), "eve": SWAPPED}, "eve", id="beside somebody who swaps"),
        pytest.param({"alice": held(*LOST), "eve": FOREIGN}, "eve", id="beside entries of another log"),
        pytest.param({"alice": TOO_MANY}, "", id="one who says too much"),
        pytest.param({"adam": FORGED, "bob": held(*LOST), "eve": FORGED}, "adam eve", id="forgers who agree"),
        pytest.param(
            {"a": held(8, 9, 10), "b": held(11, 12, 13), "c": SWAPPED, "d": FORGED, "e": FOREIGN},
            "c d e",
            id="more forgers than honest ones, who hold a part each",
        ),
        pytest.param({"alice": held(*LOST), "eve": {11: b"one lie"} | held(8)}, "eve", id="a single lie"),
    ],
)
def test_what_the_log_had_is_found_whoever_lies(agents: dict[str, dict[int, bytes]], left_out: str) -> None:
    found = pieced(agents)
    assert found.payloads == tuple(TRUE[index] for index in LOST)
    assert found.left_out == tuple(left_out.split())
    assert found.handed_back == tuple(sorted(agents.keys() - set(found.left_out)))


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        pytest.param({}, "got none for 8-13", id="nobody"),
        pytest.param({"alice": held(8, 9, 11)}, "got none for 10, 12-13", id="some held by nobody"),
        pytest.param(
            {"alice": held(8, 9, 11), "eve": held(10, 12)}, "got none for 13", id="one held by nobody"
        ),
        pytest.param({"eve": FORGED}, "got others from eve", id="a forger alone"),
        pytest.param(
            {"alice": held(8, 9, 10), "eve": FORGED}, "got others from alice, eve", id="all but a lie"
        ),
    ],
)
def test_nothing_is_made_of_less_than_all(agents: dict[str, dict[int, bytes]], said: str) -> None:
    with pytest.raises(RecoveryError, match=said):
        pieced(agents)


def test_many_liars_who_all_differ_are_given_up_on_in_time() -> None:
    liars = {f"liar-{n}": {i: f"{n} {i}".encode() for i in LOST} for n in range(40)}
    assert pieced({**liars, "alice": held(*LOST)}).left_out == tuple(sorted(liars))
    halves = {f"half-{n}": {i: f"{n} {i}".encode() for i in LOST if i % 2 == n % 2} for n in range(40)}
    with pytest.raises(RecoveryError, match="got others from"):
        pieced(halves)
    assert pieced({**halves, "alice": held(*LOST), "bob": held(9)}).handed_back == ("alice", "bob")


def test_indices_are_written_shortly() -> None:
    assert [ranges([]), ranges([3]), ranges([1, 2, 3, 7, 9, 10])] == ["", "3", "1-3, 7, 9-10"]
