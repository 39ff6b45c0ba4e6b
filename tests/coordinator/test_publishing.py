# SPDX-License-Identifier: Apache-2.0
"""From an approval to a published bundle: retried until it works, and never what does not verify."""

from datetime import timedelta

import pytest

from coordinator.errors import NotPublishableError
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.values import PublicationState
from tests.coordinator.workshop import Desk, Place, Workshop


def _publishing(workshop: Workshop, desk: Desk, *places: Place) -> Publishing:
    clock = workshop.time.clock()
    notifier = Notifier(desk.storage, Routes(), clock=clock)
    return Publishing(desk.storage, desk.reader, desk.policies, places, clock=clock, notifier=notifier)


def test_an_approval_is_published_once(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    place = Place()
    publishing = _publishing(workshop, desk, place)
    assert publishing.publish_due() == 1
    assert publishing.publish_due() == 0
    assert place.published == [("widget@1.0.quorumseal.json", desk.reader.bundle(ceremony))]
    (publication,) = desk.reader.publications(ceremony)
    assert publication.state is PublicationState.PUBLISHED
    assert publication.detail == "/there/widget@1.0.quorumseal.json"


def test_a_failure_is_said_and_tried_again_later_and_later(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    place = Place(failures=4)
    publishing = _publishing(workshop, desk, place)
    waits = []
    for _ in range(5):
        waited = 0
        while publishing.publish_due() == 0:
            workshop.time.pass_by(timedelta(seconds=1))
            waited += 1
        waits.append(waited)
        if place.failures:
            (publication,) = desk.reader.publications(ceremony)
            assert publication.state is PublicationState.FAILED
            assert "expected room, got none" in publication.detail
    assert waits == [0, 1, 2, 4, 8]
    assert len(place.published) == 1
    assert desk.reader.publications(ceremony)[0].state is PublicationState.PUBLISHED


def test_an_unforeseen_errors_own_words_are_for_the_operator_alone(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    desk, ceremony = workshop.approved()
    place = Place(failures=1, error=OSError("postgresql://olga:password@db/"))
    publishing = _publishing(workshop, desk, place)
    assert publishing.publish_due() == 1
    (publication,) = desk.reader.publications(ceremony)
    assert publication.state is PublicationState.FAILED
    assert publication.detail == "unforeseen error (OSError); the coordinator's log says more (attempt 1)"
    (record,) = caplog.records
    assert record.exc_info is not None
    assert vars(record)["about"] == {"ceremony": ceremony}
    workshop.time.pass_by(timedelta(seconds=1))
    assert publishing.publish_due() == 1
    assert len(place.published) == 1


def test_publishing_can_be_asked_for_at_once(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    place = Place(failures=1)
    publishing = _publishing(workshop, desk, place)
    publishing.publish_due()
    (publication,) = publishing.publish_now(ceremony)
    assert publication.state is PublicationState.PUBLISHED
    assert publishing.publish_now(ceremony) == (publication,)
    assert len(place.published) == 1


def test_a_destination_that_was_added_later_gets_it_when_asked(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    _publishing(workshop, desk, Place()).publish_due()
    added = Place(name="directory:added")
    publishing = _publishing(workshop, desk, added)
    assert publishing.publish_due() == 0
    states = [each.state for each in publishing.publish_now(ceremony)]
    assert states == [PublicationState.PUBLISHED, PublicationState.PUBLISHED]
    assert len(added.published) == 1


def test_without_a_destination_publishing_is_refused(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    with pytest.raises(NotPublishableError):
        _publishing(workshop, desk).publish_now(ceremony)


def test_what_another_worker_has_claimed_is_left_to_it_until_its_claim_ends(workshop: Workshop) -> None:
    desk, _ = workshop.approved()
    place = Place()
    publishing = _publishing(workshop, desk, place)
    now = workshop.time.now
    assert len(desk.storage.outbox.claim([place.name], now, until=now + timedelta(seconds=60))) == 1
    assert publishing.publish_due() == 0
    workshop.time.pass_by(timedelta(seconds=60))
    assert publishing.publish_due() == 1


def test_a_bundle_that_does_not_verify_is_not_published(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, ceremony = workshop.approved()
    place = Place()
    bundle = desk.reader.bundle(ceremony)
    monkeypatch.setattr(desk.reader, "bundle", lambda _: bundle.replace(b'"index":6', b'"index":5'))
    publishing = _publishing(workshop, desk, place)
    assert publishing.publish_due() == 1
    assert place.published == []
    (publication,) = desk.reader.publications(ceremony)
    assert publication.state is PublicationState.FAILED
    assert "expected a bundle that verifies" in publication.detail


def test_the_bundle_is_the_same_bytes_whatever_came_after(workshop: Workshop) -> None:
    desk, ceremony = workshop.approved()
    before = desk.reader.bundle(ceremony)
    for number in range(2, 9):
        desk.written(workshop.start(workshop.organisation.request(number=number, version=f"1.{number}")))
    assert workshop.desk(running=False).reader.bundle(ceremony) == before


def test_only_an_approval_fills_the_outbox(workshop: Workshop) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    desk.written(workshop.decide("alice", start))
    workshop.time.pass_by(timedelta(days=1))
    desk.write(workshop.expire(start))
    assert desk.storage.outbox.of(start.request.statement.ceremony) == []
