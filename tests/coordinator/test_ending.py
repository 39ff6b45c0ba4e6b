# SPDX-License-Identifier: Apache-2.0
"""Before a key or the policy ends people are told, at each warning once, whichever coordinator looks."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from coordinator.ending import Ending
from coordinator.metrics.readings import of_endings
from coordinator.notifying import AUDIT, NoticeType, Route, Routes
from coordinator.notifying.channels import Message
from coordinator.notifying.channels.mail import letter
from coordinator.notifying.channels.webhook import event
from coordinator.notifying.ending import notices_of_expiry
from coordinator.notifying.notice import Notice, read_notice
from coordinator.storage import Storage
from quorumseal.ceremony.expiring import WARNINGS, expiries
from tests.coordinator.workshop import Time, Workshop
from tests.organisation import NOW, Organisation

DAY = timedelta(days=1)
HOOK = Route(channel="hook")
ENDS = NOW + 100 * DAY
ACME = Organisation(valid_until={"alice": ENDS}, expires=NOW + 200 * DAY)
ROUTES = Routes(people=dict.fromkeys(ACME.policy.policy.signers, (HOOK,)), audit=(HOOK,))


@pytest.fixture
def organisation() -> Organisation:
    return ACME


@pytest.fixture
def time() -> Time:
    return Time()


def ending(workshop: Workshop, time: Time, routes: Routes = ROUTES) -> Ending:
    return Ending(workshop.desk().storage, routes, clock=time.clock())


def told(storage: Storage) -> list[Notice]:
    with storage.engines.reading() as connection:
        rows = connection.execute(text("SELECT notice FROM notices")).scalars()
        return sorted((read_notice(row) for row in rows), key=lambda each: (each.at, each.recipient))


def until(time: Time, left: timedelta, ends: datetime = ENDS) -> None:
    time.now = ends - left


def test_each_warning_is_told_once_however_many_coordinators_look(workshop: Workshop, time: Time) -> None:
    one, other = ending(workshop, time), ending(workshop, time)
    for days, fresh in ((61, 0), (60, 1), (45, 0), (30, 1), (8, 0), (7, 1), (1, 0), (0, 0), (-9, 0)):
        until(time, days * DAY)
        assert one.warn() + other.warn() == fresh, days
    notices = told(one._storage)
    assert [each.type for each in notices] == [NoticeType.KEY_ENDS] * 3
    assert {each.recipient for each in notices} == {"alice"}
    assert [each.cause.rpartition(" ")[2] for each in notices] == ["60", "30", "7"]
    assert len({each.id for each in notices}) == 3


def test_whoever_starts_late_tells_the_newest_warning_alone(workshop: Workshop, time: Time) -> None:
    until(time, 5 * DAY)
    assert ending(workshop, time).warn() == 1
    assert ending(workshop, time).warn() == 0


def test_before_the_policy_ends_those_are_told_who_decide_on_the_next(workshop: Workshop, time: Time) -> None:
    until(time, 30 * DAY, NOW + 200 * DAY)
    late = ending(workshop, time)
    assert late.warn() == 6
    notices = told(late._storage)
    assert {each.recipient for each in notices} == {"alice", "bob", "carol", "dan", "erin", AUDIT}
    assert {each.type for each in notices} == {NoticeType.POLICY_ENDS}


def test_where_nobody_can_be_told_nobody_counts_as_told(workshop: Workshop, time: Time) -> None:
    until(time, 7 * DAY)
    assert ending(workshop, time, Routes()).warn() == 0
    assert ending(workshop, time).warn() == 1


def test_a_notice_about_no_ceremony_has_no_link_and_another_subject() -> None:
    policy = ACME.policy.policy
    (expiry,) = expiries(policy, at=ENDS - DAY)
    (notice,) = notices_of_expiry(policy, expiry, WARNINGS[-1], at=ENDS - DAY)
    message = Message(notice=notice, base_url="https://releases.acme.example")
    assert message.link is None
    assert b'"subject": "policy@1"' in event(message)
    assert b'"ceremony"' not in event(message)
    mail = letter(message, "quorumseal@acme.example", "alice@acme.example")
    assert mail["Quorumseal-Ceremony"] is None
    assert "your key ends" in mail.get_content()


def test_prometheus_reads_when_the_policy_ends_and_when_the_first_signer_has_no_key_left() -> None:
    found = {each.metric.name: each.value for each in of_endings(ACME.policy.policy)}
    assert found == {
        "quorumseal_policy_expiry_timestamp_seconds": (NOW + 200 * DAY).timestamp(),
        "quorumseal_key_expiry_timestamp_seconds": ENDS.timestamp(),
    }
