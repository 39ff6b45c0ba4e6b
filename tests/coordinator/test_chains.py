# SPDX-License-Identifier: Apache-2.0
"""Ceremonies at hand: how many, and how large together."""

from dataclasses import replace

import pytest

from coordinator.chains import Chains
from quorumseal.ceremony.chain import Chain, open_chain
from quorumseal.refusal import Refusal
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, Organisation


def _chain(size: int) -> Chain:
    organisation = Organisation()
    chain, _ = open_chain(organisation.policy, organisation.sign_request(organisation.request()), at=NOW)
    return replace(chain, ceremony=replace(chain.ceremony, size=size))


@pytest.mark.parametrize(
    ("sizes", "left"),
    [
        ([1, 1, 1], "abc"),
        ([1, 1, 1, 1], "bcd"),
        ([4, 4, 4], "bc"),
        ([1, 1, 10], "c"),
        ([1, 1, 11], ""),
    ],
    ids=["all fit", "one too many", "too large together", "a large one", "one that is too large"],
)
def test_the_oldest_ceremonies_go_where_they_are_too_many_or_too_large(sizes: list[int], left: str) -> None:
    chains = Chains(most=3, most_bytes=10)
    for name, size in zip("abcd", sizes, strict=False):
        chains.keep(name, _chain(size))
    chains.trim()
    assert [name for name in "abcd" if chains.get(name)] == list(left)
    assert len(chains) == len(left)


def test_a_ceremony_that_is_kept_again_counts_once_and_is_the_newest() -> None:
    chains = Chains(most=3, most_bytes=10)
    for name, size in (("a", 4), ("b", 4), ("a", 5), ("c", 5)):
        chains.keep(name, _chain(size))
    chains.trim()
    assert [name for name in "abc" if chains.get(name)] == ["a", "c"]
    chains.drop("a")
    chains.drop("b")
    chains.clear()
    chains.keep("d", _chain(10))
    chains.trim()
    assert len(chains) == 1


def test_ceremonies_fetched_for_what_is_refused_do_not_pile_up(
    workshop: Workshop, organisation: Organisation
) -> None:
    desk = workshop.desk()
    starts = [
        workshop.start(organisation.request(number=number, version=f"1.{number}")) for number in range(1, 7)
    ]
    for start in starts:
        desk.written(start)
    desk.writer._chains = Chains(most=2)
    for start in starts:
        (refused,) = desk.write(workshop.decide("alice", start, roles=["security"]))  # which is not hers
        assert isinstance(refused, Refusal)
        assert len(desk.writer._chains) <= 2
