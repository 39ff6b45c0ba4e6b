# SPDX-License-Identifier: Apache-2.0
"""From an approval to a published bundle: retried until it works, and never what does not verify."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from coordinator.errors import DestinationError, NotPublishableError
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.values import PublicationState
from tests.coordinator.workshop import Desk, Workshop


@dataclass
class _Place:
    """A destination that fails as often as it is told to."""

    failures: int = 0
    name: str = "directory:test"
    published: list[tuple[str, bytes]] = field(default_factory=list)

    def publish(self, name: str, data: bytes) -> str:
        if self.failures:
            self.failures -= 1
            raise DestinationError("expected room, got none")
        self.published.append((name, data))
        return f"/there/{name}"


def _approved(workshop: Workshop) -> tuple[Desk, str]:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    for signer in ("alice", "erin", "carol", "rita"):
        desk.written(workshop.decide(signer, start))
    return desk, start.request.statement.ceremony


def _publishing(workshop: Workshop, desk: Desk, *places: _Place) -> Publishing:
    clock = workshop.time.clock()
    notifier = Notifier(desk.storage, Routes(), clock=clock)
    return Publishing(desk.storage, desk.reader, desk.policies, places, clock=clock, notifier=notifier)


def test_an_approval_is_published_once(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
    place = _Place()
    publishing = _publishing(workshop, desk, place)
    assert publishing.publish_due() == 1
    assert publishing.publish_due() == 0
    assert place.published == [("widget@1.0.quorumseal.json", desk.reader.bundle(ceremony))]
    (publication,) = desk.reader.publications(ceremony)
    assert publication.state is PublicationState.PUBLISHED
    assert publication.detail == "/there/widget@1.0.quorumseal.json"


def test_a_failure_is_said_and_tried_again_later_and_later(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
    place = _Place(failures=4)
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


def test_publishing_can_be_asked_for_at_once(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
    place = _Place(failures=1)
    publishing = _publishing(workshop, desk, place)
    publishing.publish_due()
    (publication,) = publishing.publish_now(ceremony)
    assert publication.state is PublicationState.PUBLISHED
    assert publishing.publish_now(ceremony) == (publication,)
    assert len(place.published) == 1


def test_a_destination_that_was_added_later_gets_it_when_asked(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
    _publishing(workshop, desk, _Place()).publish_due()
    added = _Place(name="directory:added")
    publishing = _publishing(workshop, desk, added)
    assert publishing.publish_due() == 0
    states = [each.state for each in publishing.publish_now(ceremony)]
    assert states == [PublicationState.PUBLISHED, PublicationState.PUBLISHED]
    assert len(added.published) == 1


def test_without_a_destination_publishing_is_refused(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
    with pytest.raises(NotPublishableError):
        _publishing(workshop, desk).publish_now(ceremony)


def test_what_another_worker_has_claimed_is_left_to_it_until_its_claim_ends(workshop: Workshop) -> None:
    desk, _ = _approved(workshop)
    place = _Place()
    publishing = _publishing(workshop, desk, place)
    now = workshop.time.now
    assert len(desk.storage.outbox.claim([place.name], now, until=now + timedelta(seconds=60))) == 1
    assert publishing.publish_due() == 0
    workshop.time.pass_by(timedelta(seconds=60))
    assert publishing.publish_due() == 1


def test_a_bundle_that_does_not_verify_is_not_published(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, ceremony = _approved(workshop)
    place = _Place()
    bundle = desk.reader.bundle(ceremony)
    monkeypatch.setattr(desk.reader, "bundle", lambda _: bundle.replace(b'"index":6', b'"index":5'))
    publishing = _publishing(workshop, desk, place)
    assert publishing.publish_due() == 1
    assert place.published == []
    (publication,) = desk.reader.publications(ceremony)
    assert publication.state is PublicationState.FAILED
    assert "expected a bundle that verifies" in publication.detail


def test_the_bundle_is_the_same_bytes_whatever_came_after(workshop: Workshop) -> None:
    desk, ceremony = _approved(workshop)
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
