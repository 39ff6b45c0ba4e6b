# SPDX-License-Identifier: Apache-2.0
"""Who may ask others to hurry, how often, and who is told."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from coordinator.commands import Act, Stand
from coordinator.errors import (
    NudgeNobodyError,
    NudgeNotAllowedError,
    NudgeTooSoonError,
    UnknownCeremonyError,
)
from coordinator.notifying import NoticeType, Notifier, Route, Routes
from coordinator.notifying.notice import Notice, read_notice
from coordinator.nudging import Nudging
from coordinator.storage import Storage
from coordinator.values import Nudged
from quorumseal.ceremony.errors import CeremonyEndedError
from quorumseal.refusal import Refusal
from tests.burning import BURNING, DAY, HOUR, MINUTE, absence, emergency_request, joins
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import NOW, Organisation, ceremony_number

HOOK = (Route(channel="hook"),)
ROUTES = Routes(people=dict.fromkeys(BURNING.policy.policy.signers, HOOK))
CEREMONY = ceremony_number(1)


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


def nudging(shop: Workshop, storage: Storage, routes: Routes = ROUTES) -> Nudging:
    clock = shop.time.clock()
    return Nudging(storage, Notifier(storage, routes, clock=clock), clock=clock)


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    """A desk before which mallory has asked for a release."""
    desk = workshop.desk(routes=ROUTES)
    desk.written(workshop.start())
    return desk


def told(storage: Storage) -> list[Notice]:
    with storage.engines.reading() as connection:
        notices = [
            read_notice(text) for text in connection.exec_driver_sql("SELECT notice FROM notices").scalars()
        ]
    return [notice for notice in notices if notice.type is NoticeType.NUDGE]


def test_a_nudge_tells_those_who_can_still_help(workshop: Workshop, desk: Desk) -> None:
    desk.written(workshop.decide("alice", workshop.start()))
    answer = nudging(workshop, desk.storage).nudge(CEREMONY, caller="mallory")
    assert answer == Nudged(told=("bob", "carol", "dan", "erin", "rita"), next_at=workshop.time.now + HOUR)
    notices = {notice.recipient: notice for notice in told(desk.storage)}
    assert tuple(sorted(notices)) == answer.told
    assert notices["bob"].headline == "mallory asks you again to review widget 1.0: 23 h 59 min left"
    assert notices["bob"].sentences == (
        "You can count for engineering or security.",
        "It expires Sat 2026-11-21 14:00 UTC.",
    )
    assert notices["bob"].command == f"quorumseal review {CEREMONY}"


def test_nobody_nudges_themselves_nor_who_is_away(workshop: Workshop, desk: Desk) -> None:
    other = workshop.desk(routes=ROUTES)  # another coordinator hears of the absence
    act = BURNING.sign(absence("dan", until=NOW + DAY * 2))
    nudges = nudging(workshop, desk.storage)
    other.written(Stand(policy=BURNING.policy, act=act))
    assert nudges.nudge(CEREMONY, caller="bob").told == ("alice", "carol", "erin", "rita")


def test_a_ceremony_is_nudged_once_an_hour_by_whomever(workshop: Workshop, desk: Desk) -> None:
    nudges = nudging(workshop, desk.storage)
    first = nudges.nudge(CEREMONY, caller="mallory")
    for caller in ("mallory", "rita"):
        workshop.time.pass_by(timedelta(minutes=29))
        with pytest.raises(NudgeTooSoonError) as refused:
            nudges.nudge(CEREMONY, caller=caller)
        assert "2026-11-20T15:01:00.000Z" in refused.value.hint
    workshop.time.pass_by(timedelta(minutes=2))
    assert workshop.time.now == first.next_at
    assert nudges.nudge(CEREMONY, caller="mallory").told == first.told
    assert len({notice.id for notice in told(desk.storage)}) == 12


def test_of_many_who_nudge_at_once_through_two_coordinators_one_does(workshop: Workshop, desk: Desk) -> None:
    other = Storage(workshop.database)
    each = [nudging(workshop, storage) for storage in (desk.storage, other) for _ in range(3)]
    answers: list[Nudged | Refusal] = []
    barrier = threading.Barrier(len(each))

    def nudge(nudges: Nudging) -> None:
        barrier.wait()
        try:
            answers.append(nudges.nudge(CEREMONY, caller="mallory"))
        except Refusal as refusal:
            answers.append(refusal)

    threads = [threading.Thread(target=nudge, args=(nudges,)) for nudges in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sum(isinstance(answer, Nudged) for answer in answers) == 1
    assert sum(isinstance(answer, NudgeTooSoonError) for answer in answers) == len(each) - 1
    assert len(told(desk.storage)) == 6


@pytest.mark.parametrize("caller", ["mallory", "rita", "alice", "ci"])
def test_whoever_takes_part_may_nudge(workshop: Workshop, desk: Desk, caller: str) -> None:
    assert nudging(workshop, desk.storage).nudge(CEREMONY, caller=caller).told


@pytest.mark.parametrize("caller", ["frank", "an-auditor"])
def test_nobody_else_may(workshop: Workshop, desk: Desk, caller: str) -> None:
    with pytest.raises(NudgeNotAllowedError, match=f"engineering, managers, release, security, .*{caller}"):
        nudging(workshop, desk.storage).nudge(CEREMONY, caller=caller)
    assert told(desk.storage) == []


def test_a_ceremony_that_is_not_there_is_not_nudged(workshop: Workshop, desk: Desk) -> None:
    with pytest.raises(UnknownCeremonyError):
        nudging(workshop, desk.storage).nudge(ceremony_number(7), caller="mallory")


def test_what_has_ended_is_not_nudged(workshop: Workshop, desk: Desk) -> None:
    for signer in ("alice", "erin", "carol", "rita"):
        desk.written(workshop.decide(signer, workshop.start()))
    with pytest.raises(CeremonyEndedError):
        nudging(workshop, desk.storage).nudge(CEREMONY, caller="mallory")


def unreachable(workshop: Workshop, desk: Desk) -> Nudging:
    return nudging(workshop, desk.storage, Routes(people={"mallory": HOOK}))


def past_the_deadline(workshop: Workshop, desk: Desk) -> Nudging:
    workshop.time.pass_by(DAY)  # and nobody has written so yet
    return nudging(workshop, desk.storage)


@pytest.mark.parametrize("case", [unreachable, past_the_deadline])
def test_where_nobody_can_be_told_it_is_said_and_may_be_tried_again(
    workshop: Workshop, desk: Desk, case: Callable[[Workshop, Desk], Nudging]
) -> None:
    nudges = case(workshop, desk)
    for _ in range(2):
        with pytest.raises(NudgeNobodyError):
            nudges.nudge(CEREMONY, caller="mallory")
    assert told(desk.storage) == []


def test_an_emergency_that_only_waits_for_its_window_is_not_nudged(workshop: Workshop) -> None:
    desk = workshop.desk(routes=ROUTES)
    desk.written(workshop.start(emergency_request()))
    nudges = nudging(workshop, desk.storage)
    assert nudges.nudge(CEREMONY, caller="mallory").told == ("alice", "bob", "carol", "dan", "erin")
    workshop.time.pass_by(MINUTE)
    for signer in ("alice", "carol"):
        desk.written(Act(ceremony=CEREMONY, command=joins(desk.chain(CEREMONY), signer)))
    with pytest.raises(NudgeNobodyError, match="got nobody"):
        nudges.nudge(CEREMONY, caller="mallory")
