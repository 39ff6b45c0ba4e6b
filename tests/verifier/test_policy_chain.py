# SPDX-License-Identifier: Apache-2.0
"""One organisation through three versions, and what somebody else makes of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.refusal import Refusal
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import Adopted, PolicyVersion, parse_version, version_json
from quorumseal.verifier.errors import BundleFormatError, PolicyNotYetError, PolicyTooOldError
from quorumseal.verifier.part import Part
from quorumseal.verifier.policy_chain import own_policy, walk, walk_all
from quorumseal.verifier.verify import verify
from tests.changing import both_sides
from tests.organisation import NOW, changed
from tests.simulated_log import SimulatedLog
from tests.verifier.keepers import claimed, handed_to, kept_by
from tests.verifier.published import ARTIFACTS

DAY, BEFORE_LONG = timedelta(days=1), timedelta(hours=1)
ONE = kept_by("1 alice")
TWO = handed_to(ONE, "1 alice bob")
THREE = handed_to(TWO, "2 alice bob")
OTHER_TWO = handed_to(ONE, "1 alice erin")
TO_TWO = both_sides(ONE, TWO, ["alice"], ["bob"])
TO_THREE = both_sides(TWO, THREE, ["bob"], ["alice", "bob"], number=200, at=NOW + DAY)


def story() -> SimulatedLog:
    """Return a log in which each version was taken over as it should be."""
    log = SimulatedLog(ONE)
    log.adopt(*TO_TWO)
    log.adopt(*TO_THREE)
    return log


LOG = story()
FIRST = LOG.versions[0]
SECOND, THIRD = (version for version in LOG.versions if isinstance(version, Adopted))
DOWNGRADED = write_policy(replace(THREE.build_policy(), version=2))
SLOWER = changed(TWO, clock_skew=timedelta(minutes=3)).policy.payload


def test_a_chain_of_three_versions_is_walked_and_survives_its_written_form() -> None:
    again = [parse_version(write(version_json(version))) for version in LOG.versions]
    policies = walk_all(again, LOG.trust)
    assert [policy.policy.version for policy in policies] == [1, 2, 3]
    assert [policy.digest for policy in policies] == [o.policy.digest for o in (ONE, TWO, THREE)]
    assert [policy.signers for policy in policies] == [("alice",), ("alice", "bob"), ("alice", "bob")]
    assert [own_policy(version).digest for version in again] == [policy.digest for policy in policies]


def test_the_log_may_conclude_the_acceptance_first() -> None:
    log = SimulatedLog(ONE)
    change, acceptance = TO_TWO
    log.append(acceptance.entries)
    log.append(change.entries)
    version = Adopted(
        payload=TWO.policy.payload,
        change=log.part(change.entries, also=[log.end(acceptance.entries)]),
        acceptance=log.part(acceptance.entries),
    )
    assert walk([FIRST, version], log.trust).policy.version == 2


def test_a_raised_minimum_refuses_a_chain_that_ends_before_it() -> None:
    trust = replace(LOG.trust, minimum_version=3)
    assert walk(LOG.versions, trust).policy.version == 3
    with pytest.raises(PolicyTooOldError, match="expected policy version 3 or newer, got 2"):
        walk(LOG.versions[:2], trust)


def _expired() -> Sequence[PolicyVersion]:
    """A change that would end after its policy is not even opened, nor replayed."""
    brief = kept_by("1 alice", expires=NOW + BEFORE_LONG)
    return [claimed(SimulatedLog(brief), TWO, *both_sides(brief, handed_to(brief, "1 alice")))]


def _forked() -> Adopted:
    log = SimulatedLog(ONE)
    return claimed(log, OTHER_TWO, *both_sides(ONE, OTHER_TWO, ["alice"], ["erin"], number=300))


def _cut(side: int) -> Adopted:
    """Return the second version with one side up to its opening alone, which the log has too."""
    log, sides = SimulatedLog(ONE), list(TO_TWO)
    for each in sides:
        log.append(each.entries)
    sides[side] = replace(sides[side], entries=sides[side].entries[:1])
    return log.adopted(TWO.policy.payload, sides[0], sides[1])


def _later() -> Part:
    """Return the change with a checkpoint that was signed after its conclusion."""
    return LOG.part(TO_TWO[0].entries, size=LOG.size)


BROKEN, OTHER, SHORT = "policy_chain.broken", "statement.policy", "policy.governance_short"
TALES: dict[str, tuple[str, Callable[[], Sequence[PolicyVersion]]]] = {
    "nothing": (BROKEN, list),
    "a version skipped": (BROKEN, lambda: [FIRST, THIRD]),
    "a version replayed": (BROKEN, lambda: [FIRST, SECOND, SECOND]),
    "two exchanged": (BROKEN, lambda: [FIRST, THIRD, SECOND]),
    "back to the first": (BROKEN, lambda: [FIRST, SECOND, FIRST]),
    "the first is missing": (BROKEN, lambda: [SECOND, THIRD]),
    "founded again": (BROKEN, lambda: [FIRST, TWO.policy.envelope]),
    "another first": (BROKEN, lambda: [OTHER_TWO.policy.envelope, SECOND]),
    "downgraded to another version 2": (
        BROKEN,
        lambda: [FIRST, SECOND, replace(THIRD, payload=DOWNGRADED)],
    ),
    "forked: other bytes for the same ceremonies": (
        OTHER,
        lambda: [FIRST, replace(SECOND, payload=OTHER_TWO.policy.payload)],
    ),
    "forked: the acceptance of another": (
        OTHER,
        lambda: [FIRST, replace(SECOND, acceptance=_forked().acceptance)],
    ),
    "forked: the change to another": (SHORT, lambda: [FIRST, replace(SECOND, change=_forked().change)]),
    "one field changed": (OTHER, lambda: [FIRST, replace(SECOND, payload=SLOWER)]),
    "the change on both sides": (OTHER, lambda: [FIRST, replace(SECOND, acceptance=SECOND.change)]),
    "the acceptance on both sides": (OTHER, lambda: [FIRST, replace(SECOND, change=SECOND.acceptance)]),
    "the sides exchanged": (
        OTHER,
        lambda: [FIRST, replace(SECOND, change=SECOND.acceptance, acceptance=SECOND.change)],
    ),
    "the sides of another version": (OTHER, lambda: [FIRST, replace(THIRD, payload=SECOND.payload)]),
    "truncated: the change has no end": (SHORT, lambda: [FIRST, _cut(0)]),
    "truncated: the acceptance has no end": (SHORT, lambda: [FIRST, _cut(1)]),
    "a log that is not shown to extend itself": (
        "log.seen_checkpoint",
        lambda: [FIRST, replace(SECOND, acceptance=replace(SECOND.acceptance, consistency={}))],
    ),
    "a checkpoint after the conclusion": (
        "log.conclusion_checkpoint",
        lambda: [FIRST, replace(SECOND, change=_later())],
    ),
    "expired": ("request.deadline", _expired),
}


@pytest.mark.parametrize("tale", TALES)
def test_any_other_chain_is_refused(tale: str) -> None:
    code, tell = TALES[tale]
    with pytest.raises(Refusal) as refused:
        walk(tell(), LOG.trust)
    assert refused.value.code == code


def test_a_version_without_the_entries_of_its_change_is_none() -> None:
    written = version_json(replace(SECOND, change=replace(SECOND.change, entries=())))
    with pytest.raises(BundleFormatError, match="entries of a policy change"):
        parse_version(write(written))


def test_nothing_concludes_under_a_version_before_it_holds() -> None:
    """The keys of the log and a quorum of version 2 make no release before both sides agreed."""
    request = TWO.sign_request(TWO.request(number=9, requester="alice"))
    _, release = TWO.run("rita", request=request)
    early, late = SimulatedLog(ONE), SimulatedLog(ONE)
    early.append(release)
    early.adopt(*TO_TWO)
    late.adopt(*TO_TWO)
    late.append(release)
    assert verify(late.bundle(release), late.trust, ARTIFACTS).policy.policy.version == 2
    with pytest.raises(PolicyNotYetError, match="after policy version 2 held"):
        verify(early.bundle(release), early.trust, ARTIFACTS)
