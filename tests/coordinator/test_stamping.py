# SPDX-License-Identifier: Apache-2.0
"""Conclusions get their timestamps beside the log; an authority out of reach stops nothing for long."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.destinations import Directory
from coordinator.errors import DestinationError
from coordinator.metrics.catalogue import TIMESTAMP_FAILURES
from coordinator.metrics.observing import Observation
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.stamping import PATIENCE, Stamping
from coordinator.storage import TimestampRow
from coordinator.values import PublicationState
from quorumseal.client.timestamping import AuthorityUnreachableError
from quorumseal.signatures import Authority, Timestamp, read_timestamp
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.timestamping import Stamp
from tests.coordinator.workshop import Desk, Place, Workshop
from tests.organisation import Organisation, changed
from tests.timestamp_authority import LyingAuthority, openssl_needed

pytestmark = openssl_needed
SECOND = timedelta(seconds=1)


@dataclass
class Clock:
    """An authority that can be out of reach."""

    authority: LyingAuthority
    workshop: Workshop
    broken: bool = False
    asked: int = 0

    def fetch(self, message: bytes, authorities: Sequence[Authority]) -> Timestamp:
        self.asked += 1
        if self.broken:
            raise AuthorityUnreachableError("expected an answer, got none")
        token = self.authority.token(message, self.workshop.time.now)
        return read_timestamp(token, message, authorities)


@dataclass
class Office:
    """A coordinator that publishes, and asks an authority."""

    clock: Clock
    desk: Desk
    ceremony: str
    place: Place = field(default_factory=Place)
    seen: list[Observation] = field(default_factory=list)

    def __post_init__(self) -> None:
        desk, clock = self.desk, self.clock.workshop.time.clock()
        self.stamping = Stamping(
            desk.storage,
            desk.reader,
            desk.policies,
            self.clock.fetch,
            clock=clock,
            observe=self.seen.append,
        )
        self.publishing = Publishing(
            desk.storage,
            desk.reader,
            desk.policies,
            [self.place],
            clock=clock,
            notifier=Notifier(desk.storage, Routes(), clock=clock),
            stamping=self.stamping,
        )

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return read_bundle(self.desk.reader.bundle(self.ceremony)).timestamps


@pytest.fixture
def authority(tmp_path: Path) -> LyingAuthority:
    return LyingAuthority(tmp_path)


@pytest.fixture
def organisation(authority: LyingAuthority) -> Organisation:
    return changed(Organisation(), timestamping=(authority.authority,))


@pytest.fixture
def office(workshop: Workshop, authority: LyingAuthority) -> Office:
    desk, ceremony = workshop.approved()
    return Office(Clock(authority, workshop), desk, ceremony)


def test_bundle_is_published_with_the_timestamp_of_its_conclusion(office: Office) -> None:
    assert office.publishing.publish_due() == 1
    ((_, data),) = office.place.published
    (stamp,) = read_bundle(data).timestamps
    assert stamp.ceremony == office.ceremony
    assert office.stamps == (stamp,)
    office.publishing.publish_now(office.ceremony)
    assert office.clock.asked == 1


def test_core_of_a_bundle_is_the_same_with_and_without(office: Office) -> None:
    before = office.desk.reader.bundle(office.ceremony)
    office.publishing.publish_due()
    assert office.desk.reader.bundle(office.ceremony, stamped=False) == before
    assert office.desk.reader.bundle(office.ceremony) != before


def test_authority_out_of_reach_delays_a_publication_by_a_minute_at_most(office: Office) -> None:
    office.clock.broken = True
    waited = timedelta(0)
    while not office.place.published:
        office.publishing.publish_due()
        (publication,) = office.desk.reader.publications(office.ceremony)
        if publication.state is PublicationState.FAILED:
            assert "expected a timestamp before publishing" in publication.detail
        office.clock.workshop.time.pass_by(SECOND)
        waited += SECOND
        assert waited < 2 * PATIENCE
    ((_, data),) = office.place.published
    assert read_bundle(data).timestamps == ()
    assert {each.metric for each in office.seen} == {TIMESTAMP_FAILURES}


def test_what_was_published_without_is_stamped_later_and_offered_by_the_coordinator(office: Office) -> None:
    office.clock.broken = True
    office.clock.workshop.time.pass_by(2 * PATIENCE)
    office.publishing.publish_due()
    office.stamping.stamp_due()
    office.stamping.stamp_due()
    assert office.clock.asked == 1
    office.clock.broken = False
    office.clock.workshop.time.pass_by(timedelta(minutes=5))
    office.stamping.stamp_due()
    assert len(office.stamps) == 1
    office.stamping.stamp_due()
    assert office.clock.asked == 2


def test_nobody_is_asked_for_ever(office: Office) -> None:
    office.clock.workshop.time.pass_by(timedelta(days=8))
    office.stamping.stamp_due()
    assert office.clock.asked == 0


@pytest.mark.parametrize("organisation", [Organisation()], ids=["no authorities"])
def test_nobody_is_asked_under_a_policy_that_takes_nobodys_word(office: Office) -> None:
    office.publishing.publish_due()
    office.clock.workshop.time.pass_by(2 * PATIENCE)
    office.stamping.stamp_due()
    assert (office.clock.asked, len(office.place.published)) == (0, 1)


def test_coordinator_without_the_setting_asks_nobody(office: Office) -> None:
    desk = office.desk
    idle = Stamping(
        desk.storage,
        desk.reader,
        desk.policies,
        None,
        clock=office.clock.workshop.time.clock(),
        observe=office.seen.append,
    )
    idle.before_publishing(office.ceremony)
    idle.stamp_due()
    assert office.stamps == ()


def test_first_timestamp_of_a_conclusion_stays(office: Office) -> None:
    office.publishing.publish_due()
    (first,) = office.stamps
    office.desk.storage.timestamps.keep(TimestampRow(ceremony=office.ceremony, authority="x", token=b"x"))
    assert office.stamps == (first,)


def test_published_file_that_differs_in_its_timestamps_alone_is_the_same_bundle(
    office: Office, tmp_path: Path
) -> None:
    plain = office.desk.reader.bundle(office.ceremony)
    office.publishing.publish_due()
    stamped = office.desk.reader.bundle(office.ceremony)
    for number, (first, later) in enumerate(((plain, stamped), (stamped, plain))):
        directory = Directory(tmp_path / str(number))
        where = Path(directory.publish("widget@1.0.quorumseal.json", first))
        assert directory.publish("widget@1.0.quorumseal.json", later) == str(where)
        assert where.read_bytes() == first
        with pytest.raises(DestinationError):
            directory.publish("widget@1.0.quorumseal.json", later.replace(b"log.acme", b"log.bcme"))
