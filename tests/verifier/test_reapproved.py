# SPDX-License-Identifier: Apache-2.0
"""A release that was approved anew: one bundle, each of its ceremonies about exactly the one before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.entries import Entry, read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Concluded, Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.explain import Node, explain
from quorumseal.verifier.part import Part
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.status import Status, write_status
from quorumseal.verifier.verify import Verified, verify
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    emergency_request,
    joins,
    ratification,
    reapproval,
    revocation,
    run_emergency,
)
from tests.forging import verdict
from tests.organisation import ARTIFACT, NOW, SUBJECTS, ceremony_number, changed
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
QUORUM = ("alice", "bob", "carol", "dan")
DIGEST = "sha256:" + "a" * 64


class Story:
    """A log with a release in it, regular or ratified, and what came after."""

    def __init__(self, *, ratified: bool = False) -> None:
        self.log = SimulatedLog(BURNING)
        if not ratified:
            self.chain, entries = BURNING.run("alice", "bob", "carol", "rita")
            self.parts = [self.keep(entries)]
            return
        emergency, entries = run_emergency("alice", "carol")
        self.parts = [self.keep(entries)]
        self.chain, self.parts[1:] = self.decided(ratification(emergency), *QUORUM)

    def keep(self, entries: list[Entry], after: Part | None = None) -> Part:
        """Log a ceremony; return its part, proved to come after another one."""
        self.log.append(entries)
        return self.log.part(entries, also={after.index + 1} if after else ())

    def proved(self, part: Part, after: Part | None) -> Part:
        """Return a part that is proved to come after another one."""
        entries = [read_entry(payload) for payload in part.entries]
        return self.log.part(entries, also={after.index + 1} if after else ())

    def decided(self, request: Request, *signers: str) -> tuple[Chain, list[Part]]:
        """Run a ceremony at the time of its request."""
        at = request.opened_at
        chain, opening = open_chain(BURNING.policy, BURNING.sign_request(request), at=at)
        entries = [opening]
        for signer in signers:
            chain, more = extend(chain, joins(chain, signer, at=at), at=at)
            entries += more
        return chain, [self.keep(entries, self.parts[-1])]

    def again(self, request: Request | None = None, *signers: str) -> Part:
        """Approve it anew."""
        return self.decided(request or reapproval(self.chain), *(signers or QUORUM))[1][0]

    def verify(self, *later: Part, parts: list[Part] | None = None, status: bytes | None = None) -> Verified:
        bundle = write_bundle(
            make_bundle([BURNING.policy], *(self.parts if parts is None else parts), *later)
        )
        return verify(bundle, self.log.trust, ARTIFACTS, terms=Terms(now=NOW + DAY * 3, status=status))

    def judge(self, *later: Part, **given: Any) -> str:
        return verdict(lambda: self.verify(*later, **given))


@pytest.mark.parametrize("ratified", [False, True], ids=["regular", "ratified"])
def test_a_release_that_was_approved_anew_says_so(ratified: bool) -> None:
    story = Story(ratified=ratified)
    found = story.verify(story.again())
    assert str(found.standing) == "re-approved"
    assert found.reapproval is not None
    assert found.reapproval.ended_at == NOW + DAY
    assert (found.ratification is not None) is ratified
    assert found.request.kind == "release"


def test_a_second_one_names_the_release_too_and_stands_beside_it_alone() -> None:
    story = Story()
    first = story.again()
    second = story.again(reapproval(story.chain, number=6, at=NOW + DAY + HOUR, requester="mallory"))
    proved = story.proved(second, after=story.parts[0])
    assert story.verify(proved).reapproval is not None
    assert story.judge(first, story.proved(second, after=first)) == "re_approval.other", "of a release alone"


OTHER: dict[str, dict[str, Any]] = {
    "ceremony": {"reapproved": {"ceremony": ceremony_number(77)}},
    "request": {"reapproved": {"request": DIGEST}},
    "conclusion": {"reapproved": {"conclusion": DIGEST}},
    "requesters": {"reapproved": {"requesters": frozenset({"gina", "mallory"})}},
    "product": {"product": "gadget"},
    "version": {"version": "1.1"},
    "subjects": {"subjects": (Subject(name="widget.zip", digest=SUBJECTS[0].digest),)},
}


@pytest.mark.parametrize("given", OTHER.values(), ids=OTHER)
def test_a_reapproval_with_its_full_quorum_is_of_exactly_one_release(given: dict[str, Any]) -> None:
    story = Story()
    honest = reapproval(story.chain)
    assert honest.reapproved is not None
    fields = {name: getattr(honest.reapproved, name) for name in Concluded.__slots__}
    of_it = {"reapproved": Concluded(**{**fields, **given["reapproved"]})} if "reapproved" in given else given
    assert story.judge(story.again(replace(honest, **of_it))) == "re_approval.other"


def test_a_first_part_of_another_ceremony_is_refused() -> None:
    story = Story()
    request = BURNING.sign_request(BURNING.request(number=2))
    _, entries = BURNING.run("alice", "bob", "carol", "rita", request=request, at=NOW)
    other = story.keep(entries)
    again = story.again()
    proved = story.proved(again, after=other)
    assert story.judge(parts=[other, proved]) == "re_approval.other"
    assert story.judge(parts=[story.parts[0], proved]) == "log.seen_checkpoint", "from another size"


def test_whoever_asked_for_the_first_does_not_count_in_the_second() -> None:
    story = Story()
    honest = reapproval(story.chain, requester="ci")
    asked = BURNING.request(requester="ci", on_behalf_of="erin", number=7, at=NOW + DAY)
    request = replace(honest, context=asked.context, on_behalf_of="erin")
    assert request.requesters == {"ci", "erin", "mallory"}
    forged = replace(request, reapproved=replace(honest.reapproved, requesters=frozenset({"rita"})))  # type: ignore[type-var] # there is one
    assert story.judge(story.again(forged)) == "re_approval.other"


def test_half_a_reapproval_is_none_at_all() -> None:
    story = Story()
    assert story.judge(story.again(None, *QUORUM[:3])) == "quorum.short"


def test_what_is_provisional_is_ratified_and_never_approved_anew() -> None:
    story = Story(ratified=True)
    emergency, _ = run_emergency("alice", "carol")
    again = story.again(reapproval(emergency))
    proved = story.proved(again, after=story.parts[0])
    assert story.judge(parts=[story.parts[0], proved]) == "re_approval.other"


def test_a_ratification_after_the_reapproval_is_refused() -> None:
    story = Story(ratified=True)
    again = story.again()
    assert story.judge(parts=[story.parts[0], again, story.parts[1]]) != "accepted"
    assert story.judge(parts=[*story.parts, again, again]) == "bundle.format"


def test_a_reapproval_alone_releases_nothing() -> None:
    story = Story()
    again = story.again()
    assert story.judge(parts=[story.proved(again, after=None)]) == "bundle.kind"
    assert story.judge(parts=[again, *story.parts]) != "accepted"


def test_a_revocation_is_no_reapproval() -> None:
    story = Story()
    taking_back = story.again(
        revocation(story.chain.ceremony.request.digest, at=NOW + DAY), *QUORUM[:3], "rita"
    )
    assert story.judge(taking_back) == "bundle.kind"


def test_it_needs_the_proof_that_it_came_after() -> None:
    story = Story()
    again = story.again()
    assert story.judge(replace(again, consistency={})) == "log.seen_checkpoint"
    assert story.judge(Part(entries=again.entries)) == "unlogged.not_allowed"
    assert story.judge(again, parts=[Part(entries=story.parts[0].entries)]) == "unlogged.not_allowed"


def test_what_was_taken_back_stays_so_however_often_it_is_approved() -> None:
    story = Story()
    again = story.again()
    request = revocation(story.chain.ceremony.request.digest, at=NOW + DAY * 2)
    chain, (taking_back,) = story.decided(request, *QUORUM[:3], "rita")
    assert chain.ceremony.state is State.APPROVED
    bare = story.proved(taking_back, after=None)
    status = Status(
        organisation=BURNING.name,
        log=BURNING.origin,
        at=NOW + DAY * 2,
        revocations=(write_bundle(make_bundle([BURNING.policy], bare)),),
    )
    assert story.judge(again, status=write_status(status, BURNING.log_key)) == "revoked.release"


def test_the_tree_says_who_approved_it_anew() -> None:
    story = Story()
    (tree,) = explain(story.verify(story.again()))
    (again,) = [node for node in every(tree) if node.kind == "re-approval"]
    assert again.text == "asked for by rita, approved 2026-11-21T14:00:00.000Z"
    people = [node.text.split()[0] for node in every(again) if node.kind == "person"]
    assert sorted(people) == sorted(QUORUM)


def every(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from every(child)


def test_a_drill_is_not_approved_anew_by_a_real_policy() -> None:
    drill = changed(BURNING, drill=True)
    chain, _ = drill.run("alice", "bob", "carol", "rita")
    assert chain.ceremony.policy.drill
    assert emergency_request().emergency is not None
    story = Story()
    assert story.judge(story.again(reapproval(chain))) == "re_approval.other"
