# SPDX-License-Identifier: Apache-2.0
"""Silence is never consent: what nobody looks at expires."""

from datetime import timedelta

from coordinator.deadlines import Deadlines
from quorumseal.ceremony.lifecycle import State
from tests.coordinator.workshop import Desk, Workshop


def _deadlines(workshop: Workshop, desk: Desk) -> Deadlines:
    return Deadlines(desk.storage, desk.writer, clock=workshop.time.clock())


def test_only_what_is_due_expires_and_once(workshop: Workshop) -> None:
    desk = workshop.desk()
    early = workshop.start(
        workshop.organisation.request(number=1, version="1.1", deadline=timedelta(hours=1))
    )
    later = workshop.start(workshop.organisation.request(number=2, version="1.2"))
    desk.written(early)
    desk.written(later)
    deadlines = _deadlines(workshop, desk)
    workshop.time.pass_by(timedelta(minutes=58, seconds=59))
    assert deadlines.expire_due() == 0
    workshop.time.pass_by(timedelta(seconds=1))
    assert deadlines.expire_due() == 1
    assert deadlines.expire_due() == 0
    assert desk.chain(early.request.statement.ceremony).ceremony.state is State.EXPIRED
    assert desk.chain(later.request.statement.ceremony).ceremony.state is State.OPEN
    assert desk.types() == ["policy", "opened", "opened", "expired"]


def test_two_coordinators_do_not_claim_the_same_deadline(workshop: Workshop) -> None:
    one, other, start = workshop.desk(), workshop.desk(), workshop.start()
    one.written(start)
    workshop.time.pass_by(timedelta(days=1))
    now = workshop.time.now
    ceremony = start.request.statement.ceremony
    claim = timedelta(seconds=10)
    assert one.storage.ceremonies.claim_due(now, until=now + claim, limit=9) == [ceremony]
    assert other.storage.ceremonies.claim_due(now, until=now + claim, limit=9) == []
    # whoever claimed it died: it is another's after the claim
    now += claim
    assert other.storage.ceremonies.claim_due(now, until=now + claim, limit=9) == [ceremony]


def test_a_deadline_that_two_coordinators_write_is_one_entry(workshop: Workshop) -> None:
    one, other, start = workshop.desk(), workshop.desk(), workshop.start()
    one.written(start)
    other.write(workshop.expire(start))
    workshop.time.pass_by(timedelta(days=1))
    one.write(workshop.expire(start))
    other.write(workshop.expire(start))
    assert one.types() == ["policy", "opened", "expired"]


def test_an_expired_ceremony_is_never_approved(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    for signer in ("alice", "erin", "carol"):
        desk.written(workshop.decide(signer, start))
    workshop.time.pass_by(timedelta(hours=23, minutes=59))
    assert desk.written(workshop.decide("rita", start)).state is State.EXPIRED
    assert desk.types()[-2:] == ["expired", "late"]
    assert _deadlines(workshop, desk).expire_due() == 0


def test_a_read_only_coordinator_expires_nothing_and_goes_on_later(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    workshop.time.now += timedelta(days=2)  # no time has passed
    deadlines = _deadlines(workshop, desk)
    assert deadlines.expire_due() == 0
    assert desk.types() == ["policy", "opened"]
