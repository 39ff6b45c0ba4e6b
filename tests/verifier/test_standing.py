# SPDX-License-Identifier: Apache-2.0
"""As what a release counts, and for how long: every ending of an emergency, before and after its times."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import JsonValue, read, write
from quorumseal.verifier.bundle import make_bundle, read_bundle, write_bundle
from quorumseal.verifier.explain import explain
from quorumseal.verifier.part import Part
from quorumseal.verifier.policy_chain import PolicyChain
from quorumseal.verifier.standing import Standing, Terms
from quorumseal.verifier.status import Status, read_status, write_status
from quorumseal.verifier.trust import Trust, read_trust, write_trust
from quorumseal.verifier.verify import verify
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    PROVISIONAL,
    joins,
    ratification,
    revocation,
    run_emergency,
)
from tests.forging import edited, verdict
from tests.organisation import ARTIFACT, NOW, SUBJECTS, Organisation, ceremony_number, changed, key_of
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
ENDS = NOW + PROVISIONAL


def run(request: Request, *signers: str, acme: Organisation = BURNING) -> tuple[Chain, list[Entry]]:
    """Run a ceremony at the time of its request."""
    at = request.opened_at
    chain, opening = open_chain(acme.policy, acme.sign_request(request), at=at)
    entries = [opening]
    for signer in signers:
        chain, more = extend(chain, joins(chain, signer, acme=acme, at=at), at=at)
        entries += more
    return chain, entries


class Story:
    """An emergency in a log, and what became of it."""

    def __init__(self, acme: Organisation = BURNING) -> None:
        self.acme = acme
        self.log = SimulatedLog(acme)
        self.chain, self.entries = run_emergency("alice", "carol", acme=acme)
        self.log.append(self.entries)
        self.part = self.log.part(self.entries)

    @property
    def request(self) -> str:
        return self.chain.ceremony.request.digest

    def ratify(self, *signers: str, at: datetime = NOW + HOUR) -> Part:
        """Run the ratification by so many people; return its part."""
        _, entries = run(ratification(self.chain, self.acme, at=at), *signers, acme=self.acme)
        self.log.append(entries)
        return self.log.part(entries, also={self.part.index + 1})

    def bundle(self, *parts: Part) -> bytes:
        return write_bundle(make_bundle([self.acme.policy], *(parts or (self.part,))))

    def status(
        self, *revocations: bytes, lapsed: bool = False, at: datetime = NOW + DAY, key: str = ""
    ) -> bytes:
        status = Status(
            organisation=self.acme.name,
            log=self.acme.origin,
            at=at,
            revocations=revocations,
            lapsed=frozenset({self.request}) if lapsed else frozenset(),
        )
        return write_status(status, key_of(key) if key else self.acme.log_key)

    def judge(self, bundle: bytes, *, trust: Trust | None = None, **terms: object) -> str:
        """Return as what the bundle counts, or the code of its refusal."""

        def verified() -> str:
            found = verify(bundle, trust or self.log.trust, ARTIFACTS, terms=Terms(**terms))  # type: ignore[arg-type] # passed on
            return str(found.standing)

        found: list[str] = []
        code = verdict(lambda: found.append(verified()))
        return found[0] if found else code


STORY = Story()
PROVISIONAL_BUNDLE = STORY.bundle()
QUORUM = ("alice", "bob", "carol", "dan")
RATIFICATION = STORY.ratify(*QUORUM)
RATIFIED_BUNDLE = STORY.bundle(STORY.part, RATIFICATION)


def test_each_standing_says_what_it_means() -> None:
    assert all(len(standing.meaning) > 60 for standing in Standing)
    assert len({standing.meaning for standing in Standing}) == len(Standing)


@pytest.mark.parametrize(
    ("now", "allowed", "verdict"),
    [
        (NOW + HOUR, False, "provisional.not_allowed"),
        (NOW + HOUR, True, "provisional"),
        (ENDS - timedelta(milliseconds=1), True, "provisional"),
        (ENDS, True, "provisional.lapsed"),
        (ENDS, False, "provisional.lapsed"),
        (None, True, "provisional.not_allowed"),
    ],
)
def test_a_provisional_bundle_counts_until_its_end_where_it_is_allowed(
    now: datetime | None, allowed: bool, verdict: str
) -> None:
    assert STORY.judge(PROVISIONAL_BUNDLE, now=now, allow_provisional=allowed) == verdict


@pytest.mark.parametrize("now", [NOW + HOUR * 2, ENDS, NOW + DAY * 300, None])
def test_a_ratified_bundle_counts_like_a_regular_one(now: datetime | None) -> None:
    assert STORY.judge(RATIFIED_BUNDLE, now=now) == "ratified"


def test_a_regular_release_is_regular() -> None:
    story = Story()
    _, entries = BURNING.run("alice", "bob", "carol", "rita")
    story.log.append(entries)
    assert story.judge(story.log.bundle(entries)) == "regular"


def test_half_a_ratification_leaves_it_provisional_at_most() -> None:
    story = Story()
    bundle = story.bundle(story.part, story.ratify("alice", "bob"))
    assert story.judge(bundle, now=NOW + HOUR, allow_provisional=True) == "quorum.short"


def test_a_ratification_of_another_emergency_ratifies_nothing() -> None:
    story, other = Story(), Story(changed(BURNING, name="other.example"))
    assert story.judge(story.bundle(story.part, story.ratify(*QUORUM))) == "ratified"
    assert story.judge(story.bundle(story.part, other.ratify(*QUORUM))) == "statement.organisation"


ANOTHER: dict[str, dict[str, object]] = {
    "ceremony": {"ratified": {"ceremony": ceremony_number(77)}},
    "request": {"ratified": {"request": "sha256:" + "a" * 64}},
    "conclusion": {"ratified": {"conclusion": "sha256:" + "a" * 64}},
    "requesters": {"ratified": {"requesters": frozenset({"gina", "mallory"})}},
    "product": {"product": "gadget"},
    "version": {"version": "1.1"},
    "subjects": {"subjects": (Subject(name="widget.zip", digest=SUBJECTS[0].digest),)},
    "hard stop": {"hard_stop": NOW + PROVISIONAL + timedelta(milliseconds=1)},
}


@pytest.mark.parametrize("given", ANOTHER.values(), ids=ANOTHER)
def test_a_ratification_with_its_full_quorum_is_of_exactly_one_emergency(given: dict[str, Any]) -> None:
    story = Story()
    honest = ratification(story.chain)
    assert honest.ratified is not None
    of_it = {"ratified": replace(honest.ratified, **given["ratified"])} if "ratified" in given else given
    chain, entries = run(replace(honest, **of_it), *QUORUM)
    assert chain.ceremony.state is State.APPROVED
    story.log.append(entries)
    part = story.log.part(entries, also={story.part.index + 1})
    assert story.judge(story.bundle(story.part, part)) == "ratification.other"


def test_a_ratification_alone_releases_nothing() -> None:
    assert STORY.judge(STORY.bundle(RATIFICATION)) == "bundle.kind"
    assert STORY.judge(STORY.bundle(RATIFICATION, STORY.part)) == "bundle.kind"


def test_a_ratification_needs_the_proof_that_it_came_after() -> None:
    without = replace(RATIFICATION, consistency={})
    assert STORY.judge(STORY.bundle(STORY.part, without)) == "log.seen_checkpoint"


def test_two_releases_are_no_bundle() -> None:
    assert STORY.judge(STORY.bundle(STORY.part, STORY.part)) == "bundle.kind"
    assert STORY.judge(STORY.bundle(STORY.part, RATIFICATION, RATIFICATION)) == "log.seen_checkpoint"
    assert STORY.judge(STORY.bundle(STORY.part, *[RATIFICATION] * 3)) == "bundle.format"


# Unlogged


def unlogged(part: Part) -> Part:
    return Part(entries=part.entries)


@pytest.mark.parametrize(
    ("now", "allowed", "verdict"),
    [
        (NOW + HOUR, False, "unlogged.not_allowed"),
        (NOW + HOUR, True, "unlogged"),
        (NOW + MINUTE * 2, True, "unlogged"),
        (NOW + MINUTE * 2 - timedelta(milliseconds=1), True, "unlogged.clock"),
        (NOW + DAY * 5, True, "unlogged.too_late"),
        (None, True, "unlogged.not_allowed"),
    ],
)
def test_an_unlogged_bundle_counts_until_the_hard_stop_where_it_is_allowed(
    now: datetime | None, allowed: bool, verdict: str
) -> None:
    _, entries = BURNING.run("alice", "bob", "carol", "rita")
    bundle = STORY.bundle(Part(entries=tuple(entry.payload for entry in entries)))
    assert STORY.judge(bundle, now=now, allow_unlogged=allowed) == verdict
    assert write_bundle(read_bundle(bundle)) == bundle


def test_an_unlogged_emergency_needs_both_allowances() -> None:
    bundle, now = STORY.bundle(unlogged(STORY.part)), NOW + HOUR
    assert STORY.judge(bundle, now=now, allow_unlogged=True) == "provisional.not_allowed"
    assert STORY.judge(bundle, now=now, allow_provisional=True) == "unlogged.not_allowed"
    assert STORY.judge(bundle, now=now, allow_unlogged=True, allow_provisional=True) == "unlogged"


def test_an_unlogged_ceremony_that_is_open_releases_nothing() -> None:
    _, entries = BURNING.run("alice", "bob")
    bundle = STORY.bundle(Part(entries=tuple(entry.payload for entry in entries)))
    assert STORY.judge(bundle, now=NOW, allow_unlogged=True) == "quorum.short"


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (False, False)])
def test_a_ratification_without_the_log_ratifies_nothing(first: bool, second: bool) -> None:
    part = STORY.part if first else unlogged(STORY.part)
    ratified = RATIFICATION if second else unlogged(RATIFICATION)
    bundle = STORY.bundle(part, ratified)
    code = STORY.judge(bundle, now=NOW + HOUR, allow_unlogged=True, allow_provisional=True)
    assert code == "unlogged.not_allowed"


def test_an_empty_checkpoint_is_not_a_way_to_say_unlogged() -> None:
    data = PROVISIONAL_BUNDLE.replace(STORY.part.checkpoint.decode().replace("\n", "\\n").encode(), b"")
    assert data != PROVISIONAL_BUNDLE
    assert STORY.judge(data, now=NOW, allow_unlogged=True, allow_provisional=True) == "json.invalid_field"


# Drills


def test_a_drill_releases_nothing_even_where_everything_holds() -> None:
    story = Story(changed(BURNING, drill=True))
    _, entries = story.acme.run("alice", "bob", "carol", "rita")
    story.log.append(entries)
    assert story.judge(story.log.bundle(entries)) == "drill.exercise"
    assert story.judge(story.bundle(), now=NOW + HOUR, allow_provisional=True) == "drill.exercise"
    assert story.judge(PROVISIONAL_BUNDLE, now=NOW, allow_provisional=True) == "policy_chain.broken"


# The status file


def revoked(story: Story, request: str) -> bytes:
    _, entries = run(revocation(request), "alice", "bob", "carol", "rita")
    story.log.append(entries)
    return story.log.bundle(entries)


def released() -> tuple[Story, str, bytes]:
    story = Story()
    chain, entries = BURNING.run("alice", "bob", "carol", "rita")
    story.log.append(entries)
    return story, chain.ceremony.request.digest, story.log.bundle(entries)


def test_a_revoked_release_is_refused() -> None:
    story, request, bundle = released()
    status = story.status(revoked(story, request))
    assert story.judge(bundle, now=NOW + DAY, status=status) == "revoked.release"
    assert story.judge(bundle, now=NOW + DAY, status=story.status()) == "regular"
    other = STORY.judge(PROVISIONAL_BUNDLE, now=NOW + DAY, allow_provisional=True, status=status)
    assert other == "provisional"


def test_a_ratified_release_is_revoked_by_either_of_its_requests() -> None:
    ratified = read_bundle(RATIFIED_BUNDLE).parts[1]
    for request in (STORY.request, str(run(ratification(STORY.chain))[0].ceremony.request.digest)):
        story = Story()
        status = story.status(revoked(story, request))
        assert STORY.judge(RATIFIED_BUNDLE, now=NOW + DAY, status=status) == "revoked.release"
    assert ratified == RATIFICATION


def test_a_revocation_under_another_products_rule_takes_nothing_back() -> None:
    story, request, bundle = released()
    of_gadget = replace(revocation(request), product="gadget")
    _, entries = run(of_gadget, "alice", "bob", "carol", "rita")
    story.log.append(entries)
    status = story.status(story.log.bundle(entries))
    assert story.judge(bundle, now=NOW + DAY, status=status) == "revocation.other"


def test_the_log_key_alone_harms_nothing_but_what_is_provisional() -> None:
    story, _, regular = released()
    lapsed = story.status(lapsed=True)
    assert story.judge(regular, now=NOW + DAY, status=lapsed) == "regular"
    assert STORY.judge(RATIFIED_BUNDLE, now=NOW + DAY, status=lapsed) == "ratified"
    code = STORY.judge(PROVISIONAL_BUNDLE, now=NOW + DAY, status=lapsed, allow_provisional=True)
    assert code == "provisional.lapsed"


def test_a_revocation_that_its_quorum_did_not_decide_is_found_out() -> None:
    story, request, bundle = released()
    _, entries = run(revocation(request), "alice", "bob")
    story.log.append(entries)
    short = story.status(story.log.bundle(entries))
    assert story.judge(bundle, now=NOW + DAY, status=short) == "quorum.short"
    _, decided = run(revocation(request), "alice", "bob", "carol", "rita")
    in_no_log = story.bundle(Part(entries=tuple(entry.payload for entry in decided)))
    for given in (in_no_log, bundle):
        assert story.judge(bundle, now=NOW + DAY, status=story.status(given)) == "bundle.kind"


def test_a_revocation_is_no_release() -> None:
    story, request, _ = released()
    assert story.judge(revoked(story, request)) == "bundle.kind"


@pytest.mark.parametrize(
    ("at", "now", "verdict"),
    [
        (NOW + DAY, NOW + DAY * 2, "regular"),
        (NOW + DAY, NOW + DAY * 2 + timedelta(milliseconds=1), "status.stale"),
        (NOW + DAY + MINUTE * 2, NOW + DAY, "regular"),
        (NOW + DAY + MINUTE * 3, NOW + DAY, "status.stale"),
        (NOW + DAY, None, "status.stale"),
    ],
)
def test_a_status_file_is_as_fresh_as_the_trust_file_demands(
    at: datetime, now: datetime | None, verdict: str
) -> None:
    story, _, bundle = released()
    trust = replace(story.log.trust, status_max_age=DAY)
    assert story.judge(bundle, trust=trust, now=now, status=story.status(at=at)) == verdict


def test_a_status_file_that_is_demanded_and_missing_is_missed() -> None:
    story, _, bundle = released()
    trust = replace(story.log.trust, status_max_age=DAY)
    assert story.judge(bundle, trust=trust, now=NOW) == "status.missing"
    assert read_trust(write_trust(trust)) == trust


def test_a_status_file_is_signed_by_the_log_about_itself() -> None:
    story, _, bundle = released()
    assert story.judge(bundle, now=NOW + DAY, status=story.status(key="mallory")) == "status.format"
    other = Story(changed(BURNING, origin="log.other.example"))
    forged = Status(organisation="acme.example", log=other.acme.origin, at=NOW)
    code = story.judge(bundle, now=NOW, status=write_status(forged, story.acme.log_key))
    assert code == "status.format"


def test_a_status_makes_the_round_trip_and_names_its_log() -> None:
    story = Story()
    data = story.status(PROVISIONAL_BUNDLE, lapsed=True)
    status = read_status(data, KNOWN, STORY.log.trust)
    assert status.revocations == (PROVISIONAL_BUNDLE,)
    assert status.lapsed == {story.request}


KNOWN = PolicyChain(versions=(BURNING.policy,))


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("predicateType", "https://quorumseal.dev/status/v2", "statement.newer_format"),
        ("subject", [], "status.format"),
    ],
)
def test_a_status_of_another_shape_is_refused(field: str, value: JsonValue, code: str) -> None:
    envelope = Envelope.read(read(Story().status()))
    changed_payload = edited(envelope.payload, (field,), value)
    data = write(sign(changed_payload, BURNING.log_key).to_json())
    assert verdict(lambda: read_status(data, KNOWN, STORY.log.trust)) == code


def test_an_explanation_says_that_there_is_no_log() -> None:
    _, entries = BURNING.run("alice", "bob", "carol", "rita")
    bundle = STORY.bundle(Part(entries=tuple(entry.payload for entry in entries)))
    verified = verify(bundle, STORY.log.trust, ARTIFACTS, terms=Terms(now=NOW + HOUR, allow_unlogged=True))
    (tree,) = explain(verified)
    (log,) = [node for node in tree.children[0].children if node.kind == "log"]
    assert log.text == f"none: {Standing.UNLOGGED.meaning}"
