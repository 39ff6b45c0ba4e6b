# SPDX-License-Identifier: Apache-2.0
"""A log that changes its key: a scene of :mod:`.scenes` that needs a log of its own."""

from dataclasses import replace

from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Request
from quorumseal.signatures import Ed25519PrivateKey
from quorumseal.tlog import Checkpoint, sign_checkpoint
from quorumseal.verifier.bundle import Adopted
from tests.changing import Side, policy_decision, policy_request
from tests.differential.courses import Course, Scene, Story
from tests.organisation import NOW, Organisation, key_of
from tests.rotating import Rotating
from tests.simulated_log import SimulatedLog

MINUTES = 5


class RotatingLog(SimulatedLog):
    """Signs with another key from a size on."""

    def __init__(self, organisation: Organisation, key: Ed25519PrivateKey) -> None:
        self.key, self.until = key, 1 << 40
        super().__init__(organisation)

    def checkpoint(self, size: int | None = None) -> bytes:
        """Sign the checkpoint of a size by the key that signed then."""
        size = self.size if size is None else size
        key = self.organisation.log_key if size <= self.until else self.key
        return sign_checkpoint(Checkpoint(self.organisation.origin, size, self.roots[size]), key)


def rotated() -> Scene:
    """A release under the version that brought the log's next key, and one that began before it."""
    return _rotated("rotated", late=False)


def ended_after() -> Scene:
    """A release that began before the log's key changed, and ended after."""
    return _rotated("ended after the log's key changed", late=True)


def _rotated(name: str, *, late: bool) -> Scene:
    acme, key = Rotating(), key_of("the log's next key")
    assert isinstance(key, Ed25519PrivateKey)
    story = Story(acme)
    story.log = log = RotatingLog(acme, key)
    course = Course(acme, acme.request()).approve("alice")
    log.append(course.entries)
    begun = len(course.entries)
    seen = log.seen()
    new = acme.with_log_key(key, seen)
    change = _side(
        Kind.POLICY_CHANGE,
        acme,
        new,
        replace(_asked(acme, new, 100), context=acme.context("alice", seen=seen)),
    )
    log.append(change.entries)
    log.until = log.size
    given = log.part(change.entries, also=[seen.size])
    acceptance = _side(
        Kind.POLICY_ACCEPTANCE,
        new,
        new,
        policy_request(Kind.POLICY_ACCEPTANCE, new, new, number=101, requester="alice"),
    )
    log.append(acceptance.entries)
    taken = log.part(acceptance.entries, also=[log.end(change.entries)])
    log.versions.append(Adopted(payload=new.policy.payload, change=given, acceptance=taken))
    if late:
        course.approve("bob", "carol", "dan", minute=MINUTES)
        log.append(course.entries[begun:])
        story.parts.append(log.part(course.entries))
    else:
        story.add(Course(new, new.request(number=2)).approve("alice", "bob", "carol", "dan"))
    return story.scene(name)


def _asked(under: Organisation, new: Organisation, number: int) -> Request:
    return policy_request(Kind.POLICY_CHANGE, under, new, number=number, requester="alice", at=NOW)


def _side(kind: Kind, under: Organisation, new: Organisation, request: Request) -> Side:
    proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
    course = Course(under, request, proposed=proposed)

    for minute, signer in enumerate(("alice", "carol"), 1):
        asked = course.chain.ceremony.request
        at = asked.statement.opened_at
        course.does(Record(policy_decision(under, signer, asked, at=at)), minute)
    return Side(course.chain, course.entries)
