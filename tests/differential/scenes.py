# SPDX-License-Identifier: Apache-2.0
"""Honest bundles of every sort, made by the product."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from quorumseal.ceremony.commands import (
    Begin,
    Deliver,
    End,
    Expire,
    Narrow,
    Record,
    Revoke,
    Suspend,
)
from quorumseal.ceremony.narrowing import narrowing
from quorumseal.ceremony.revoking import Revoked
from quorumseal.ceremony.statements import Check, CheckOutcome, Choice, Evidence, Locator, Request, Subject
from quorumseal.ceremony.suspending import Suspended
from quorumseal.ceremony.values import digest_of
from quorumseal.offline.assembling import assemble, read_statements
from quorumseal.tlog import Checkpoint, Witness, add_lines, cosign, prove_consistency
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.trust import Trust, write_trust
from quorumseal.verifier.witnessing import Witnessed
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    delegation,
    emergency_request,
    extends,
    ratification,
    reapproval,
    revocation,
    vetoes,
    withdrawal,
)
from tests.changing import both_sides, next_version
from tests.differential.courses import Course, Scene, Story
from tests.differential.rotated import ended_after, rotated
from tests.losing import LOSING, by_guardian, by_owner, suspends
from tests.organisation import NOW, ROLES, SUBJECTS, Organisation, changed, key_of
from tests.verifier.published import published

QUORUM = ("alice", "bob", "carol", "dan")


def _long(acme: Organisation = BURNING, **fields: object) -> Request:
    return replace(acme.request(), hard_stop=NOW + DAY * 3, **fields)  # type: ignore[arg-type] # passed on


def _regular() -> Scene:
    made = published(Organisation(), "alice", "erin", "carol", "rita")
    return Scene(name="regular", bundle=made.bundle, trust=write_trust(made.trust))


def _rich() -> Scene:
    """A request and decisions with everything that may be in them."""
    acme = Organisation(roles={**ROLES, "engineering": ("alice", "bob", "ci", "erin")})
    others = (
        Subject(name="sbom/widget.json", digest=digest_of(b"1")),
        Subject(name="a.txt", digest=digest_of(b"2")),
    )
    evidence = Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=digest_of(b"3"))
    request = replace(
        acme.request(subjects=(*SUBJECTS, *others), supersedes=digest_of(b"4")),
        ticket="REL-7",
        evidence=(evidence,),
        locators=(Locator(name="a.txt", uri="https://acme.example/a.txt"),),
    )
    course = Course(acme, request).approve("ci", "alice", "carol")
    checks = (
        Check(name="artifacts", outcome=CheckOutcome.WAIVED),
        Check(name="sbom", outcome=CheckOutcome.PASS),
    )
    last = replace(acme.decision("dan", course.chain.ceremony.request, at=NOW + MINUTE * 4), checks=checks)
    return Story(acme).add(course.does(Record(acme.sign_decision(last)), 4)).scene("rich")


def _witnessed() -> Scene:
    acme = Organisation(
        witnessing=frozenset({"alice", "carol", "dan"}),
        outside=(Witness("witness.example/w1", key_of("outside").public),),
        cosignatures=2,
    )
    story = Story(acme).add(Course(acme, acme.request()).approve(*QUORUM))
    sizes = [story.log.size]
    story.log.append(Course(acme, acme.request(number=2, version="1.1")).approve("alice").entries)
    sizes.append(story.log.size)
    for size, signers in zip(sizes, (("alice",), ("alice", "dan")), strict=True):
        checkpoint = Checkpoint(acme.origin, size, story.log.roots[size])
        at = NOW + MINUTE * 5
        lines = [
            cosign(checkpoint, acme.witness_key(name), f"{acme.name}/witness/{name}", at=at)
            for name in signers
        ]
        proof = tuple(prove_consistency(sizes[0], size, story.log.node))
        story.witnessed.append(
            Witnessed(checkpoint=add_lines(story.log.checkpoint(size), lines), consistency=proof)
        )
    return story.scene("witnessed")


def _staged() -> Scene:
    acme = Organisation(
        stages=(frozenset({"engineering"}), frozenset({"security", "release"})),
        checks=frozenset({"artifacts"}),
    )
    return (
        Story(acme).add(Course(acme, acme.request()).approve("alice", "erin", "bob", "dan")).scene("staged")
    )


def _counted() -> Scene:
    acme = Organisation(veto=frozenset())
    course = Course(acme, acme.request()).decide("alice", Choice.REJECTION, 1).approve("bob", minute=2)
    course.approve("erin", "carol", "dan", minute=3)
    return Story(acme).add(course).scene("a rejection that is counted")


def _minds_changed() -> Scene:
    acme = Organisation(machines=frozenset({"ci"}))
    course = Course(acme, acme.request(requester="ci", on_behalf_of="mallory")).decide(
        "alice", Choice.ABSTENTION, 1
    )
    first = course.chain.ceremony.decisions["alice"].digest
    course.decide("alice", Choice.APPROVAL, 2, replaces=first, not_after=NOW + HOUR).approve(
        *QUORUM[1:], minute=3
    )
    return Story(acme).add(course).scene("a mind that changed, asked for by a machine")


def _extended() -> Scene:
    course = Course(BURNING, _long()).approve("alice")
    course.does(extends(course.chain, "rita", NOW + DAY * 2, at=NOW + MINUTE * 2), 2)
    course.does(extends(course.chain, "rita", NOW + DAY * 3, at=NOW + MINUTE * 3), 3)
    minutes = 2 * 24 * 60
    return Story(BURNING).add(course.approve("bob", "carol", "dan", minute=minutes)).scene("extended")


def _delegated() -> Scene:
    given = BURNING.sign(delegation("alice", "engineering", "frank"))
    taken = BURNING.sign(delegation("carol", "security", "alice", until=NOW + DAY * 2))
    course = Course(BURNING, _long(), delegations=(given,))
    course.does(Begin(taken), 1).does(End(BURNING.sign(withdrawal("carol", "security"))), 1)
    by_frank = BURNING.decision("frank", course.chain.ceremony.request, roles=("engineering",))
    course.does(Record(BURNING.sign_decision(replace(by_frank, delegation=given.digest))), 2)
    return Story(BURNING).add(course.approve("erin", "carol", "rita", minute=3)).scene("delegated")


def _narrowed() -> Scene:
    acme = Organisation()
    roles = {r: tuple(p for p in people if p != "erin") for r, people in acme.roles.items()}
    taken = narrowing(acme.policy.policy, next_version(acme, roles=roles).policy)
    assert taken is not None
    course = Course(acme, acme.request()).approve("alice").does(Narrow(taken), 2)
    return Story(acme).add(course.approve("bob", "carol", "dan", minute=3)).scene("narrowed")


def _revoked_in_it() -> Scene:
    first, second = (by_guardian(name, "alice", at=NOW + MINUTE) for name in ("carol", "dan"))
    key = LOSING.key("alice").public.key_id
    taken = Revoked(key=key, since=NOW, envelopes=(first.envelope, second.envelope))
    out = tuple(suspends(name, "erin", until=NOW + MINUTE * 3).envelope for name in ("carol", "dan"))
    suspended = Suspended(person="erin", until=NOW + MINUTE * 3, envelopes=out)
    course = Course(LOSING, LOSING.request()).approve("alice", "erin")
    course.does(Revoke(taken), 2).does(Suspend(suspended), 2)
    return (
        Story(LOSING)
        .add(course.approve("erin", "bob", "carol", "dan", minute=3))
        .scene("a key and a person taken out")
    )


def _opened_with_both() -> Scene:
    owner = by_owner("alice", since=NOW - HOUR, at=NOW - MINUTE)
    taken = Revoked(key=LOSING.key("alice").public.key_id, since=NOW - HOUR, envelopes=(owner.envelope,))
    out = tuple(suspends(name, "carol", at=NOW - MINUTE).envelope for name in ("bob", "dan"))
    suspended = Suspended(person="carol", until=NOW + DAY, envelopes=out)
    course = Course(LOSING, LOSING.request(), revoked=(taken,), suspended=(suspended,))
    return Story(LOSING).add(course.approve("erin", "bob", "dan", "rita")).scene("opened with both")


def _emergency(acme: Organisation = BURNING, **opening: object) -> Course:
    people = 3 if opening else 2
    course = Course(acme, emergency_request(acme, people=people), **opening).approve("alice", "carol")
    course.does(Deliver("erin", "mail", digest_of(b"a notice")), 3)
    if opening:
        course.approve("bob", minute=3)
    return course.does(Expire(), 4 + int(WINDOW / MINUTE))


def _provisional() -> Scene:
    return Story(BURNING).add(_emergency()).scene("provisional", now=NOW + HOUR, allow_provisional=True)


def _invoked_again() -> Scene:
    story = Story(BURNING).add(_emergency(vetoed_by=frozenset({"erin"})))
    return story.scene("invoked again", now=NOW + HOUR, allow_provisional=True)


def _broken() -> Scene:
    course = Course(BURNING, emergency_request()).approve("alice", "carol")
    first = course.chain.ceremony.decisions["alice"].digest
    course.decide("alice", Choice.ABSTENTION, 4, replaces=first).approve("erin", minute=5)
    course.does(Expire(), 6 + int(WINDOW / MINUTE))
    return Story(BURNING).add(course).scene("a window broken", now=NOW + HOUR, allow_provisional=True)


def _ratified() -> Scene:
    emergency = _emergency()
    second = Course(BURNING, ratification(emergency.chain)).approve(*QUORUM)
    return Story(BURNING).add(emergency, second).scene("ratified")


def _reapproved() -> Scene:
    release = Course(BURNING, BURNING.request()).approve(*QUORUM)
    again = Course(BURNING, reapproval(release.chain)).approve(*QUORUM)
    return Story(BURNING).add(release, again).scene("re-approved", now=NOW + DAY * 2)


def _all_three() -> Scene:
    emergency = _emergency()
    second = Course(BURNING, ratification(emergency.chain)).approve(*QUORUM)
    third = Course(BURNING, reapproval(second.chain)).approve(*QUORUM)
    return Story(BURNING).add(emergency, second, third).scene("ratified and re-approved", now=NOW + DAY * 2)


def _drill() -> Scene:
    acme = changed(BURNING, drill=True)
    return Story(acme).add(Course(acme, acme.request()).approve(*QUORUM)).scene("drill")


def _status(acme: Organisation, **said: object) -> bytes:
    made = Status(organisation=acme.name, log=acme.origin, at=NOW + DAY, **said)  # type: ignore[arg-type] # passed on
    return write_status(made, acme.log_key)


def _taken_back() -> Scene:
    story = Story(BURNING)
    release = Course(BURNING, BURNING.request()).approve(*QUORUM)
    story.add(release)
    back = Course(BURNING, revocation(release.chain.ceremony.request.digest)).approve(*QUORUM)
    story.log.append(back.entries)
    return story.scene("revoked", status=_status(BURNING, revocations=(story.log.bundle(back.entries),)))


def _another_taken_back() -> Scene:
    story = Story(BURNING)
    other = Course(BURNING, BURNING.request(number=3, version="0.9")).approve(*QUORUM)
    story.log.append(other.entries)
    release = Course(BURNING, BURNING.request()).approve(*QUORUM)
    story.add(release)
    asked = replace(revocation(other.chain.ceremony.request.digest), version="0.9")
    back = Course(BURNING, asked).approve(*QUORUM)
    story.log.append(back.entries)
    status = _status(
        BURNING, revocations=(story.log.bundle(back.entries),), lapsed=frozenset({digest_of(b"x")})
    )
    return story.scene("another one revoked", status=status)


def _without_keys() -> Scene:
    release = Course(LOSING, LOSING.request()).approve("alice", "bob", "erin", "carol", "dan")
    pair = tuple(by_guardian(name, "alice", at=NOW + HOUR).envelope for name in ("carol", "dan"))
    mallory = by_owner("mallory", since=NOW + HOUR).envelope
    keys = (pair, (mallory,))
    return Story(LOSING).add(release).scene("short of no key", status=_status(LOSING, keys=keys))


def _carried() -> Scene:
    release = Course(LOSING, LOSING.request()).approve(*QUORUM)
    again = Course(LOSING, reapproval(release.chain, LOSING)).approve("bob", "erin", "carol", "dan")
    pair = tuple(by_guardian(name, "alice", at=NOW + HOUR).envelope for name in ("carol", "dan"))
    status = _status(LOSING, keys=(pair,))
    return (
        Story(LOSING)
        .add(release, again)
        .scene("carried by its re-approval", status=status, now=NOW + DAY * 2)
    )


def _policies() -> Scene:
    acme = Organisation()
    story = Story(acme)
    new = next_version(acme, veto=frozenset())
    story.log.adopt(*both_sides(acme, new))
    newest = next_version(new, checks=frozenset({"artifacts"}))
    story.log.adopt(*both_sides(new, newest, number=102, at=NOW + HOUR))
    course = Course(newest, newest.request(at=NOW + HOUR * 2)).approve(*QUORUM)
    return story.add(course).scene("three policies")


def _reapproved_under_the_next() -> Scene:
    story = Story(BURNING)
    release = Course(BURNING, BURNING.request()).approve(*QUORUM)
    story.add(release)
    new = next_version(BURNING, veto=frozenset())
    story.log.adopt(*both_sides(BURNING, new, at=NOW + HOUR))
    again = Course(new, reapproval(release.chain, new)).approve(*QUORUM)
    return story.add(again).scene("re-approved under the next policy", now=NOW + DAY * 2)


def _unlogged() -> Scene:
    acme = Organisation()
    request = acme.sign_request()
    envelopes = [
        acme.seal(acme.decision(name, request, at=NOW + MINUTE * (1 + minute)))
        for minute, name in enumerate(("alice", "erin", "carol", "dan"))
    ]
    made = assemble(acme.policy, request, read_statements(envelopes, acme.policy), now=NOW + HOUR)
    trust = Trust(organisation=acme.name, policy=acme.policy.digest, minimum_version=1)
    return Scene(
        name="unlogged",
        bundle=made.bundle(),
        trust=write_trust(trust),
        now=NOW + HOUR,
        allow_unlogged=True,
    )


def _unfinished(name: str, *signers: str, then: Callable[[Course], object] | None = None) -> Scene:
    course = Course(BURNING, BURNING.request()).approve(*signers)
    if then:
        then(course)
    return Story(BURNING).add(course).scene(name)


def _short() -> Scene:
    return _unfinished("one short", "alice", "erin", "carol")


def _rejected() -> Scene:
    return _unfinished("rejected", "alice", then=lambda c: c.decide("carol", Choice.REJECTION, 2))


def _expired() -> Scene:
    return _unfinished("expired", "alice", then=lambda c: c.does(Expire(), 24 * 60))


def _vetoed() -> Scene:
    course = Course(BURNING, emergency_request()).approve("alice", "carol")
    course.does(vetoes(course.chain, "erin", at=NOW + MINUTE * 3), 3)
    return Story(BURNING).add(course).scene("vetoed", now=NOW + HOUR, allow_provisional=True)


MAKERS: Sequence[Callable[[], Scene]] = (
    _regular,
    _rich,
    _witnessed,
    _staged,
    _counted,
    _minds_changed,
    _extended,
    _delegated,
    _narrowed,
    _revoked_in_it,
    _opened_with_both,
    _provisional,
    _invoked_again,
    _broken,
    _ratified,
    _reapproved,
    _all_three,
    _drill,
    _taken_back,
    _another_taken_back,
    _without_keys,
    _carried,
    _policies,
    _reapproved_under_the_next,
    _unlogged,
    _short,
    _rejected,
    _expired,
    _vetoed,
    rotated,
    ended_after,
)


@cache
def scenes() -> tuple[Scene, ...]:
    """Every honest bundle."""
    return tuple(make() for make in MAKERS)


__all__ = ["Scene", "scenes"]
