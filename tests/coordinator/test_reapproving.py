# SPDX-License-Identifier: Apache-2.0
"""Re-approvals on a real log: which may open, one at a time, and under which names they are published."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from coordinator.commands import Act, Repeated, Start
from coordinator.rebuilding import rebuild_in
from quorumseal.ceremony import request_errors
from quorumseal.ceremony.statements import Concluded
from quorumseal.verifier.errors import RevokedError
from quorumseal.verifier.standing import Standing
from tests.burning import BURNING, HOUR, WINDOW, joins, ratification, reapproval, revocation
from tests.coordinator.test_emergencies import NAME, Story
from tests.coordinator.workshop import Workshop
from tests.organisation import Organisation

QUORUM = ("alice", "bob", "carol", "dan")


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


@pytest.fixture
def story(workshop: Workshop) -> Story:
    return Story(workshop)


def released(story: Story) -> str:
    """Release widget 1.0."""
    ceremony = story.start(BURNING.request(at=story.workshop.time.now))
    story.join(ceremony, "alice", "bob", "carol", "rita")
    return ceremony


def again(story: Story, release: str, number: int = 7, signers: Sequence[str] = QUORUM) -> str:
    """Ask for a release to be approved anew, and let people decide."""
    chain = story.desk.chain(release)
    ceremony = story.start(reapproval(chain, number=number, at=story.workshop.time.now))
    story.join(ceremony, *signers)
    return ceremony


def test_what_is_published_stays_and_each_reapproval_gets_the_next_name(story: Story) -> None:
    release = released(story)
    first = story.publish()
    assert [*first] == [NAME]
    for number in (1, 2):
        ceremony = again(story, release, number=number + 10)
        published = story.publish()
        name = f"widget@1.0@re-approval@{number}.quorumseal.json"
        assert story.desk.reader.bundle(ceremony) == published[name]
        found = story.verify(published[name])
        assert found.standing is Standing.REAPPROVED
        assert found.reapproval is not None
        assert found.reapproval.request.statement.ceremony == ceremony
    assert story.publish()[NAME] == first[NAME]
    assert len(story.publish()) == 3
    assert rebuild_in(story.desk.storage).differing == ()


def test_one_that_expired_takes_no_number(story: Story) -> None:
    release = released(story)
    again(story, release, 11, ("alice",))
    story.wait(HOUR * 24 * 8)
    again(story, release, 12)
    assert "widget@1.0@re-approval@1.quorumseal.json" in story.publish()


def test_what_was_ratified_is_approved_anew_with_all_three_ceremonies(story: Story) -> None:
    emergency = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    with pytest.raises(request_errors.ReApprovalError, match="is provisional"):
        again(story, emergency)
    request = ratification(story.desk.chain(emergency), at=story.workshop.time.now)
    ratified = story.start(request)
    story.join(ratified, *QUORUM)
    with pytest.raises(request_errors.ReApprovalError, match="is provisional"):
        again(story, emergency)
    found = story.verify(story.desk.reader.bundle(again(story, ratified)))
    assert found.standing is Standing.REAPPROVED
    assert found.ratification is not None


def test_one_is_open_at_a_time_and_the_same_request_finds_it(story: Story) -> None:
    release = released(story)
    open_one = again(story, release, 11, ())
    chain, at = story.desk.chain(release), story.workshop.time.now
    same = Start(policy=BURNING.policy, request=BURNING.sign_request(reapproval(chain, number=12, at=at)))
    (outcome,) = story.desk.write(same)
    assert isinstance(outcome, Repeated)
    assert outcome.ceremony == open_one
    with pytest.raises(request_errors.OpenCeremonyExistsError):
        story.start(reapproval(chain, number=13, at=at, requester="mallory"))


def test_a_release_that_is_open_or_taken_back_is_not_approved_anew(story: Story) -> None:
    release = story.start(BURNING.request(at=story.workshop.time.now))
    with pytest.raises(request_errors.ReApprovalError, match="is open"):
        again(story, release)
    story.join(release, "alice", "bob", "carol", "rita")
    bundle = story.desk.reader.bundle(again(story, release, 20))
    digest = story.desk.chain(release).ceremony.request.digest
    taking_back = story.start(revocation(digest, at=story.workshop.time.now))
    story.join(taking_back, "alice", "bob", "carol", "rita")
    with pytest.raises(request_errors.ReApprovalError, match="taken back"):
        again(story, release, 21)
    with pytest.raises(RevokedError):
        story.verify(bundle, story.status.make())


def test_a_reapproval_of_another_release_is_refused_and_nothing_has_changed(story: Story) -> None:
    release = released(story)
    size = story.desk.reader.newest_checkpoint().size
    honest = reapproval(story.desk.chain(release), at=story.workshop.time.now)
    assert honest.reapproved is not None
    fields = {name: getattr(honest.reapproved, name) for name in Concluded.__slots__}
    other = Concluded(**{**fields, "conclusion": "sha256:" + "a" * 64})
    with pytest.raises(request_errors.ReApprovalError, match="another conclusion"):
        story.start(replace(honest, reapproved=other))
    assert story.desk.reader.newest_checkpoint().size == size


def test_a_regular_request_for_the_version_is_still_refused(story: Story) -> None:
    release = released(story)
    again(story, release)
    with pytest.raises(request_errors.AlreadyApprovedError):
        story.start(BURNING.request(number=30, requester="rita", at=story.workshop.time.now))


def test_a_decision_in_it_is_recorded_like_any(story: Story) -> None:
    open_one = again(story, released(story), 11, ())
    chain, at = story.desk.chain(open_one), story.workshop.time.now
    act = Act(ceremony=open_one, command=joins(chain, "alice", at=at))
    story.desk.written(act)
    assert story.desk.types()[-1] == "decided"
