# SPDX-License-Identifier: Apache-2.0
"""Emergencies on a real log: their course, their limits, what follows them, and what is published of them."""

from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.commands import Act, Repeated, Start, Written
from coordinator.deadlines import Deadlines
from coordinator.destinations import Directory
from coordinator.log_keys import LogKeys
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.rebuilding import rebuild_in
from coordinator.status import EVERY, StatusFile, StatusKeeping
from quorumseal.ceremony import errors, request_errors
from quorumseal.ceremony.commands import Deliver
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Request
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.errors import LapsedError, ProvisionalError, RevokedError
from quorumseal.verifier.standing import Standing, Terms
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    PROVISIONAL,
    WINDOW,
    emergency_request,
    joins,
    ratification,
    reports,
    revocation,
    vetoes,
)
from tests.coordinator.workshop import Desk, Place, Workshop
from tests.organisation import ARTIFACT, Organisation, ceremony_number

FIRST, SECOND, THIRD = (ceremony_number(number) for number in (1, 2, 3))
NAME = "widget@1.0.quorumseal.json"
TRUST = Trust(organisation=BURNING.name, policy=BURNING.policy.digest, minimum_version=1)


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


class Story:
    """One coordinator that lives through things."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.desk: Desk = workshop.desk()
        self.place = Place()
        clock = workshop.time.clock()
        self.deadlines = Deadlines(self.desk.storage, self.desk.writer, clock=clock)
        self.publishing = Publishing(
            self.desk.storage,
            self.desk.reader,
            self.desk.policies,
            [self.place],
            clock=clock,
            notifier=Notifier(self.desk.storage, Routes(), clock=clock),
        )
        self.status = StatusFile(
            self.desk.storage, self.desk.reader, self.desk.policies, LogKeys(BURNING.log_key), clock=clock
        )

    def wait(self, duration: timedelta) -> None:
        self.workshop.time.pass_by(duration)
        self.deadlines.expire_due()

    def start(self, request: Request) -> str:
        outcome = self.desk.written(Start(policy=BURNING.policy, request=BURNING.sign_request(request)))
        assert outcome.ceremony is not None
        return outcome.ceremony

    def invoke(self, number: int = 1, *signers: str, **fields: object) -> str:
        request = emergency_request(number=number, at=self.workshop.time.now, **fields)  # type: ignore[arg-type] # the caller's
        ceremony = self.start(request)
        self.join(ceremony, *signers)
        return ceremony

    def join(self, ceremony: str, *signers: str) -> None:
        for signer in signers:
            self.wait(MINUTE)
            chain, at = self.desk.chain(ceremony), self.workshop.time.now
            self.desk.written(Act(ceremony=ceremony, command=joins(chain, signer, at=at)))

    def veto(self, ceremony: str, signer: str) -> None:
        chain, at = self.desk.chain(ceremony), self.workshop.time.now
        self.desk.written(Act(ceremony=ceremony, command=vetoes(chain, signer, at=at)))

    def report(self, ceremony: str, signer: str) -> None:
        chain, at = self.desk.chain(ceremony), self.workshop.time.now
        self.desk.written(Act(ceremony=ceremony, command=reports(chain, signer, at=at)))

    def ratify(self, ceremony: str, number: int = 9) -> str:
        request = ratification(self.desk.chain(ceremony), at=self.workshop.time.now, number=number)
        started = self.start(request)
        self.join(started, "alice", "bob", "carol", "dan")
        return started

    def state(self, ceremony: str) -> State:
        return self.desk.chain(ceremony).ceremony.state

    def verify(self, bundle: bytes, status: bytes | None = None) -> Verified:
        terms = Terms(product="widget", now=self.workshop.time.now, allow_provisional=True, status=status)
        return verify(bundle, TRUST, {"widget.tar.gz": digest_of(ARTIFACT)}, terms=terms)

    def publish(self) -> dict[str, bytes]:
        """Publish what is due; return all that is published, by name."""
        self.publishing.publish_due()
        return dict(self.place.published)


@pytest.fixture
def story(workshop: Workshop) -> Story:
    return Story(workshop)


def test_what_nobody_vetoes_is_provisional_when_its_window_ends(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    row = story.desk.storage.ceremonies.get(ceremony)
    assert row is not None
    assert row.due_at == story.workshop.time.now + WINDOW
    story.wait(WINDOW - MINUTE)
    assert story.state(ceremony) is State.OPEN
    story.wait(MINUTE)
    assert story.state(ceremony) is State.PROVISIONAL
    assert story.verify(story.desk.reader.bundle(ceremony)).standing is Standing.PROVISIONAL
    assert rebuild_in(story.desk.storage).differing == ()


def test_a_provisional_bundle_never_takes_the_plain_name(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    assert [*story.publish()] == [f"widget@1.0@provisional@{ceremony}.quorumseal.json"]
    story.ratify(ceremony)
    ratified = story.publish()[NAME]
    assert story.verify(ratified).standing is Standing.RATIFIED
    terms = Terms(now=story.workshop.time.now + 1000 * DAY)
    assert verify(ratified, TRUST, {"widget.tar.gz": digest_of(ARTIFACT)}, terms=terms).ratification


def test_a_provisional_bundle_is_refused_unless_it_is_asked_for(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    with pytest.raises(ProvisionalError):
        verify(story.desk.reader.bundle(ceremony), TRUST, {"widget.tar.gz": digest_of(ARTIFACT)})


def test_a_veto_ends_it_and_invoking_again_needs_three_people(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.veto(ceremony, "dan")
    assert story.state(ceremony) is State.REJECTED
    with pytest.raises(request_errors.EmergencyPeopleError, match="dan vetoed"):
        story.invoke(2)
    again = story.invoke(3, "alice", "carol", people=3)
    assert story.desk.chain(again).ceremony.vetoed_by == {"dan"}
    with pytest.raises(errors.VetoNotAllowedError):
        story.veto(again, "dan")
    story.wait(WINDOW)
    assert story.state(again) is State.OPEN, "two are not three"
    story.join(again, "bob")
    story.wait(WINDOW)
    assert story.state(again) is State.PROVISIONAL


def test_there_is_one_emergency_at_a_time(story: Story) -> None:
    story.invoke(1)
    with pytest.raises(request_errors.EmergencyLimitError, match="which is open"):
        story.invoke(2, version="2.0")
    story.wait(HOUR)
    assert story.state(FIRST) is State.EXPIRED
    story.invoke(3, version="2.0")


def test_two_in_one_batch_are_two_too_many(story: Story) -> None:
    starts = [
        Start(
            policy=BURNING.policy,
            request=BURNING.sign_request(
                emergency_request(number=number, version=f"{number}.0", at=story.workshop.time.now)
            ),
        )
        for number in (1, 2)
    ]
    first, second = story.desk.write(*starts)
    assert isinstance(first, Written)
    assert isinstance(second, request_errors.EmergencyLimitError)


def test_a_third_within_a_quarter_is_refused(story: Story) -> None:
    for number in (1, 2):
        ceremony = story.invoke(number, "alice", "carol", version=f"{number}.0")
        story.wait(WINDOW)
        story.report(ceremony, "dan")
    with pytest.raises(request_errors.EmergencyLimitError, match="at most 2"):
        story.invoke(3, version="3.0")
    story.wait(93 * DAY)
    story.invoke(4, version="3.0")


def test_a_report_that_is_late_makes_the_next_need_three(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    story.wait(7 * DAY)
    with pytest.raises(request_errors.EmergencyPeopleError, match="is late"):
        story.invoke(2, version="2.0")
    with pytest.raises(errors.ReportNotAllowedError):
        story.report(ceremony, "alice")
    story.report(ceremony, "dan")
    story.invoke(3, version="2.0")


def test_what_is_ratified_is_exactly_the_emergency_and_in_time(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    request = ratification(story.desk.chain(ceremony), at=story.workshop.time.now)
    with pytest.raises(request_errors.RatificationError, match="is open"):
        story.start(request)
    story.wait(WINDOW + PROVISIONAL)
    with pytest.raises(request_errors.RatificationError, match="hard stop"):
        story.ratify(ceremony)


def test_a_version_is_released_or_ratified_and_never_both(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    regular = BURNING.request(number=4, at=story.workshop.time.now)
    story.ratify(ceremony)
    with pytest.raises(request_errors.AlreadyApprovedError):
        story.start(regular)


def test_what_nobody_ratified_lapses_by_itself_and_the_status_says_so(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    bundle = story.desk.reader.bundle(ceremony)
    assert story.verify(bundle, story.status.make()).standing is Standing.PROVISIONAL
    story.wait(PROVISIONAL)
    lapsed = {story.desk.chain(ceremony).ceremony.request.digest}
    assert story.status.lapsed(at=story.workshop.time.now) == lapsed
    with pytest.raises(LapsedError):
        story.verify(bundle)


def test_what_was_ratified_does_not_lapse(story: Story) -> None:
    ceremony = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    ratified = story.ratify(ceremony)
    story.wait(PROVISIONAL)
    assert story.status.lapsed(at=story.workshop.time.now) == frozenset()
    assert story.verify(story.desk.reader.bundle(ratified), story.status.make()).ratification is not None


def test_a_revocation_reaches_the_status_file(story: Story) -> None:
    ceremony = story.start(BURNING.request(at=story.workshop.time.now))
    story.join(ceremony, "alice", "bob", "carol", "rita")
    bundle = story.desk.reader.bundle(ceremony)
    keeping = StatusKeeping(
        story.status, [Directory(story.workshop.published)], clock=story.workshop.time.clock()
    )
    assert keeping.write_due()
    assert not keeping.write_due(), "nothing changed"
    digest = story.desk.chain(ceremony).ceremony.request.digest
    taking_back = story.start(revocation(digest, at=story.workshop.time.now))
    story.join(taking_back, "alice", "bob", "carol", "rita")
    assert keeping.write_due()
    status = (story.workshop.published / "status.json").read_bytes()
    with pytest.raises(RevokedError):
        story.verify(bundle, status)
    assert "widget@1.0@release-revocation.quorumseal.json" in story.publish()
    story.wait(EVERY)
    assert keeping.write_due(), "it is old"


def test_a_revocation_of_what_this_log_does_not_hold_is_refused(story: Story) -> None:
    with pytest.raises(request_errors.RevocationError, match="does not hold"):
        story.start(revocation("sha256:" + "a" * 64, at=story.workshop.time.now))
    ceremony = story.start(BURNING.request(at=story.workshop.time.now))
    digest = story.desk.chain(ceremony).ceremony.request.digest
    with pytest.raises(request_errors.RevocationError, match="is open"):
        story.start(revocation(digest, at=story.workshop.time.now))


def test_deliveries_are_entries_of_their_emergency(story: Story) -> None:
    ceremony = story.invoke(1)
    notice = digest_of(b"a notice")
    told = Act(ceremony=ceremony, command=Deliver("alice", "hook", notice))
    assert isinstance(story.desk.write(told)[0], Written)
    assert isinstance(story.desk.write(told)[0], Repeated)
    story.workshop.time.pass_by(HOUR)
    late = Act(ceremony=ceremony, command=Deliver("bob", "hook", notice))
    story.desk.written(late)
    assert story.desk.types()[-3:] == ["delivered", "expired", "delivered"]


def test_the_status_file_is_not_written_where_nothing_can_be(story: Story, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no directory")
    keeping = StatusKeeping(story.status, [Directory(in_the_way)], clock=story.workshop.time.clock())
    assert not keeping.write_due()
