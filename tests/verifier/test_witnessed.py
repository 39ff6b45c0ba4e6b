# SPDX-License-Identifier: Apache-2.0
"""A bundle carries the word of the log's witnesses; too few, or any that does not hold, refuse it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.signatures import PrivateKey
from quorumseal.strict_json import read, write
from quorumseal.tlog import (
    Checkpoint,
    Frontier,
    Witness,
    add_lines,
    cosign,
    leaf_hash,
    open_checkpoint,
    prove_consistency,
    sign_checkpoint,
)
from quorumseal.verifier.bundle import read_bundle, same_core, write_bundle
from quorumseal.verifier.explain import explain
from quorumseal.verifier.part import Part
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.verify import Verified, verify
from quorumseal.verifier.witnessing import MOST_WITNESSED, Witnessed
from tests.forging import verdict
from tests.organisation import NOW, Organisation, changed, key_of
from tests.simulated_log import SimulatedLog
from tests.verifier.published import ARTIFACTS, Published, published

MINUTE = timedelta(minutes=1)
CONCLUDED = NOW + 4 * MINUTE
AFTER = CONCLUDED + MINUTE
OUTSIDE = "witness.example/w1"
WITNESSING = frozenset({"alice", "carol", "dan"})
ACME = Organisation(
    witnessing=WITNESSING, outside=(Witness(OUTSIDE, key_of("outside").public),), cosignatures=2
)


def name_of(signer: str) -> str:
    return f"acme.example/witness/{signer}"


def line(signer: str, checkpoint: Checkpoint, *, at: datetime = AFTER, key: PrivateKey | None = None) -> str:
    return cosign(checkpoint, key or ACME.witness_key(signer), name_of(signer), at=at)


class Site:
    """A published ceremony, and a log that went on after it."""

    def __init__(self, organisation: Organisation) -> None:
        self.published: Published = published(organisation, "alice", "erin", "carol", "rita")
        self.log: SimulatedLog = self.published.log
        self.concluded = self.log.size
        later = organisation.sign_request(organisation.request(number=2, version="1.1"))
        self.log.append(organisation.run("alice", request=later)[1])

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(self.log.organisation.origin, size, self.log.roots[size])

    def witnessed(self, size: int, *lines: str, note: bytes | None = None) -> Witnessed:
        proof = prove_consistency(self.concluded, size, self.log.node) if size >= self.concluded else ()
        return Witnessed(
            checkpoint=add_lines(note or self.log.checkpoint(size), lines), consistency=tuple(proof)
        )

    def by(self, *signers: str, size: int = 0, at: datetime = AFTER) -> Witnessed:
        size = size or self.concluded
        return self.witnessed(size, *(line(signer, self.checkpoint(size), at=at) for signer in signers))

    def bundle(self, *witnessed: Witnessed) -> bytes:
        return write_bundle(replace(read_bundle(self.published.bundle), witnessed=witnessed))

    def verify(self, *witnessed: Witnessed, terms: Terms | None = None) -> Verified:
        return verify(self.bundle(*witnessed), self.published.trust, ARTIFACTS, terms=terms)

    def verdict(self, *witnessed: Witnessed) -> str:
        return verdict(lambda: self.verify(*witnessed))


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(ACME)


def test_as_many_witnesses_as_the_policy_asks_for_make_a_bundle_that_verifies(site: Site) -> None:
    verified = site.verify(site.by("alice", "carol"))
    assert [each.witness.name for each in verified.cosignatures] == [name_of("alice"), name_of("carol")]
    assert {each.at for each in verified.cosignatures} == {AFTER}
    (tree,) = explain(verified)
    (log,) = (node for node in tree.children[0].children if node.kind == "log")
    assert log.children[0].text == "acme.example/witness/alice cosigned 2026-11-20T14:05:00.000Z"


def test_too_few_witnesses_refuse_a_bundle_and_name_those_who_are_missing(site: Site) -> None:
    for few in ((), (site.by("alice"),), (site.by("alice"), site.by("alice", size=site.log.size))):
        assert site.verdict(*few) == "log.cosignatures"
    with pytest.raises(Exception, match=f"got 1; missing: {name_of('carol')}, {name_of('dan')}, {OUTSIDE}"):
        site.verify(site.by("alice"))


def test_witnesses_count_over_all_cosigned_checkpoints_each_once(site: Site) -> None:
    later = site.log.size
    verified = site.verify(site.by("alice"), site.by("alice", "dan", size=later, at=AFTER + MINUTE))
    assert [each.witness.name for each in verified.cosignatures] == [name_of("alice"), name_of("dan")]
    assert [each.at for each in verified.cosignatures] == [AFTER, AFTER + MINUTE]


def test_an_outside_witness_counts_like_a_signer_s_agent(site: Site) -> None:
    theirs = cosign(site.checkpoint(site.log.size), key_of("outside"), OUTSIDE, at=AFTER)
    mine = line("dan", site.checkpoint(site.log.size))
    assert len(site.verify(site.witnessed(site.log.size, theirs, mine)).cosignatures) == 2


def test_more_than_are_asked_for_all_have_to_hold(site: Site) -> None:
    assert len(site.verify(site.by("alice", "carol", "dan")).cosignatures) == 3
    wrong = line("dan", site.checkpoint(site.concluded - 1))
    extra = add_lines(site.by("alice", "carol").checkpoint, [wrong])
    assert site.verdict(replace(site.by("alice"), checkpoint=extra)) == "log.cosignature"


def by_somebody(site: Site, *, key: PrivateKey, name: str) -> Witnessed:
    checkpoint = site.checkpoint(site.concluded)
    return site.witnessed(site.concluded, line("alice", checkpoint), cosign(checkpoint, key, name, at=AFTER))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (ACME.key("dan"), name_of("dan")),
        (ACME.key("erin"), name_of("erin")),
        (ACME.witness_key("erin"), name_of("erin")),
        (key_of("zoe's witness"), name_of("zoe")),
        (ACME.witness_key("alice"), name_of("carol")),
        (ACME.witness_key("alice"), "witness.example/alice"),
        (ACME.log_key, "log.acme.example"),
        (key_of("another"), OUTSIDE),
    ],
    ids=[
        "an approval key",
        "an approval key of a signer without a witness",
        "a witness key that the policy does not have",
        "a removed signer",
        "a counted witness under another's name",
        "a counted witness under a made-up name",
        "the log itself",
        "another key under an outside witness's name",
    ],
)
def test_nobody_counts_but_the_policy_s_witnesses_by_their_own_names(
    site: Site, key: PrivateKey, name: str
) -> None:
    assert site.verdict(by_somebody(site, key=key, name=name)) == "log.cosignatures"


def test_a_cosigned_checkpoint_from_before_the_conclusion_is_refused(site: Site) -> None:
    older = site.by("alice", "carol", size=site.concluded - 1)
    assert site.verdict(older) == "log.witnessed_checkpoint"
    assert site.verdict(older, site.by("alice", "carol")) == "log.witnessed_checkpoint"


def forked(site: Site, *, key: PrivateKey) -> Witnessed:
    """Return a larger log without the ceremony, cosigned in good faith."""
    frontier, _ = Frontier().extend(leaf_hash(b"%d" % n) for n in range(site.log.size))
    checkpoint = Checkpoint(ACME.origin, frontier.size, frontier.root())
    lines = [line(who, checkpoint) for who in ("alice", "carol")]
    return Witnessed(
        checkpoint=add_lines(sign_checkpoint(checkpoint, key, ACME.origin), lines),
        consistency=site.by("alice", size=site.log.size).consistency,
    )


def test_a_witnessed_log_that_does_not_extend_the_conclusion_is_refused(site: Site) -> None:
    assert site.verdict(forked(site, key=ACME.log_key)) == "log.consistency_proof"
    unproved = replace(site.by("alice", "carol", size=site.log.size), consistency=())
    assert site.verdict(unproved) == "log.consistency_proof"


def test_a_checkpoint_that_only_witnesses_signed_is_refused(site: Site) -> None:
    assert site.verdict(forked(site, key=key_of("not the log"))) == "log.note_signature"


def test_another_log_s_checkpoint_is_refused(site: Site) -> None:
    other = replace(site.checkpoint(site.concluded), origin="log.other.example")
    note = sign_checkpoint(other, ACME.log_key, ACME.origin)
    lines = [line(who, other) for who in ("alice", "carol")]
    assert site.verdict(site.witnessed(site.concluded, *lines, note=note)) == "log.checkpoint_origin"


def test_cosignatures_of_one_checkpoint_do_not_count_under_another(site: Site) -> None:
    other = [line(who, site.checkpoint(site.log.size)) for who in ("alice", "carol")]
    assert site.verdict(site.witnessed(site.concluded, *other)) == "log.cosignature"


@pytest.mark.parametrize(("early", "expected"), [(2, "accepted"), (2.1, "log.cosignature_time")])
def test_a_cosignature_dated_before_the_conclusion_by_more_than_the_skew_is_refused(
    site: Site, early: float, expected: str
) -> None:
    stale = site.by("alice", "carol", at=CONCLUDED - early * MINUTE)
    assert site.verdict(stale) == expected


def test_hundreds_of_lines_are_refused(site: Site) -> None:
    noise = [line("alice", site.checkpoint(site.concluded))] * 300
    assert site.verdict(site.witnessed(site.concluded, *noise)) == "log.note_malformed"


def test_checkpoints_in_another_order_or_twice_are_refused(site: Site) -> None:
    small, large = site.by("alice"), site.by("carol", size=site.log.size)
    assert site.verdict(large, small) == "log.witnessed_checkpoint"
    assert site.verdict(small, small) == "log.witnessed_checkpoint"


def test_the_core_of_a_bundle_is_the_same_with_and_without(site: Site) -> None:
    bare, one = site.bundle(), site.bundle(site.by("alice", "carol"))
    assert bare == site.published.bundle
    assert same_core(bare, one)
    assert same_core(site.bundle(site.by("dan", "carol", size=site.log.size)), one)
    assert not same_core(one, one + b" ")


@pytest.mark.parametrize(
    ("witnessed", "expected"),
    [
        ([], "bundle.format"),
        ([{"checkpoint": "a", "consistency": []}] * (MOST_WITNESSED + 1), "bundle.format"),
        ([{"checkpoint": "a"}], "json.missing_field"),
        ([{"checkpoint": "a", "consistency": ["00"]}], "json.invalid_field"),
        ([{"checkpoint": "a", "consistency": [], "more": 1}], "json.unknown_field"),
        ([{"checkpoint": "a", "consistency": []}], "log.note_malformed"),
    ],
)
def test_another_form_of_the_field_is_refused(site: Site, witnessed: list[object], expected: str) -> None:
    document = read(site.bundle())
    assert isinstance(document, dict)
    data = write({**document, "witnessed": witnessed})  # type: ignore[dict-item]
    assert verdict(lambda: verify(data, site.published.trust, ARTIFACTS)) == expected


def test_where_the_policy_asks_for_none_those_that_are_there_still_have_to_hold() -> None:
    site = Site(changed(ACME, cosignatures=0))
    assert site.verify().cosignatures == ()
    assert len(site.verify(site.by("dan")).cosignatures) == 1
    assert site.verdict(site.by("dan", size=site.concluded - 1)) == "log.witnessed_checkpoint"


def test_a_bundle_of_what_no_log_has_carries_no_cosignatures(site: Site) -> None:
    parts = tuple(Part(entries=part.entries) for part in read_bundle(site.published.bundle).parts)
    unlogged = replace(read_bundle(site.published.bundle), parts=parts)
    terms = Terms(now=AFTER, allow_unlogged=True)
    cosigned = replace(unlogged, witnessed=(site.by("alice", "carol"),))
    assert verify(write_bundle(unlogged), site.published.trust, ARTIFACTS, terms=terms).cosignatures == ()
    refused = verdict(lambda: verify(write_bundle(cosigned), site.published.trust, ARTIFACTS, terms=terms))
    assert refused == "log.witnessed_checkpoint"


def test_a_cosigned_note_is_a_checkpoint_that_opens_as_ever(site: Site) -> None:
    note = site.by("alice", "carol").checkpoint
    assert open_checkpoint(note, ACME.origin, [ACME.log_key.public]) == site.checkpoint(site.concluded)
