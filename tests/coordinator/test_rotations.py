# SPDX-License-Identifier: Apache-2.0
"""Keys rotate and people leave on a real log, and a consumer needs nothing but version 1 to follow it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from coordinator.commands import Act, Start
from coordinator.errors import LogKeyError, SeenCheckpointError
from coordinator.intake import Intake
from coordinator.log_keys import LogKeys
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.errors import CeremonyError, RotationTooFastError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.signed import authenticate
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import PrivateKey
from quorumseal.tlog import hash_text, open_checkpoint, sign_checkpoint
from quorumseal.verifier.bundle import Bundle, read_bundle, write_bundle
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify
from tests.changing import policy_decision, policy_request
from tests.coordinator.workshop import Desk, Workshop
from tests.forging import verdict
from tests.organisation import ARTIFACT, Organisation, ceremony_number, key_of
from tests.rotating import Rotating
from tests.simulated_log import SimulatedLog

ONE = Rotating(founders=("alice", "carol"))
SECOND_LOG_KEY = key_of("the second log key")
TRUST = Trust(organisation=ONE.name, policy=ONE.policy.digest, minimum_version=1)
ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
QUORUM = ("alice", "bob", "carol", "rita")
DAY = timedelta(days=1)


@dataclass
class Story:
    """An organisation's log, and the version of its policy that is in force."""

    workshop: Workshop
    desk: Desk
    acme: Rotating = ONE
    number: int = 0

    @property
    def now(self) -> datetime:
        return self.workshop.time.now

    def seen(self) -> SeenCheckpoint:
        """Return the log's head, as an agent that verified it names it."""
        head = self.desk.storage.log.head()
        return SeenCheckpoint(size=head.size, root=hash_text(head.root))

    def start(self, version: str, acme: Rotating | None = None) -> Start:
        """Ask for a release."""
        acme, self.number = acme or self.acme, self.number + 1
        request = acme.request(number=self.number, version=version, at=self.now)
        start = Start(policy=acme.policy, request=acme.sign_request(request))
        self.desk.written(start)
        return start

    def approve(self, start: Start, *people: str, acme: Rotating | None = None) -> None:
        """Approve a release, each with the key that they hold in a version."""
        acme = acme or self.acme
        for person in people:
            decision = acme.decision(person, start.request, at=self.now, seen=self.seen())
            record = Record(acme.sign_decision(decision))
            self.desk.written(Act(ceremony=start.request.statement.ceremony, command=record))

    def release(self, version: str, *people: str) -> bytes:
        """Release something; return its bundle."""
        start = self.start(version)
        self.approve(start, *people or QUORUM)
        return self.bundle(start)

    def bundle(self, start: Start) -> bytes:
        return self.desk.reader.bundle(start.request.statement.ceremony)

    def propose(self, new: Rotating) -> tuple[Start, Start]:
        """Ask for both ceremonies of a change."""
        asked = []
        for kind, under in ((Kind.POLICY_CHANGE, self.acme), (Kind.POLICY_ACCEPTANCE, new)):
            self.number += 1
            request = policy_request(kind, under, new, number=self.number, requester="alice", at=self.now)
            request = replace(request, context=replace(request.context, checkpoint=self.seen()))
            proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
            start = Start(policy=under.policy, request=under.sign_request(request), proposed=proposed)
            self.desk.written(start)
            asked.append(start)
        return asked[0], asked[1]

    def change(self, new: Rotating) -> None:
        """Bring a change to its end, both sides approved by alice and carol."""
        for under, start in zip((self.acme, new), self.propose(new), strict=True):
            for person in ("alice", "carol"):
                record = Record(policy_decision(under, person, start.request, at=self.now))
                self.desk.written(Act(ceremony=start.request.statement.ceremony, command=record))
        assert self.desk.policies.newest.digest == new.policy.digest
        self.acme = new
        self.workshop.time.pass_by(timedelta(minutes=5))


def accepted(bundle: bytes, minimum: int = 1, terms: Terms | None = None) -> Verified:
    return verify(bundle, replace(TRUST, minimum_version=minimum), ARTIFACTS, terms=terms)


def judged(bundle: bytes, minimum: int = 1, terms: Terms | None = None) -> str:
    return verdict(lambda: accepted(bundle, minimum, terms))


@pytest.fixture
def organisation() -> Organisation:
    return ONE


