# SPDX-License-Identifier: Apache-2.0
"""Bundles in a pack: across a change of the policy and a re-approval, and as somebody hostile writes them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.commands import Start
from coordinator.founding import found
from quorumseal.audit.examining import populate
from quorumseal.audit.log_copy import cut
from quorumseal.audit.pack.bundles import BundleJudge, bundle_file
from quorumseal.audit.pack.errors import PackBundleError
from quorumseal.audit.population import Period
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope, MalformedTimestampError
from quorumseal.strict_json import read, write
from quorumseal.verifier.bundle import Adopted, Bundle, read_bundle, write_bundle
from quorumseal.verifier.errors import CosignaturesMissingError
from quorumseal.verifier.timestamping import Stamp
from tests.audit.copying import copy_of, trust_in
from tests.audit.packing import PERIOD, Written, codes, refitted
from tests.burning import reapproval
from tests.coordinator.test_policy_change import ACME, TWO, chain_of, change, decided
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, ceremony_number, changed

RELEASE, AGAIN, PLAIN = ceremony_number(1), ceremony_number(61), ceremony_number(70)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A release, a change of the policy, the release approved anew, and another release."""
    folder = tmp_path_factory.mktemp("changed")
    database = f"sqlite:///{folder / 'log.sqlite'}"
    found(database, ACME.log_key, ACME.policy, at=NOW)
    workshop = Workshop(database, ACME, folder / "published")
    try:
        desk = workshop.desk()
        release = Start(policy=ACME.policy, request=ACME.sign_request(ACME.request()))
        bundles = {RELEASE: decided(desk, ACME, release, "alice", "erin", "carol", "dan")}
        change(desk, ACME, TWO)
        workshop.time.pass_by(timedelta(hours=1))
        anew = reapproval(chain_of(desk, release), TWO, number=61, at=NOW + timedelta(minutes=50))
        again = Start(policy=TWO.policy, request=TWO.sign_request(anew))
        bundles[AGAIN] = decided(desk, TWO, again, "zoe", "alice", "carol", "yann")
        asked = TWO.request(number=70, version="2.0", at=NOW + timedelta(minutes=50))
        other = Start(policy=TWO.policy, request=TWO.sign_request(asked))
        bundles[PLAIN] = decided(desk, TWO, other, "zoe", "alice", "carol", "yann")
        return Written(copy_of(desk.storage), bundles, trust_in(ACME))
    finally:
        workshop.close()


def test_a_pack_across_a_change_of_the_policy_holds(written: Written) -> None:
    files = written.pack()
    judged = written.judge(files)
    assert codes(judged) == []
    assert judged.bundles == 3
    assert {"policies/1.json", "policies/2.json"} <= files.keys()
    assert judged.counted is not None
    assert len(judged.counted.changes) == 2


def test_a_period_after_the_change_takes_along_what_the_rules_look_back_on(written: Written) -> None:
    later = Period(begin=NOW + timedelta(minutes=30), end=PERIOD.end)
    files = written.pack(later)
    judged = written.judge(files)
    assert codes(judged) == []
    assert judged.population is not None
    assert judged.population.complete_from > 0
    assert [each.id for each in judged.population.within(later).ceremonies] == [AGAIN, PLAIN]
    assert bundle_file(RELEASE) not in files


def test_a_period_without_any_entry_is_a_pack_of_nothing_but_its_proof(written: Written) -> None:
    after = Period(begin=NOW + timedelta(days=2), end=NOW + timedelta(days=3))
    judged = written.judge(written.pack(after))
    assert codes(judged) == []
    assert judged.counted is not None
    assert judged.counted.ceremonies == 0


def test_a_bundle_of_too_few_policies_is_refused(written: Written) -> None:
    assert_refused(written, lambda bundle: replace(bundle, policies=bundle.policies[:1]))


def test_a_bundle_of_policies_that_the_log_does_not_have_is_refused(written: Written) -> None:
    assert_refused(written, lambda bundle: replace(bundle, policies=(*bundle.policies, bundle.policies[1])))
    assert_refused(written, lambda bundle: replace(bundle, policies=bundle.policies[::-1]))


def test_a_bundle_whose_first_policy_other_founders_signed_is_refused(written: Written) -> None:
    def fewer(bundle: Bundle) -> Bundle:
        first = bundle.policies[0]
        assert isinstance(first, JointEnvelope)
        less = JointEnvelope(payload=first.payload, signatures=first.signatures[:1])
        return replace(bundle, policies=(less, *bundle.policies[1:]))

    assert_refused(written, fewer)


