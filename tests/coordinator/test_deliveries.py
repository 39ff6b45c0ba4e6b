# SPDX-License-Identifier: Apache-2.0
"""Whom an emergency reached is in the log; what else people are told is not."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.deliveries import record_delivery
from coordinator.notifying import About, Notice, NoticeType, Route
from coordinator.values import Annex
from tests.burning import BURNING, emergency_request
from tests.coordinator.notifying.receivers import NOTICE, http_receiver
from tests.coordinator.notifying.test_delivering import settings
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import REASON, SALT, Organisation, ceremony_number

URGENT = replace(
    NOTICE,
    type=NoticeType.BREAK_GLASS_VETOED,
    about=About(log=BURNING.origin, ceremony=ceremony_number(1), product="widget", version="1.0"),
)
USUAL = replace(URGENT, type=NoticeType.DECIDED)
HOOK = Route(channel="hook")


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


def _told(desk: Desk) -> frozenset[tuple[str, str, str]]:
    return desk.chain(ceremony_number(1)).ceremony.told


async def test_a_notice_that_arrived_is_an_entry_of_its_emergency(workshop: Workshop, tmp_path: Path) -> None:
    with http_receiver() as hook, http_receiver() as chat:
        coordinator = workshop.coordinator(settings(tmp_path, hook, chat))
        envelope = BURNING.seal(emergency_request(at=workshop.time.now))
        texts = [Annex(salt=SALT, text=REASON)]
        await coordinator.use_cases.start(envelope, texts, caller="mallory")
        coordinator.notifier.tell([USUAL, URGENT, replace(URGENT, recipient="carol")])
        desk = workshop.desk(running=False)
        expected = {("alice", "hook", URGENT.id), ("carol", "chat", replace(URGENT, recipient="carol").id)}
        for _ in range(500):
            if expected <= _told(desk) and USUAL.id in hook.ids:
                break
            await asyncio.sleep(0.02)
        assert expected <= _told(desk)
        assert USUAL.id in hook.ids
        assert USUAL.id not in {notice for _, _, notice in _told(desk)}


@pytest.mark.parametrize("notice", [USUAL, URGENT])
def test_outside_an_emergency_nothing_is_recorded(workshop: Workshop, notice: Notice) -> None:
    desk = workshop.desk()
    desk.written(workshop.start())
    record_delivery(desk.writer, notice, HOOK)
    assert desk.types() == ["policy", "opened"]
