# SPDX-License-Identifier: Apache-2.0
"""Every mark is told to a person once, however many coordinators look and whenever they are killed.

A ceremony lasts 100 hours, so that an hour is a percent; the clocks are the tests'.
"""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from coordinator.commands import Act, Stand, Start
from coordinator.log_keys import LogKeys
from coordinator.notifying import AUDIT, NoticeType, Notifying, Route, Routes
from coordinator.notifying.channels import Message
from coordinator.notifying.notice import Notice, read_notice
from coordinator.notifying.settings import NotificationSettings, WebhookSettings
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.reminding import SETTLING, Reminding
from coordinator.status import StatusFile
from coordinator.storage import Storage
from quorumseal.ceremony.commands import Cancel, Expire, Extend, File, Record
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    absence,
    emergency_request,
    extends,
    joins,
    ratification,
    reports,
)
from tests.coordinator.notifying.receivers import SECRET, HttpReceiver, http_receiver
from tests.coordinator.workshop import Desk, Time, Workshop
from tests.organisation import NOW, Organisation, changed

ACME = changed(BURNING, leads={"security": "dan", "engineering": "erin"})
HOOK = Route(channel="hook")
ROUTES = Routes(people=dict.fromkeys(ACME.policy.policy.signers, (HOOK,)), audit=(HOOK,))
MARKS = {
    "helpers 25": 25,
    "helpers 50": 50,
    "deputies 60 security": 60,
    "deputies 60 engineering": 60,
    "helpers 75": 75,
    "lead 85 security": 85,
    "lead 85 engineering": 85,
    "helpers 90": 90,
}
HELPERS = {"alice", "bob", "carol", "dan", "erin", "rita"}  # mallory asks


@pytest.fixture
def organisation() -> Organisation:
    return ACME


def reminding(storage: Storage, time: Time) -> Reminding:
    """Return what wakes the reminders of one coordinator."""
    policies = Policies(storage)
    status = StatusFile(
        storage, LogReader(storage, policies), policies, LogKeys(ACME.log_key), clock=time.clock()
    )
    return Reminding(storage, ROUTES, status, clock=time.clock())


def waiting(shop: Workshop, *, number: int = 1) -> tuple[Desk, Start]:
    """Let mallory ask."""
    desk = shop.desk(routes=ROUTES)
    request = ACME.request(number=number, version=f"1.{number}", deadline=100 * HOUR)
    start = shop.start(replace(request, hard_stop=NOW + 160 * HOUR))
    desk.written(start)
    return desk, start


def until(shop: Workshop, hours: float) -> None:
    shop.time.pass_by(NOW + HOUR * hours - shop.time.now)


def woken(shop: Workshop, desk: Desk, hours: float) -> None:
    """Start anew after some hours: the log is looked through, and then what it says is due."""
    wakes = reminding(desk.storage, shop.time)
    until(shop, hours)
    wakes.remind_due()
    shop.time.pass_by(SETTLING)
    wakes.remind_due()


def told(storage: Storage, *kinds: NoticeType) -> list[Notice]:
    """Return what was put on its way, in the order of its instants."""
    with storage.engines.reading() as connection:
        texts = connection.exec_driver_sql("SELECT notice FROM notices").scalars().all()
    kinds = kinds or (NoticeType.REMINDER, NoticeType.ESCALATION)
    notices = [read_notice(text) for text in texts]
    return sorted((n for n in notices if n.type in kinds), key=lambda n: (n.at, n.cause, n.recipient))


def counts(storage: Storage) -> Counter[str]:
    return Counter(notice.cause for notice in told(storage))