@pytest.fixture
def story(workshop: Workshop) -> Story:
    return Story(workshop, workshop.desk(log_keys=[SECOND_LOG_KEY]))


def test_a_consumer_of_version_1_follows_three_changes_two_rotations_and_a_departure(story: Story) -> None:
    """And refuses what the departed keys make, once the trust file was updated."""
    before = story.release("1.0")
    story.change(ONE.rotated("alice", at=story.now))
    story.change(story.acme.with_log_key(SECOND_LOG_KEY, story.seen()))
    story.change(story.acme.left_by("erin", at=story.now, engineering="dan"))
    assert (story.acme.version, "erin" in story.acme.policy.policy.signers) == (4, False)

    after = story.release("2.0")
    verified = accepted(after)
    assert (verified.policy.policy.version, verified.standing) == (4, "regular")
    assert verified.seats["engineering"] == ("alice", "bob")
    note = read_bundle(after).parts[0].checkpoint
    assert open_checkpoint(note, ONE.origin, [SECOND_LOG_KEY.public]) == verified.checkpoint
    assert accepted(after, minimum=4).policy == verified.policy

    forged = forged_by_the_departed()
    chain = read_bundle(after).policies
    with_the_chain = write_bundle(Bundle(policies=chain, parts=read_bundle(forged).parts))
    for bundle in (before, forged, with_the_chain):
        assert judged(bundle, minimum=4) == "policy_chain.below_minimum"
    assert judged(forged) == "accepted", "who never updates a trust file goes by the first people for ever"


def forged_by_the_departed() -> bytes:
    """Return what old keys of people, and the old key of the log, still make together elsewhere."""
    log = SimulatedLog(ONE)
    _, entries = ONE.run("alice", "erin", "carol", "rita")
    log.append(entries)
    return log.bundle(entries)


def test_two_rotations_in_a_row_leave_the_newest_key_the_one_that_signs(story: Story) -> None:
    first = ONE.rotated("alice", at=story.now)
    story.change(first)
    story.change(first.rotated("alice", at=story.now))
    third = accepted(story.release("1.0"))
    assert third.ceremony.decisions["alice"].key.key == story.acme.key("alice").public
    start = story.start("1.1")
    story.approve(start, "alice", acme=replace(story.acme, held=first.held))  # within the overlap
    story.workshop.time.pass_by(15 * DAY)
    late = story.start("1.2")
    with pytest.raises(CeremonyError) as refused:
        story.approve(late, "alice", acme=replace(story.acme, held=first.held))
    assert refused.value.code == "key.not_valid"


def test_an_open_ceremony_goes_by_the_old_key_while_a_key_rotates(story: Story) -> None:
    start = story.start("1.0")
    story.change(ONE.rotated("alice", at=story.now))
    early = ONE.seal(ONE.decision("alice", start.request, at=story.now), key=story.acme.key("alice"))
    assert verdict(lambda: authenticate(early, ONE.policy)) == "statement.signature"
    story.approve(start, *QUORUM, acme=ONE)
    assert accepted(story.bundle(start)).policy.policy.version == 1


def test_all_keys_of_a_role_at_once_are_not_even_proposed(story: Story) -> None:
    new = ONE
    for person in ("alice", "bob", "erin"):
        new = new.rotated(person, at=story.now)
    policy = new.policy.policy
    signers = {name: replace(signer, keys=signer.keys[-1:]) for name, signer in policy.signers.items()}
    cut = ONE.follow(replace(policy, signers=signers, version=2, previous=ONE.policy.digest), **new.held)
    with pytest.raises(RotationTooFastError):
        story.propose(cut)
    assert story.desk.types() == ["policy"]


# The log's key


def rotated(story: Story) -> Rotating:
    new = story.acme.with_log_key(SECOND_LOG_KEY, story.seen())
    story.change(new)
    return new


def signed_by(note: bytes, key: PrivateKey) -> bool:
    return verdict(lambda: open_checkpoint(note, ONE.origin, [key.public])) == "accepted"


def signers_of(story: Story) -> dict[int, str]:
    """Return which of the two keys signed each checkpoint."""
    keys = {"first": ONE.log_key, "second": SECOND_LOG_KEY}
    log = story.desk.storage.log
    rows = [row for size in range(1, log.size() + 1) if (row := log.checkpoint(size))]
    return {row.size: name for row in rows for name, key in keys.items() if signed_by(row.note, key)}


