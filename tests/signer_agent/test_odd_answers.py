# SPDX-License-Identifier: Apache-2.0
"""Answers of a shape that no honest coordinator gives are refused: none is an accident, and none hangs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.entries import EntryType
from quorumseal.client.values import CeremonyRecord, Page
from quorumseal.refusal import Refusal
from signer_agent.inbox import open_inbox
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator

HASH = b"\x11" * 32
BODIES = (b"{}", b'{"by":1}', b'{"by":"x"}', b'{"envelope":{}}', b'{"envelope":null}')


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    made = SimulatedCoordinator()
    made.decide_as("carol", made.open())
    return made


def _shapes(honest: CeremonyRecord) -> Iterator[CeremonyRecord]:
    part = honest.part
    opened, decided = part.entries
    for inclusion in ((b"",), (b"x" * 100_000,), (HASH,) * 100_000):
        yield replace(honest, part=replace(part, inclusion=inclusion))
    for entries in ((), (b"",), (b"[]",) * 1000, (decided,), (opened, opened)):
        yield replace(honest, part=replace(part, entries=entries))
    for note in (b"", b"\n\n", b"\xff\n\n\xff\n"):
        yield replace(honest, part=replace(part, checkpoint=note))
    yield replace(honest, part=replace(part, index=2**64 - 1))
    for kind in EntryType:
        for body in BODIES:
            for before, entry in (((), opened), ((opened,), decided)):
                other = re.sub(rb'"body":.*,"ceremony"', b'"body":' + body + b',"ceremony"', entry)
                other = re.sub(rb'"type":"\w+","v"', f'"type":"{kind}","v"'.encode(), other)
                yield replace(honest, part=replace(part, entries=(*before, other)))


def test_a_ceremony_of_any_other_shape_is_refused(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    (ceremony,) = coordinator.chains
    shapes = [*_shapes(coordinator.record(ceremony, 0))]
    left = list(shapes)

    def lie(message: Message) -> Any:
        return left.pop() if message.method == "ceremony" and message.reply else message.content

    desk = Desk(tmp_path / "alice", coordinator, hostile=lie)
    for _ in shapes:
        with pytest.raises(Refusal):
            desk.look(ceremony)
    assert left == []
    assert len(shapes) > 90
    assert desk.agent.journal.shown(ceremony) == {}
    assert not desk.agent.home.block_file.exists()


@pytest.mark.parametrize("policies", [(), (b"\xff",), (b"[]",), (b"{}",) * 1000])
def test_policies_of_any_other_shape_are_refused(
    tmp_path: Path, coordinator: SimulatedCoordinator, policies: tuple[bytes, ...]
) -> None:
    def lie(message: Message) -> Any:
        if message.method == "organisation" and message.reply:
            return replace(message.content, policies=policies)
        return message.content

    (ceremony,) = coordinator.chains
    with pytest.raises(Refusal):
        Desk(tmp_path / "alice", coordinator, hostile=lie).look(ceremony)


def test_a_list_without_end_is_read_so_far_and_no_further(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    (ceremony,) = coordinator.chains
    endless = Page(ceremonies=(coordinator.summary(ceremony),), next_token="again")

    def lie(message: Message) -> Any:
        return endless if message.method == "list_ceremonies" and message.reply else message.content

    desk = Desk(tmp_path / "alice", coordinator, hostile=lie)
    assert len(open_inbox(desk.agent).reviews) == 1
    assert coordinator.calls.count("list_ceremonies") <= 40