def test_a_bundle_whose_policy_change_has_another_proof_is_refused(written: Written) -> None:
    def other(bundle: Bundle) -> Bundle:
        second = bundle.policies[1]
        assert isinstance(second, Adopted)
        moved = replace(second.acceptance, index=second.acceptance.index - 1)
        return replace(bundle, policies=(bundle.policies[0], replace(second, acceptance=moved)))

    assert_refused(written, other)


def test_a_bundle_with_fewer_entries_than_the_log_is_refused(written: Written) -> None:
    assert_refused(
        written,
        lambda bundle: replace(
            bundle, parts=(replace(bundle.parts[0], entries=bundle.parts[0].entries[:-1]),)
        ),
    )


def test_a_bundle_without_entries_or_of_no_ceremony_is_refused(written: Written) -> None:
    standing = written.copy.entries[0]
    for entries in ((), (standing,)):
        assert_refused(
            written,
            lambda bundle, entries=entries: replace(  # type: ignore[misc]
                bundle, parts=(replace(bundle.parts[0], entries=entries),)
            ),
        )


def test_a_bundle_at_a_later_checkpoint_than_its_conclusion_is_refused(written: Written) -> None:
    bundle = read_bundle(written.bundles[RELEASE])
    (part,) = bundle.parts
    (later,) = cut(written.copy, written.copy.size, [part.index]).earlier
    moved = replace(part, inclusion=later.inclusion, checkpoint=written.copy.checkpoint)
    judge = BundleJudge(populate(written.copy, written.trust))
    with pytest.raises(PackBundleError, match="the checkpoint of size"):
        judge.judge(RELEASE, write_bundle(replace(bundle, parts=(moved,))))


def test_a_timestamp_of_a_bundle_is_judged(written: Written) -> None:
    bundle = replace(read_bundle(written.bundles[PLAIN]), timestamps=(Stamp(PLAIN, b"no token"),))
    judge = BundleJudge(populate(written.copy, written.trust))
    with pytest.raises(MalformedTimestampError):
        judge.judge(PLAIN, write_bundle(bundle))


def test_a_bundle_in_another_spelling_is_refused(written: Written) -> None:
    spelt = written.bundles[PLAIN].replace(b"{", b"{ ", 1)
    assert read(spelt, max_bytes=1 << 24) == read(written.bundles[PLAIN], max_bytes=1 << 24)
    files = refitted(written.pack(), {bundle_file(PLAIN): spelt})
    assert codes(written.judge(files)) == ["audit.pack_bundle"]


def test_a_bundle_of_a_ceremony_that_the_log_does_not_have_is_refused(written: Written) -> None:
    judge = BundleJudge(populate(written.copy, written.trust))
    with pytest.raises(Refusal, match="a ceremony of this log"):
        judge.judge(ceremony_number(99), written.bundles[PLAIN])


def assert_refused(written: Written, change_: Callable[[Bundle], Bundle]) -> None:
    bundle = write_bundle(change_(read_bundle(written.bundles[PLAIN])))
    assert write(read(bundle, max_bytes=1 << 24)) == bundle
    files = refitted(written.pack(), {bundle_file(PLAIN): bundle})
    (code,) = codes(written.judge(files))
    assert code.startswith(("audit.pack_bundle", "log.", "bundle."))


def test_what_still_waits_for_witnesses_is_not_published(tmp_path: Path) -> None:
    acme = changed(ACME, cosignatures=1, witnessing=frozenset({"alice"}))
    database = f"sqlite:///{tmp_path / 'log.sqlite'}"
    found(database, acme.log_key, acme.policy, at=NOW)
    workshop = Workshop(database, acme, tmp_path / "published")
    try:
        desk, ceremony = workshop.approved()
        log = Written(copy_of(desk.storage), {ceremony: desk.reader.bundle(ceremony)}, trust_in(acme))
    finally:
        workshop.close()
    judged = log.judge(log.pack())
    assert codes(judged) == []
    assert judged.manifest.about.unpublished == (ceremony,)
    early = BundleJudge(populate(log.copy, log.trust))
    with pytest.raises(CosignaturesMissingError):
        early.judge(ceremony, log.bundles[ceremony])