def test_each_mark_is_told_once_when_its_instant_has_come(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    wakes = reminding(desk.storage, workshop.time)
    for hours in [0.1, *(h + more for h in sorted(set(MARKS.values())) for more in (-0.1, 0.0, 0.1))]:
        until(workshop, hours)
        wakes.remind_due()
        assert counts(desk.storage).keys() == {mark for mark, at in MARKS.items() if at <= hours}
        assert wakes.remind_due() == 0
    expected = {mark: 6 for mark in MARKS if mark.startswith("helpers")}
    expected |= {"lead 85 security": 1, "lead 85 engineering": 1}
    expected |= {"deputies 60 security": 2, "deputies 60 engineering": 2}
    assert counts(desk.storage) == expected
    assert {n.recipient for n in told(desk.storage, NoticeType.REMINDER)} == HELPERS


def test_a_reminder_says_what_waits_for_how_long_and_what_to_do(workshop: Workshop) -> None:
    desk, start = waiting(workshop)
    woken(workshop, desk, 60)
    (bob,) = (n for n in told(desk.storage, NoticeType.REMINDER) if n.recipient == "bob")
    assert bob.headline == "widget 1.1: it waits for you, 1 day 16 h left"
    assert bob.sentences[0] == "You can count for engineering or security."
    assert bob.sentences[-1] == "It expires Tue 2026-11-24 18:00 UTC."
    assert bob.command == f"quorumseal review {start.request.statement.ceremony}"
    frank = [n for n in told(desk.storage, NoticeType.ESCALATION) if n.recipient == "frank"]
    assert [n.sentences[0] for n in frank] == [
        "A member of engineering may delegate to you.",
        "A member of security may delegate to you.",
    ]


def test_a_restart_after_a_long_time_tells_the_newest_only(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    woken(workshop, desk, 95)
    woken(workshop, desk, 96)
    assert {n.cause for n in told(desk.storage, NoticeType.REMINDER)} == {"helpers 90"}
    assert len(told(desk.storage, NoticeType.REMINDER)) == 6


def test_coordinators_that_look_at_the_same_time_double_and_lose_nothing(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    for number in range(2, 8):
        waiting(workshop, number=number)
    storages = [Storage(workshop.database) for _ in range(4)]
    everybody = [reminding(storage, workshop.time) for storage in storages]
    for hours in (0.1, 30, 55, 65, 80, 88, 95):
        until(workshop, hours)
        barrier = threading.Barrier(len(everybody))

        def look(wakes: Reminding, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            wakes.remind_due()

        threads = [threading.Thread(target=look, args=(wakes,)) for wakes in everybody]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        everybody[0].remind_due()  # what one had taken while another looked
    found = counts(desk.storage)
    assert {mark: found[mark] for mark in ("helpers 25", "helpers 50", "helpers 75", "helpers 90")} == {
        "helpers 25": 42,
        "helpers 50": 42,
        "helpers 75": 42,
        "helpers 90": 42,
    }
    assert found["lead 85 security"] == 7
    assert max(Counter(n.id for n in told(desk.storage)).values()) == 1
    for storage in storages:
        storage.close()


def _killed_while_settling(database: str, at: datetime, *, after_the_marks: bool) -> None:
    """Look at what is due, and die by a signal before any of it is stored, or in the middle of storing."""
    from coordinator.storage import reminders

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if after_the_marks:
        reminders.write_notices = die  # type: ignore[attr-defined] # this process is lost
    else:
        reminders.ReminderTables.settle = die  # type: ignore[method-assign, assignment] # this process is lost
    reminding(Storage(database), Time(now=at)).remind_due()


@pytest.mark.parametrize("after_the_marks", [False, True], ids=["before", "in the middle"])
def test_who_is_killed_between_claiming_and_telling_loses_nothing(
    workshop: Workshop, *, after_the_marks: bool
) -> None:
    desk, _ = waiting(workshop)
    reminding(desk.storage, workshop.time).remind_due()
    until(workshop, 25)
    process = multiprocessing.get_context("spawn").Process(
        target=_killed_while_settling,
        args=(workshop.database, workshop.time.now),
        kwargs={"after_the_marks": after_the_marks},
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    wakes = reminding(desk.storage, workshop.time)
    assert wakes.remind_due() == 0, "somebody has taken it"
    workshop.time.pass_by(timedelta(seconds=31))
    assert wakes.remind_due() == 6
    assert counts(desk.storage) == {"helpers 25": 6}


def test_what_is_on_its_way_is_sent_under_one_id_by_whoever_comes_next(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    reminding(desk.storage, workshop.time).remind_due()
    until(workshop, 25)
    reminding(desk.storage, workshop.time).remind_due()
    receiver = Forgetful()
    first = Notifying(desk.storage, {"hook": receiver}, ROUTES, clock=workshop.time.clock())
    with pytest.raises(SystemExit):  # it got the first, and the sender dies before that is on record
        first.deliver_due("hook")
    workshop.time.pass_by(MINUTE * 5)
    other = Storage(workshop.database)
    Notifying(other, {"hook": receiver}, ROUTES, clock=workshop.time.clock()).deliver_due("hook")
    other.close()
    sent = Counter(n.id for n in receiver.got if n.type is NoticeType.REMINDER)
    assert sent.keys() == {n.id for n in told(desk.storage, NoticeType.REMINDER)}
    assert len(sent) == 6


@dataclass
class Forgetful:
    """A receiver whose sender dies after its first delivery."""

    got: list[Notice] = field(default_factory=list)

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:  # noqa: ARG002 - by its interface
        self.got.append(message.notice)
        if len(self.got) == 1:
            raise SystemExit


def _act(desk: Desk, start: Start, command: Cancel | Expire | Extend | File | Record) -> None:
    desk.written(Act(ceremony=start.request.statement.ceremony, command=command))


def test_an_extension_moves_what_is_ahead(workshop: Workshop) -> None:
    desk, start = waiting(workshop)
    wakes = reminding(desk.storage, workshop.time)
    until(workshop, 55)
    wakes.remind_due()
    chain = desk.chain(start.request.statement.ceremony)
    _act(desk, start, extends(chain, "rita", NOW + 140 * HOUR, acme=ACME, at=workshop.time.now))
    for hours in (56, 85, 99):
        until(workshop, hours)
        wakes.remind_due()
    assert counts(desk.storage).keys() == {
        "helpers 50",
        "deputies 60 engineering",
        "deputies 60 security",
    }
    until(workshop, 105)
    wakes.remind_due()
    assert counts(desk.storage)["helpers 75"] == 6


@pytest.mark.parametrize("how", ["decided", "cancelled", "away"])
def test_reminders_stop_when_they_are_of_no_use(workshop: Workshop, how: str) -> None:
    desk, start = waiting(workshop)
    wakes = reminding(desk.storage, workshop.time)
    until(workshop, 25)
    wakes.remind_due()
    other = workshop.desk(routes=ROUTES)  # another coordinator takes it
    if how == "decided":
        other.written(workshop.decide("alice", start))
    elif how == "away":
        act = ACME.sign(absence("alice", acme=ACME, until=NOW + DAY * 30))
        other.written(Stand(policy=ACME.policy, act=act))
    else:
        cancellation = ACME.cancellation("mallory", desk.chain(start.request.statement.ceremony))
        _act(other, start, Cancel(ACME.sign_cancellation(cancellation)))
    until(workshop, 50)
    wakes.remind_due()
    later = {n.recipient for n in told(desk.storage) if n.cause == "helpers 50"}
    assert later == (set() if how == "cancelled" else HELPERS - {"alice"})
    if how == "cancelled":
        workshop.time.pass_by(MINUTE)
        wakes.remind_due()
        assert desk.storage.reminders.next_alarm() is None


def test_who_decides_nothing_ever_is_forgotten_at_the_end(workshop: Workshop) -> None:
    desk, start = waiting(workshop)
    wakes = reminding(desk.storage, workshop.time)
    until(workshop, 95)
    wakes.remind_due()
    until(workshop, 101)
    _act(desk, start, Expire())
    assert wakes.remind_due() == 0
    assert desk.storage.reminders.next_alarm() is None


def test_a_log_that_moves_while_somebody_looks_is_looked_at_again(workshop: Workshop) -> None:
    desk, start = waiting(workshop)
    tables = desk.storage.reminders
    at = workshop.time.now
    tables.set_alarms(at)
    (alarm,) = tables.claim(at, until=at + MINUTE, limit=9)
    assert tables.claim(at, until=at + MINUTE, limit=9) == []
    desk.written(workshop.decide("alice", start))
    tables.set_alarms(at + HOUR)  # later than the claim ends: the alarm stays, and is another one
    assert tables.settle(alarm, (), at=at, again=None) == 0
    assert [each.ceremony for each in tables.claim(at + MINUTE, until=at + HOUR, limit=9)] == [alarm.ceremony]


def test_a_clock_that_somebody_set_reminds_nobody(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    clock = workshop.time.clock()
    clock.entry_time(workshop.time.now, MINUTE)
    status = StatusFile(desk.storage, desk.reader, desk.policies, LogKeys(ACME.log_key), clock=clock)
    wakes = Reminding(desk.storage, ROUTES, status, clock=clock)
    wakes.remind_due()
    workshop.time.now += HOUR * 50
    assert wakes.remind_due() == 0
    workshop.time.elapsed += 50 * 3600.0  # it was the machine's sleep after all
    assert wakes.remind_due() == 6


def test_one_damaged_ceremony_silences_no_other(workshop: Workshop) -> None:
    workshop.damaged = True
    desk, start = waiting(workshop)
    waiting(workshop, number=2)
    with desk.storage.engines.writing() as connection:
        connection.execute(
            text(
                "UPDATE entries SET payload = (SELECT payload FROM entries WHERE ceremony IS NULL) "
                "WHERE ceremony = :ceremony"
            ),
            {"ceremony": start.request.statement.ceremony},
        )
    until(workshop, 30)
    wakes = reminding(desk.storage, workshop.time)
    wakes.remind_due()
    workshop.time.pass_by(MINUTE)
    wakes.remind_due()
    assert {n.about.version for n in told(desk.storage)} == {"1.2"}


def test_two_whole_coordinators_tell_a_receiver_each_reminder(workshop: Workshop, tmp_path: Path) -> None:
    """On SQLite, where there is one coordinator for a file, it is started again in between."""
    secret = tmp_path / "hook.secret"
    secret.write_bytes(SECRET)
    with http_receiver(500, 204, 500) as hook:
        settings = NotificationSettings(
            channels={"hook": WebhookSettings(url=hook.url, secret_file=secret, seconds=5)}, routes=ROUTES
        )
        both = workshop.database.startswith("postgresql")
        desk, _ = waiting(workshop)
        first = workshop.coordinator(settings)
        second = workshop.coordinator(settings) if both else None
        _eventually(lambda: desk.storage.reminders.next_alarm() is not None)
        for hours, wanted in ((25, 6), (50, 12), (90, 18)):
            until(workshop, hours)
            _eventually(partial(_received, hook, wanted))
            first.close()
            first = workshop.coordinator(settings)
        for coordinator in (first, second):
            if coordinator is not None:
                coordinator.close()
        reminders = told(desk.storage, NoticeType.REMINDER)
        assert {n.id for n in reminders} <= set(hook.ids)
        assert len(reminders) == 18


def _received(hook: HttpReceiver, wanted: int) -> bool:
    events = [json.loads(body) for _, _, body in list(hook.requests)]
    return len({event["id"] for event in events if event["type"] == NoticeType.REMINDER}) >= wanted


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.05)


def test_where_nobody_can_be_told_nothing_is_looked_at(workshop: Workshop) -> None:
    desk, _ = waiting(workshop)
    status = StatusFile(
        desk.storage, desk.reader, desk.policies, LogKeys(ACME.log_key), clock=workshop.time.clock()
    )
    until(workshop, 95)
    assert Reminding(desk.storage, Routes(), status, clock=workshop.time.clock()).remind_due() == 0
    assert desk.storage.reminders.next_alarm() is None


def provisional(workshop: Workshop) -> tuple[Desk, Start]:
    """Let an emergency pass its window."""
    desk = workshop.desk(routes=ROUTES)
    start = workshop.start(emergency_request(ACME))
    desk.written(start)
    for signer in ("alice", "carol"):
        _act(desk, start, joins(desk.chain(start.request.statement.ceremony), signer, acme=ACME))
    until(workshop, 0.25)
    _act(desk, start, Expire())
    return desk, start


OWED = (NoticeType.BREAK_GLASS_RATIFY, NoticeType.BREAK_GLASS_LAPSED, NoticeType.BREAK_GLASS_REPORT_DUE)


def _later(workshop: Workshop, desk: Desk) -> list[str]:
    wakes = reminding(desk.storage, workshop.time)
    for hours in (1, 37, 66, 73, 24 * 6, 24 * 8, 24 * 9):
        until(workshop, hours)
        wakes.remind_due()
    notices = told(desk.storage, *OWED)
    everybody = {*ACME.policy.policy.signers, AUDIT}
    for cause in {n.cause for n in notices}:
        assert sorted(n.recipient for n in notices if n.cause == cause) == sorted(everybody)
    return list(dict.fromkeys(n.headline for n in notices))


def test_everybody_hears_that_an_emergency_lapsed_and_that_its_report_is_owed(workshop: Workshop) -> None:
    desk, _ = provisional(workshop)
    assert _later(workshop, desk) == [
        "widget 1.0 is provisional: ratify it before Mon 2026-11-23 14:00 UTC, or it lapses",
        "widget 1.0 has lapsed: nobody ratified the emergency by Mon 2026-11-23 14:00 UTC",
        "the report on the emergency for widget 1.0 is due by Fri 2026-11-27 14:15 UTC",
        "the report on the emergency for widget 1.0 is late, since Fri 2026-11-27 14:15 UTC",
    ]


def test_what_was_ratified_and_reported_on_reminds_nobody(workshop: Workshop) -> None:
    desk, start = provisional(workshop)
    chain = desk.chain(start.request.statement.ceremony)
    until(workshop, 1)
    again = workshop.start(ratification(chain, ACME, at=workshop.time.now, length=DAY))
    desk.written(again)
    _act(desk, start, reports(chain, "dan", acme=ACME, at=workshop.time.now))
    for signer in ("alice", "erin", "carol", "dan"):
        desk.written(workshop.decide(signer, again))
    assert desk.chain(again.request.statement.ceremony).ceremony.state == "approved"
    assert _later(workshop, desk) == []