def test_the_new_log_key_signs_from_the_entry_on_that_brings_it(story: Story) -> None:
    story.release("1.0")
    rotated(story)
    story.release("2.0")
    adopted = [i for i, kind in enumerate(story.desk.types()) if kind == "policy"][1]
    assert story.acme.policy.policy.log.keys[1].from_size < adopted
    for size, name in signers_of(story).items():
        assert name == ("first" if size < adopted else "second"), size


def test_a_ceremony_that_ends_after_the_log_key_rotated_brings_the_version_that_says_so(story: Story) -> None:
    start = story.start("1.0")
    story.approve(start, "alice", acme=ONE)
    rotated(story)
    story.approve(start, *QUORUM[1:], acme=ONE)
    bundle = story.bundle(start)
    assert accepted(bundle).policy.policy.version == 1
    assert len(read_bundle(bundle).policies) == 2
    alone = Bundle(policies=read_bundle(bundle).policies[:1], parts=read_bundle(bundle).parts)
    assert judged(write_bundle(alone)) == "log.note_signature"


def test_the_old_log_key_proves_nothing_under_the_new_version_nor_the_new_one_what_was_before(
    story: Story,
) -> None:
    before = story.release("1.0")
    story.release("1.1")
    rotated(story)
    after = story.release("2.0")
    for bundle, key in ((after, ONE.log_key), (before, SECOND_LOG_KEY)):
        parsed = read_bundle(bundle)
        (part,) = parsed.parts
        note = sign_checkpoint(accepted(bundle).checkpoint, key)  # type: ignore[arg-type] # it is logged
        forged = Bundle(policies=read_bundle(after).policies, parts=(replace(part, checkpoint=note),))
        assert judged(write_bundle(forged)) == "log.note_signature"


def test_a_coordinator_without_the_new_key_stops_writing_and_does_not_start_again(story: Story) -> None:
    behind = story.workshop.desk()
    rotated(story)
    with pytest.raises(LogKeyError):
        behind.written(Start(policy=story.acme.policy, request=story.acme.sign_request()))
    with pytest.raises(LogKeyError):
        story.workshop.desk()


def test_a_policy_with_a_log_key_that_nobody_holds_or_another_past_is_turned_away(story: Story) -> None:
    story.release("1.0")
    seen = story.seen()
    wrong: list[tuple[Rotating, type[Exception]]] = [
        (ONE.with_log_key(key_of("a third log key"), seen), LogKeyError),
        (ONE.with_log_key(SECOND_LOG_KEY, replace(seen, root=digest_of(b"?"))), SeenCheckpointError),
        (ONE.with_log_key(SECOND_LOG_KEY, replace(seen, size=2)), SeenCheckpointError),
    ]
    keys = LogKeys(ONE.log_key, SECOND_LOG_KEY)
    intake = Intake(story.desk.storage, story.desk.policies, keys, now=lambda: story.now)
    for new, refusal in wrong:
        request = policy_request(Kind.POLICY_CHANGE, ONE, new, number=9, requester="alice", at=story.now)
        with pytest.raises(refusal):
            intake.request(ONE.seal(request), (), new.policy.payload, "alice")


def test_a_status_file_of_the_new_key_brings_the_chain_that_names_it(story: Story) -> None:
    before = story.release("1.0")
    rotated(story)
    status = Status(organisation=ONE.name, log=ONE.origin, at=story.now)
    with_chain = replace(status, policies=story.desk.reader.versions())
    for given, key, code in (
        (with_chain, SECOND_LOG_KEY, "accepted"),
        (with_chain, ONE.log_key, "status.format"),
        (status, SECOND_LOG_KEY, "status.format"),
    ):
        terms = Terms(now=story.now, status=write_status(given, key))
        assert judged(before, terms=terms) == code


# Leaving


def test_whoever_leaves_is_heard_no_more_in_what_they_had_open(story: Story) -> None:
    asked = story.start("1.0")
    story.approve(asked, "erin", acme=ONE)
    story.change(ONE.left_by("erin", at=story.now, engineering="dan"))
    story.approve(asked, "alice", "carol", "rita", acme=ONE)
    assert story.desk.chain(ceremony_number(1)).ceremony.state is State.APPROVED, "erin approved before"
    other = story.start("2.0")
    with pytest.raises(CeremonyError) as refused:
        story.approve(other, "erin", acme=ONE)
    assert refused.value.code == "statement.policy"
